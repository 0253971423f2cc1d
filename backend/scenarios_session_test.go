package backend_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/hashicorp/vault/sdk/logical"
)

const federationPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:*","sts:GetFederationToken"],"Resource":"*"}]}`

func sessionScenarios() []scenario {
	return []scenario{
		{"federation_token: answer and lease", federationLife},
		{"federation_token: without a policy it is a 400", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "federation_token"})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "policy_document", "policy_arns")
			m.mustWrite("roles/legacy", map[string]any{"arn": readOnlyPolicy})
			m.wantError(m.write("sts/legacy", map[string]any{"ttl": "60m"}), http.StatusBadRequest, "creds/legacy")
		}},
		{"federation_token: missing permission is AWS's text and a remedy", func(m *mount) {
			m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", ec2Policy)))
			m.mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "Error generating STS keys: AccessDenied: ", "sts:GetFederationToken")
		}},
		{"federation_token: policies of groups are folded in", federationGroups},
		{"federation_token: policies that AWS would refuse are refused before it is asked", federationLimits},
		{"assumed_role: answer and lease", assumeRoleLife},
		{"assumed_role: role_arn chooses one of several", assumeRoleChoice},
		{"assumed_role: without trust it is AWS's text and a remedy", func(m *mount) {
			arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::210987654321:root"), ec2Policy)
			m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "Error assuming role: AccessDenied: ", "sts:AssumeRole", "trust policy")
		}},
		{"assumed_role: session names are normalised and cut", assumeRoleName},
		{"session_token: answer, and MFA codes that are wrong", sessionTokenLife},
		{"session_token: with the code of the root user's MFA device", sessionTokenMFA},
		{"sessions: the TTL rules", sessionTTL},
		{"sessions: a legacy role goes by its path", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"policy": ec2Policy})
			if key := m.mustRead("creds/x").data["access_key"].(string); !strings.HasPrefix(key, "AKIA") {
				m.Errorf("creds: %s", key)
			}
			if key := m.mustRead("sts/x").data["access_key"].(string); !strings.HasPrefix(key, "ASIA") {
				m.Errorf("sts: %s", key)
			}
		}},
		{"sessions: the first one takes one call", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.reload()
			start := len(m.sim.Journal())
			m.mustRead("sts/x")
			if calls := m.calls(start); len(calls) != 1 {
				m.Errorf("calls = %v", calls)
			}
		}},
		{"sessions: creds and sts are the same for a current role", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.mustRead("sts/x")
			m.write("sts/x", nil)
			m.wantUsers(2)
		}},
	}
}

func trust(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}

// wantSession checks what every session answers.
func (m *mount) wantSession(got answer, ttl time.Duration) {
	m.Helper()
	if key, _ := got.data["access_key"].(string); !strings.HasPrefix(key, "ASIA") {
		m.Errorf("access_key = %v", got.data["access_key"])
	}
	if token, _ := got.data["session_token"].(string); token == "" || got.data["security_token"] != token {
		m.Errorf("session_token, security_token = %q, %v", token, got.data["security_token"])
	}
	left := got.secret.TTL
	if left > ttl || left < ttl-time.Minute || got.secret.Renewable {
		m.Errorf("lease = %v, renewable %v; want about %v, false", left, got.secret.Renewable, ttl)
	}
	if seconds := plain(m, got.data)["ttl"]; seconds != int(left.Seconds()) {
		m.Errorf("ttl = %v, lease %v", seconds, left)
	}
	end, err := time.Parse(time.RFC3339, got.data["expiration"].(string))
	if err != nil || time.Until(end) > ttl || time.Until(end) < ttl-time.Minute {
		m.Errorf("expiration = %v, %v", got.data["expiration"], err)
	}
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke: %v", err)
	}
	if resp, err := m.renew(got.secret); resp != nil || err != nil {
		m.Errorf("renew = %v, %v; want nothing", resp, err)
	}
}

func federationLife(m *mount) {
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", federationPolicy)))
	m.mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.wantSession(m.write("sts/x", map[string]any{"ttl": "60m"}), time.Hour)
	for _, call := range m.sim.Journal() {
		if call.Action == "sts:GetFederationToken" && len(call.Target) > 32 {
			m.Errorf("name %q is longer than 32", call.Target)
		}
	}
}

func federationGroups(m *mount) {
	m.configured().sim.PutGroup(m.admin.Account, "devs", ec2Policy)
	m.sim.PutGroup(m.admin.Account, "ops", denyPolicy)
	m.sim.Configure(func(s *awssim.Settings) { s.PageSize = 1 })
	m.mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "iam_groups": "devs,ops"})
	m.wantSession(m.mustRead("sts/x"), time.Hour)
	m.mustWrite("roles/x", map[string]any{"iam_groups": "nobody"})
	m.wantError(m.read("sts/x"), http.StatusBadRequest, "NoSuchEntity", "nobody")
}

func federationLimits(m *mount) {
	m.configured().mustWrite("roles/long", map[string]any{"credential_type": "federation_token", "policy_document": `{"Version":"2012-10-17","Statement":[{"Sid":"` + strings.Repeat("a", 2000) + `","Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`})
	var arns []any
	for i := range 11 {
		arns = append(arns, fmt.Sprintf("arn:aws:iam::123456789012:policy/p%d", i))
	}
	m.mustWrite("roles/many", map[string]any{"credential_type": "federation_token", "policy_arns": arns})
	start := len(m.sim.Journal())
	m.wantError(m.read("sts/long"), http.StatusBadRequest, "2048", "policy_document")
	m.wantError(m.read("sts/many"), http.StatusBadRequest, "11 managed policies", "10")
	if calls := m.calls(start); len(calls) != 0 {
		m.Errorf("calls = %v", calls)
	}
}

func assumeRoleLife(m *mount) {
	arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	m.mustWrite("roles/x", map[string]any{"arn": arn})
	got := m.write("sts/x", map[string]any{"ttl": "60m"})
	m.wantSession(got, time.Hour)
	if session, _ := got.data["arn"].(string); !strings.Contains(session, ":assumed-role/r/vault-token-tester-x-") {
		m.Errorf("arn = %q", session)
	}
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "sts/x")
}

func assumeRoleChoice(m *mount) {
	account := m.configured().admin.Account
	a := m.sim.PutRole(account, "a", trust("arn:aws:iam::"+account+":root"), ec2Policy)
	b := m.sim.PutRole(account, "b", trust("arn:aws:iam::"+account+":root"), ec2Policy)
	m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": a + "," + b})
	m.wantError(m.read("sts/x"), http.StatusBadRequest, "did not supply a role_arn", "2 role_arns")
	m.wantError(m.read("sts/x", map[string]any{"role_arn": "arn:aws:iam::1:role/c"}), http.StatusBadRequest, "role_arn", "not in allowed")
	got := m.mustRead("sts/x", map[string]any{"role_arn": b})
	if session, _ := got.data["arn"].(string); !strings.Contains(session, "assumed-role/b/") {
		m.Errorf("arn = %q", session)
	}
}

func assumeRoleName(m *mount) {
	arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
	got := m.mustRead("sts/x", map[string]any{"role_session_name": "a b/" + strings.Repeat("c", 80)})
	if session, _ := got.data["arn"].(string); !strings.HasSuffix(session, "/a_b_"+strings.Repeat("c", 60)) {
		m.Errorf("arn = %q", session)
	}
	m.wantError(m.read("sts/x", map[string]any{"role_session_name": "a"}), http.StatusBadRequest, "role_session_name")
}

func sessionTokenLife(m *mount) {
	m.configured().mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
	m.wantSession(m.mustRead("creds/x"), time.Hour)
	m.wantError(m.read("creds/x", map[string]any{"mfa_code": "123456"}), http.StatusBadRequest, "mfa_code", "mfa_serial_number")
	m.mustWrite("roles/x", map[string]any{"mfa_serial_number": "arn:aws:iam::" + m.admin.Account + ":mfa/none"})
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "mfa_code is required")
	m.wantError(m.read("creds/x", map[string]any{"mfa_code": "123456"}), http.StatusBadRequest, "Error generating STS keys: AccessDenied")
}

func sessionTokenMFA(m *mount) {
	made, err := m.configured().iam().CreateVirtualMFADevice(m.Context(), &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("engine")})
	m.must(err)
	serial, seed := made.VirtualMFADevice.SerialNumber, string(made.VirtualMFADevice.Base32StringSeed)
	code := func(steps int) string {
		code, err := awssim.TOTP(seed, m.sim.Now().Add(time.Duration(steps)*30*time.Second))
		m.must(err)
		return code
	}
	_, err = m.iam().EnableMFADevice(m.Context(), &iam.EnableMFADeviceInput{
		UserName: &m.admin.UserName, SerialNumber: serial, AuthenticationCode1: aws.String(code(-1)), AuthenticationCode2: aws.String(code(0)),
	})
	m.must(err)
	m.mustWrite("roles/x", map[string]any{"credential_type": "session_token", "mfa_serial_number": *serial})
	m.wantSession(m.mustRead("creds/x", map[string]any{"mfa_code": code(1)}), time.Hour)
}

func sessionTTL(m *mount) {
	m.configured().mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy, "default_sts_ttl": "20m", "max_sts_ttl": "2h"})
	m.wantSession(m.mustRead("sts/x"), 20*time.Minute)
	m.wantSession(m.mustRead("sts/x", map[string]any{"ttl": ""}), 20*time.Minute)
	m.wantSession(m.mustRead("sts/x", map[string]any{"ttl": "3600"}), time.Hour)
	long := m.mustRead("sts/x", map[string]any{"ttl": "3h"})
	m.wantSession(long, 2*time.Hour)
	m.wantWarning(long.warnings, "ttl 3h0m0s is cut to 2h0m0s", "max_sts_ttl")
	m.wantError(m.read("sts/x", map[string]any{"ttl": "14m"}), http.StatusBadRequest, "ttl 14m0s", "15m0s to 36h0m0s")
	m.wantError(m.read("sts/x", map[string]any{"ttl": 0}), http.StatusBadRequest, "ttl 0s", "15m0s")
	m.wantError(m.read("sts/x", map[string]any{"ttl": "soon"}), http.StatusBadRequest, "ttl")
	m.mustWrite("roles/x", map[string]any{"default_sts_ttl": 0, "max_sts_ttl": "30m"})
	unasked := m.mustRead("sts/x")
	m.wantSession(unasked, 30*time.Minute)
	if len(unasked.warnings) > 0 {
		m.Errorf("warnings of a TTL that nobody asked for: %q", unasked.warnings)
	}
	m.mustWrite("roles/x", map[string]any{"max_sts_ttl": 0})
	m.wantError(m.read("sts/x", map[string]any{"ttl": "37h"}), http.StatusBadRequest, "ttl 37h0m0s")
	m.under(func(v *logical.StaticSystemView) { v.MaxLeaseTTLVal = 30 * time.Minute })
	cut := m.mustRead("sts/x", map[string]any{"ttl": "1h"})
	m.wantSession(cut, 30*time.Minute)
	m.wantWarning(cut.warnings, "mount's maximum")
}
