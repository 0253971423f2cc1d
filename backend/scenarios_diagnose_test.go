package backend_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
	"vault-plugin-secrets-aws/internal/leaks"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/vault/sdk/logical"
)

func diagnoseScenarios() []scenario {
	return []scenario{
		{"diagnose: without a config, with an unusable one, of no role", func(m *mount) {
			m.wantReport("config/root is not written", nil)
			m.wantError(m.read("diagnose", map[string]any{"role": "nobody"}), http.StatusBadRequest, `no role and no static role "nobody"`)
			m.put("config/root", map[string]any{"access_key": "AKIAX", "secret_key": "x", "username_template": "{{", "max_retries": -1})
			m.wantReport("no AWS client can be made", map[string]any{"assume": true}) // another question: the first answer is kept
		}},
		{"diagnose: of one role only", func(m *mount) {
			m.configured()
			m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "iam_groups": "gone"})
			m.mustWrite("roles/y", map[string]any{"credential_type": "iam_user", "iam_groups": "gone"})
			data := m.mustRead("diagnose", map[string]any{"role": "y"}).data
			if report := data["report"].(string); strings.Contains(report, "roles/x") || !strings.Contains(report, "roles/y") {
				m.Errorf("report:\n%s", report)
			}
		}},
		{"diagnose: changes nothing, and assumes only when told", diagnoseReads},
		{"diagnose: holds no secret", diagnoseSecrets},
		{"diagnose: ten thousand roles", func(m *mount) {
			m.configured()
			for i := range 10000 {
				m.put(fmt.Sprintf("role/r%05d", i), map[string]any{"credential_types": []string{"iam_user"}, "version": 1})
			}
			data := m.mustRead("diagnose").data
			if fmt.Sprint(data["roles_checked"], data["roles_not_checked"]) != "1000 9000" {
				m.Errorf("looked at %v, left %v", data["roles_checked"], data["roles_not_checked"])
			}
			m.wantReport("9000 roles", nil)
		}},
	}
}

func (m *mount) wantReport(words string, query map[string]any) {
	m.Helper()
	if report := m.mustRead("diagnose", query).data["report"].(string); !strings.Contains(report, words) {
		m.Errorf("want %q in\n%s", words, report)
	}
}

// reads are what diagnose may call.
func readOnlyCall(action string) bool {
	_, name, _ := strings.Cut(action, ":")
	for _, begin := range []string{"Get", "List", "Simulate"} {
		if strings.HasPrefix(name, begin) && name != "GetSessionToken" && name != "GetFederationToken" {
			return true
		}
	}
	return false
}

func diagnoseReads(m *mount) {
	m.configured()
	arn := m.sim.PutRole(m.admin.Account, "deploy", trust("arn:aws:iam::"+m.admin.Account+":root"), everything)
	m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
	m.mustWrite("roles/y", plainUser())
	m.mustWrite("roles/z", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	before := len(m.sim.Journal())
	m.mustRead("diagnose")
	for _, action := range m.calls(before) {
		if !readOnlyCall(action) {
			m.Errorf("diagnose calls %s", action)
		}
	}
	before = len(m.sim.Journal())
	m.mustRead("diagnose", map[string]any{"assume": true})
	assumed := 0
	for _, call := range m.sim.Journal()[before:] {
		if call.Action == "sts:AssumeRole" {
			assumed++
		} else if !readOnlyCall(call.Action) {
			m.Errorf("diagnose calls %s", call.Action)
		}
	}
	if assumed != 1 {
		m.Errorf("AssumeRole was called %d times", assumed)
	}
}

func diagnoseSecrets(m *mount) {
	key := m.sim.PutUser(m.admin.Account, "engine", everything)
	m.mustWrite("config/root", m.rootConfig(key))
	m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	m.mustWrite("static-roles/app", map[string]any{"username": "app", "rotation_period": "24h"})
	arn := m.sim.PutRole(m.admin.Account, "deploy", trust("arn:aws:iam::"+m.admin.Account+":root"), everything)
	m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
	secrets := leaks.Secrets{}
	secrets.Add("root key", key.SecretKey)
	secrets.Add("static key", m.staticSecret("app"))
	for _, role := range []string{"", "app"} { // the second finds a signature refused, whose text AWS fills with what was signed
		got := m.mustRead("diagnose", map[string]any{"assume": true, "role": role})
		m.sim.Inject(awssim.Fault{Action: "iam:GetUser", Kind: awssim.FaultError, Status: 403, Code: "SignatureDoesNotMatch"})
		text := fmt.Sprint(got.data, got.warnings, m.log)
		if found := secrets.In(text); len(found) > 0 {
			m.Errorf("the answer or the log has %v", found)
		}
		if strings.Contains(text, "FwoG") || strings.Contains(fmt.Sprint(got.data), "ASIA") {
			m.Error("a session's credentials are in the answer")
		}
	}
}

func (m *mount) staticSecret(name string) string {
	m.Helper()
	return m.mustRead("static-creds/" + name).data["secret_key"].(string)
}

// TestDiagnoseKept: one at a time, and an answer is given again for ten seconds.
func TestDiagnoseKept(t *testing.T) {
	clock := &skippingClock{}
	m := newMountWith(t, inProcess, backend.Options{Clock: clock}).configured()
	before := len(m.sim.Journal())
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() { m.read("diagnose") })
	}
	asking.Wait()
	once := len(m.calls(before))
	for _, step := range []struct {
		after time.Duration
		query map[string]any
		asks  bool
	}{{9 * time.Second, nil, false}, {0, map[string]any{"assume": true}, true}, {time.Second, nil, true}} {
		clock.advance(step.after)
		before := len(m.sim.Journal())
		m.read("diagnose", step.query)
		want := map[bool]int{true: once}[step.asks]
		if got := len(m.calls(before)); got != want {
			t.Errorf("after %s with %v: %d calls, want %d", step.after, step.query, got, want)
		}
	}
}

// TestDiagnoseTemporary: root credentials that are a session's.
func TestDiagnoseTemporary(t *testing.T) {
	m := newMount(t, inProcess)
	m.sim.PutRole(m.admin.Account, "server", trust("arn:aws:iam::"+m.admin.Account+":root"), everything)
	admin := sts.NewFromConfig(simtest.Config(m.endpoint, m.admin))
	name, session := "arn:aws:iam::"+m.admin.Account+":role/server", "node"
	out, err := admin.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &name, RoleSessionName: &session})
	m.must(err)
	t.Setenv("AWS_ACCESS_KEY_ID", *out.Credentials.AccessKeyId)
	t.Setenv("AWS_SECRET_ACCESS_KEY", *out.Credentials.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", *out.Credentials.SessionToken)
	m.mustWrite("config/root", map[string]any{"region": "us-east-1", "sts_endpoint": m.endpoint, "iam_endpoint": m.endpoint})
	arn := m.sim.PutRole(m.admin.Account, "deploy", trust(name), everything)
	m.mustWrite("roles/session", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "default_sts_ttl": "2h"})
	m.mustWrite("roles/token", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	data := m.mustRead("diagnose").data
	for _, words := range []string{"role chaining", "roles/token: the root credentials are temporary", "assumed role arn:aws:sts::", "credentials: environment, temporary"} {
		if !strings.Contains(data["report"].(string), words) {
			t.Errorf("want %q in\n%s", words, data["report"])
		}
	}
	if who := data["identity"].(map[string]any); who["chained"] != true || who["kind"] != "assumed role" {
		t.Errorf("identity = %v", who)
	}
	if strings.Contains(data["report"].(string), *out.Credentials.SecretAccessKey) {
		t.Error("the secret key is in the report")
	}
}

// TestDiagnoseNeedsSudo: like everything that shows more than a role's user needs.
func TestDiagnoseNeedsSudo(t *testing.T) {
	m := newMount(t, inProcess)
	special := strings.Join(m.backend.SpecialPaths().Root, " ")
	for _, path := range []string{"diagnose", "config/iam-policy"} {
		if !strings.Contains(special, path) {
			t.Errorf("%s does not need sudo", path)
		}
		if got := m.request(t.Context(), logical.UpdateOperation, path, nil); got.status != http.StatusMethodNotAllowed {
			t.Errorf("a write of %s: %d", path, got.status)
		}
	}
}
