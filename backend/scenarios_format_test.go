package backend_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// inContainerFormat is the query that AWS's SDKs send.
func inContainerFormat() map[string]any { return map[string]any{"format": "container"} }

func formatScenarios() []scenario {
	return []scenario{
		{"format: every STS type answers as AWS's container endpoint does", formatOfTypes},
		{"format: an IAM user is refused before it is made", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.mustWrite("roles/legacy", map[string]any{"policy": ec2Policy})
			start := len(m.sim.Journal())
			m.wantError(m.read("creds/x", inContainerFormat()), http.StatusBadRequest, "format=container", `role "x" gives out IAM users`, "assumed_role")
			m.wantError(m.read("sts/x", inContainerFormat()), http.StatusBadRequest, "IAM users")
			m.wantError(m.read("creds/legacy", inContainerFormat()), http.StatusBadRequest, "IAM users")
			if calls := m.calls(start); len(calls) != 0 {
				m.Errorf("calls = %v", calls)
			}
			m.wantRaw(m.read("sts/legacy", inContainerFormat()), time.Hour)
		}},
		{"format: other values and writes are refused before AWS is asked", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
			start := len(m.sim.Journal())
			m.wantError(m.read("sts/x", map[string]any{"format": "json"}), http.StatusBadRequest, `format "json"`, "container")
			m.wantError(m.read("sts/x", map[string]any{"format": "Container"}), http.StatusBadRequest, `format "Container"`)
			m.wantError(m.write("sts/x", inContainerFormat()), http.StatusBadRequest, "GET")
			if calls := m.calls(start); len(calls) != 0 {
				m.Errorf("calls = %v", calls)
			}
			m.wantSession(m.mustRead("sts/x", map[string]any{"format": ""}), time.Hour)
		}},
		{"format: errors are Vault's own", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
			m.wantError(m.read("sts/nobody", inContainerFormat()), http.StatusBadRequest, `Role "nobody" not found`)
			m.sim.Inject(awssim.Fault{Action: "sts:*", Kind: awssim.FaultError, Status: http.StatusForbidden, Code: "AccessDenied"})
			m.wantError(m.read("sts/x", inContainerFormat()), http.StatusBadRequest, "AccessDenied")
		}},
		{"format: what AWS does not answer within the patience of SDKs is a 503", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
			m.sim.Inject(awssim.Fault{Action: "sts:*", Kind: awssim.FaultHang})
			m.wantError(m.read("sts/x", inContainerFormat()), http.StatusServiceUnavailable, "1.5s", "format=container", "sts:GetSessionToken")
		}},
		{"format: ttl is a parameter, and the mount's maximum cuts it", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
			m.wantRaw(m.read("sts/x", map[string]any{"format": "container", "ttl": "20m"}), 20*time.Minute)
			m.under(func(v *logical.StaticSystemView) { v.MaxLeaseTTLVal = 30 * time.Minute })
			m.wantRaw(m.read("sts/x", inContainerFormat()), 30*time.Minute)
		}},
	}
}

func formatOfTypes(m *mount) {
	arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	roles := map[string]map[string]any{
		"assumed_role": {"role_arns": arn}, "federation_token": {"policy_document": ec2Policy}, "session_token": {},
	}
	wantAccount := map[string]string{"assumed_role": m.admin.Account} // the others' answers do not say it
	for kind, role := range roles {
		role["credential_type"] = kind
		m.mustWrite("roles/"+kind, role)
		for _, path := range []string{"sts/", "creds/"} {
			if got := m.wantRaw(m.read(path+kind, inContainerFormat()), time.Hour); got.AccountID != wantAccount[kind] {
				m.Errorf("%s%s: AccountId = %q, want %q", path, kind, got.AccountID, wantAccount[kind])
			}
		}
	}
}

// rawCredentials is what SDKs decode of a container endpoint's answer.
type rawCredentials struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time
	AccountID       string `json:"AccountId"`
}

// wantRaw checks an answer in the container format: no lease, and credentials
// that work and end after ttl.
func (m *mount) wantRaw(got answer, ttl time.Duration) rawCredentials {
	m.Helper()
	if got.status != http.StatusOK || got.secret != nil {
		m.Fatalf("status = %d (%s), lease = %v; want 200 and none", got.status, got.error, got.secret)
	}
	body := rawBody(m, got)
	delete(got.data, logical.HTTPRawBody)
	want := map[string]any{"http_status_code": 200, "http_content_type": "application/json"}
	if diff := cmp.Diff(want, plain(m, got.data)); diff != "" {
		m.Error(diff)
	}
	var c rawCredentials
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		m.Fatalf("%v in %s", err, body)
	}
	if left := time.Until(c.Expiration); left > ttl || left < ttl-time.Minute {
		m.Errorf("Expiration in %s, want %s", left, ttl)
	}
	m.mustBeKnown(c)
	return c
}

// rawBody is the body as Vault's http package sends it: across the plugin
// boundary bytes become base64.
func rawBody(m *mount, got answer) string {
	m.Helper()
	switch body := got.data[logical.HTTPRawBody].(type) {
	case []byte:
		return string(body)
	case string:
		decoded, err := base64.StdEncoding.DecodeString(body)
		m.must(err)
		return string(decoded)
	}
	m.Fatalf("no raw body: %v", got.data)
	return ""
}

// mustBeKnown asks AWS who has these credentials.
func (m *mount) mustBeKnown(c rawCredentials) {
	m.Helper()
	client := sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: &m.endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.Token),
	})
	got, err := client.GetCallerIdentity(m.Context(), &sts.GetCallerIdentityInput{})
	m.must(err)
	if aws.ToString(got.Account) != m.admin.Account {
		m.Errorf("account = %q", aws.ToString(got.Account))
	}
}
