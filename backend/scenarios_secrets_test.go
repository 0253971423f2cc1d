package backend_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/store"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
	"vault-plugin-secrets-aws/internal/leaks"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/vault/sdk/logical"
)

func secretScenarios() []scenario {
	return []scenario{
		{"secrets: issued keys are in their answers only", secretsOfIssuing},
		{"secrets: an MFA code is nowhere", secretsOfMFA},
		{"secrets: keys of root and static roles are in seal-wrapped records only", secretsOfRotation},
		{"secrets: AWS quotes what it should not", secretsQuotedByAWS},
	}
}

// told is what a mount has told to those who must not learn its secrets, and the
// secrets.
type told struct {
	*mount
	secrets leaks.Secrets
	texts   []string
}

func (m *mount) telling() *told {
	t := &told{mount: m, secrets: leaks.Secrets{}}
	t.secrets.Add("the root secret key", m.admin.SecretKey)
	return t
}

// hear keeps of an answer what is no credential: errors, warnings, and the
// internal data of a lease.
func (t *told) hear(got answer) answer {
	t.texts = append(t.texts, got.error, fmt.Sprint(got.warnings))
	if got.secret != nil {
		t.texts = append(t.texts, fmt.Sprint(got.secret.InternalData))
	}
	return got
}

// fails keeps the text of a request that fails.
func (t *told) fails(got answer) {
	t.Helper()
	if t.hear(got); got.ok() {
		t.Errorf("status = %d, want a failure", got.status)
	}
}

// issues keeps the secrets of a credential.
func (t *told) issues(name string, got answer) answer {
	t.Helper()
	if t.hear(got); got.status != http.StatusOK {
		t.Fatalf("%s: %d %s", name, got.status, got.error)
	}
	for _, field := range []string{"secret_key", "session_token"} {
		if value, ok := got.data[field].(string); ok {
			t.secrets.Add(field+" of "+name, value)
		}
	}
	return got
}

// wantNothingTold looks for the secrets in the log, in what was heard, in what
// can be read and listed, and in storage that is not seal-wrapped.
func (t *told) wantNothingTold() {
	t.Helper()
	for _, path := range []string{"roles/", "static-roles/", "users/"} {
		t.texts = append(t.texts, fmt.Sprint(t.list(path).data))
	}
	paths := []string{"config/root", "config/lease", "roles/x", "static-roles/x", "tidy-status", "metrics"}
	for name := range t.records() {
		paths = append(paths, "users/"+name)
	}
	for _, path := range paths {
		t.texts = append(t.texts, fmt.Sprint(t.read(path).data))
	}
	t.texts = append(t.texts, rawBody(t.mount, t.mustRead("metrics", map[string]any{"format": "prometheus"})))
	keys, err := logical.CollectKeys(t.Context(), t.storage.Storage)
	t.must(err)
	for _, key := range keys {
		if key == store.RootConfigKey || strings.HasPrefix(key, store.StaticCredsKeys) {
			continue
		}
		entry, err := t.storage.Storage.Get(t.Context(), key)
		t.must(err)
		t.texts = append(t.texts, key, string(entry.Value))
	}
	for _, text := range append(t.texts, t.log.String()) {
		for _, leak := range t.secrets.In(text) {
			t.Errorf("%s is in %q", leak, text)
		}
	}
}

func secretsOfIssuing(m *mount) {
	m.hurried()
	t := m.configured().telling()
	m.leaveUser() // of which the log tells
	if !strings.Contains(m.log.String(), "left to the worker") {
		m.Error("the log does not tell of the user left to the worker")
	}
	m.sim.ClearFaults()
	user := t.issues("user", m.read("creds/x"))
	m.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	t.issues("federation token", m.read("sts/fed"))
	arn := m.sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	m.mustWrite("roles/assumed", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
	t.issues("assumed role", m.read("sts/assumed"))
	for _, action := range []string{"iam:CreateUser", "iam:PutUserPolicy", "iam:CreateAccessKey", "sts:GetFederationToken"} {
		for _, kind := range []awssim.FaultKind{awssim.FaultTruncate, awssim.FaultHTML, awssim.FaultThrottle} {
			m.sim.Inject(awssim.Fault{Action: action, Kind: kind, When: awssim.AfterEffect})
			t.hear(m.read("creds/x"))
			t.hear(m.read("sts/fed"))
			m.sim.ClearFaults()
		}
	}
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError})
	t.texts = append(t.texts, fmt.Sprint(m.revoke(user.secret)))
	m.ageJournal(6 * time.Minute)
	m.tick()
	t.wantNothingTold()
}

// secretsOfMFA: of a code that is taken, and of one that is not.
func secretsOfMFA(m *mount) {
	m.sim.PutUser(m.admin.Account, "human", "")
	m.give("human", awssim.ActAddMFA)
	t := m.configured().telling()
	device := m.user("human").MFADevices[0]
	m.mustWrite("roles/x", map[string]any{"credential_type": "session_token", "mfa_serial_number": device})
	for _, code := range []string{"731904", "abc731904def", "7319041", ""} {
		if code != "" {
			t.secrets.Add("the MFA code "+code, code)
		}
		t.fails(m.read("creds/x", map[string]any{"mfa_code": code}))
	}
	m.sim.Inject(awssim.Fault{Action: "sts:GetSessionToken", Kind: awssim.FaultReset})
	t.fails(m.read("creds/x", map[string]any{"mfa_code": "731904"}))
	t.wantNothingTold()
}

func secretsOfRotation(m *mount) {
	engine := m.rootWith(`"*"`)
	m.mustWrite("config/root", m.rootConfig(engine))
	t := m.telling()
	t.secrets.Add("the first root key", engine.SecretKey)
	m.static(map[string]any{"rotation_period": "1h"})
	t.issues("static role", m.read("static-creds/x"))
	t.hear(m.write("rotate-role/x", nil))
	t.issues("static role, rotated", m.read("static-creds/x"))
	for _, action := range []string{"iam:CreateAccessKey", "sts:GetCallerIdentity", "iam:DeleteAccessKey"} {
		m.sim.Inject(awssim.Fault{Action: action, Kind: awssim.FaultReset, When: awssim.AfterEffect, Count: 3})
		t.hear(m.write("rotate-role/x", nil))
		t.hear(m.write("config/rotate-root", nil))
		m.sim.ClearFaults()
	}
	t.secrets.Add("the root key now", m.storedSecret(store.RootConfigKey))
	t.secrets.Add("the static key now", m.storedSecret(store.StaticCredsKeys+"x"))
	t.wantNothingTold()
}

// storedSecret is the secret key in a seal-wrapped record.
func (m *mount) storedSecret(key string) string {
	m.Helper()
	entry, err := m.storage.Storage.Get(m.Context(), key)
	m.must(err)
	var record struct {
		SecretKey string `json:"secret_key"`
	}
	m.must(entry.DecodeJSON(&record))
	return record.SecretKey
}

// secretsQuotedByAWS: a message that quotes what was signed is never shown, and a
// body that is no answer of AWS is never quoted.
func secretsQuotedByAWS(m *mount) {
	t := m.configured().telling()
	const canonical = "x-amz-security-token:FwoGZXIvYXdzEPLANTED/SESSION+TOKEN=="
	t.secrets.Add("the canonical string", canonical)
	m.mustWrite("roles/x", plainUser())
	m.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	for _, code := range []string{"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"} {
		m.sim.Inject(awssim.Fault{Action: "*", Kind: awssim.FaultError, Status: http.StatusForbidden, Code: code, Message: "The Canonical String for this request should have been '" + canonical + "'"})
		t.fails(m.read("creds/x"))
		t.fails(m.read("sts/fed"))
		t.hear(m.write("config/root", m.rootConfig(m.admin)))
		t.fails(m.write("config/rotate-root", nil))
		m.sim.ClearFaults()
	}
	t.wantNothingTold()
}

// TestSecretsOfAmbientSession: the server's own session token, with a secret key
// that does not fit: AWS then quotes the string it signed, with the token in it.
func TestSecretsOfAmbientSession(t *testing.T) {
	m := newMount(t, inProcess)
	trusting := m.sim.PutRole(m.admin.Account, "server", trust("arn:aws:iam::"+m.admin.Account+":root"), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	name := "server"
	out, err := sts.NewFromConfig(simtest.Config(m.endpoint, m.admin)).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &trusting, RoleSessionName: &name})
	m.must(err)
	for _, tc := range []struct{ name, secret string }{
		{"whose secret key fits", *out.Credentials.SecretAccessKey},
		{"whose secret key does not fit", "another+secret/key"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", *out.Credentials.AccessKeyId)
			t.Setenv("AWS_SECRET_ACCESS_KEY", tc.secret)
			t.Setenv("AWS_SESSION_TOKEN", *out.Credentials.SessionToken)
			said := newMountOn(m, t).telling()
			said.secrets.Add("the ambient session token", *out.Credentials.SessionToken)
			said.secrets.Add("the ambient secret key", tc.secret)
			said.hear(said.write("config/root", map[string]any{"region": "us-east-1", "iam_endpoint": m.endpoint, "sts_endpoint": m.endpoint, "max_retries": 0}))
			said.mustWrite("roles/x", plainUser())
			said.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			if got := said.hear(said.read("creds/x")); tc.secret == *out.Credentials.SecretAccessKey {
				said.issues("user", got)
			} else {
				said.wantError(got, http.StatusBadRequest, "SignatureDoesNotMatch")
			}
			said.fails(said.read("sts/fed"))
			said.fails(said.write("config/rotate-root", nil))
			said.wantNothingTold()
		})
	}
	_, err = m.iam().ListUsers(t.Context(), &iam.ListUsersInput{})
	m.must(err)
}

// newMountOn is another mount on the same AWS.
func newMountOn(other *mount, t *testing.T) *mount {
	m := *other
	m.TB, m.storage, m.log = t, &faultyStorage{Storage: &logical.InmemStorage{}}, &logBuffer{}
	m.reload()
	return &m
}

// TestSecretsOfWebIdentity: the identity token is a bearer secret. It is told
// nowhere, whatever becomes of its exchange.
func TestSecretsOfWebIdentity(t *testing.T) {
	m, tokens, roleARN := federated(t, inProcess)
	said := m.telling()
	said.secrets.Add("the identity token", identityToken)
	config := map[string]any{"identity_token_audience": "vault", "role_arn": roleARN, "region": "us-east-1", "iam_endpoint": m.endpoint, "sts_endpoint": m.endpoint, "max_retries": 0}
	said.hear(m.write("config/root", config))
	m.mustWrite("roles/x", plainUser())
	said.issues("user", m.read("creds/x"))
	for _, fault := range []awssim.Fault{
		{Kind: awssim.FaultReset},
		{Kind: awssim.FaultHTML},
		{Kind: awssim.FaultTruncate, When: awssim.AfterEffect},
		{Kind: awssim.FaultThrottle},
		{Kind: awssim.FaultError, Status: 400, Code: "InvalidIdentityToken", Message: "Couldn't retrieve verification key from your identity provider"},
		{Kind: awssim.FaultError, Status: 400, Code: "ExpiredTokenException", Message: "Token expired"},
	} {
		fault.Action = "sts:AssumeRoleWithWebIdentity"
		m.sim.Inject(fault)
		m.reload() // which forgets the credentials of before
		said.fails(m.read("creds/x"))
		m.sim.ClearFaults()
	}
	tokens.refusal = fmt.Errorf("no key")
	m.reload()
	said.fails(m.read("creds/x"))
	said.wantNothingTold()
}
