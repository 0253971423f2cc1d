package backend_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// healthy is a mount of every kind of role, whose root user has the policy that
// is printed for it, with what diagnose looks at.
func healthy(t *testing.T) *permitted {
	return newPermitted(t, configuration{name: "healthy", write: func(m *permitted) {
		account := m.local("root")
		m.sim.PutPolicy(m.admin.Account, "bound", everything)
		m.sim.PutPolicy(m.admin.Account, "app", ec2Policy)
		m.sim.PutGroup(m.admin.Account, "devs", ec2Policy)
		m.sim.PutUser(m.admin.Account, "app", ec2Policy)
		tagged := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"e1"}}}]}`
		m.sim.PutRole(m.admin.Account, "deploy", tagged, ec2Policy)
		m.mustWrite("roles/user", map[string]any{
			"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": m.local("policy/app"), "iam_groups": "devs",
			"iam_tags": "a=b", "permissions_boundary_arn": m.local("policy/bound"),
		})
		m.mustWrite("roles/session", map[string]any{
			"credential_type": "assumed_role", "role_arns": m.local("role/deploy"), "iam_groups": "devs", "session_tags": "a=b", "external_id": "e1",
		})
		m.mustWrite("roles/token", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
		m.mustWrite("static-roles/app", map[string]any{"username": "app", "rotation_period": "24h", "grace": "1h"})
		m.lessened("")
	}})
}

// lessened gives the root user the policy that is printed, without one action.
func (m *permitted) lessened(action string) {
	m.Helper()
	text := m.mustRead("config/iam-policy", map[string]any{"diagnose": true}).data["policy"].(string)
	if action != "" && !strings.Contains(text, `"`+action+`"`) {
		m.Fatalf("%s is not in %s", action, text)
	}
	m.allow(strings.ReplaceAll(text, `"`+action+`"`, `"none:None"`))
}

// found is one finding or unchecked thing as it is answered.
type found struct{ severity, subject, problem, remedy string }

// diagnosed reads diagnose.
func (m *permitted) diagnosed(query map[string]any) (all []found, data map[string]any) {
	m.Helper()
	data = m.mustRead("diagnose", query).data
	for _, f := range data["findings"].([]map[string]any) {
		all = append(all, found{f["severity"].(string), f["subject"].(string), f["problem"].(string), f["remedy"].(string)})
		if f["remedy"] == "" || f["check"] == "" {
			m.Errorf("finding without remedy or check: %v", f)
		}
	}
	for _, u := range data["not_checked"].([]map[string]any) {
		all = append(all, found{"not checked", u["subject"].(string), u["reason"].(string), ""})
	}
	return all, data
}

// fault is something that is wrong, and what must be said of it.
type plantedFault struct {
	name  string
	plant func(m *permitted)
	query map[string]any
	want  found // of each field a part
}

func missing(action, feature string) plantedFault {
	return plantedFault{"missing " + action + " for " + feature, func(m *permitted) { m.lessened(action) }, nil, found{"error", "config/root", action + " is missing for " + feature, "allow " + action}}
}

// storedRole writes a role past the rules of requests, as an older version or
// the built-in engine may have stored it.
func storedRole(fields map[string]any) func(m *permitted) {
	return func(m *permitted) { m.put("role/odd", fields) }
}

// regranted is write, after which the root user is given what is then printed.
func regranted(path string, fields map[string]any) func(m *permitted) {
	return func(m *permitted) {
		m.mustWrite(path, fields)
		m.lessened("")
	}
}

func write(path string, fields map[string]any) func(m *permitted) {
	return func(m *permitted) { m.mustWrite(path, fields) }
}

func plantedFaults() []plantedFault {
	local := "arn:aws:iam::123456789012:"
	endpoint := "http://127.0.0.1:1"
	return []plantedFault{
		{"no config, no credentials", func(m *permitted) { m.must(m.storage.Delete(m.Context(), "config/root")) }, nil, found{"error", "config/root", "the server's environment offers no AWS credentials", "Write access_key"}},
		{"config/root is not written", func(m *permitted) { m.must(m.storage.Delete(m.Context(), "config/root")) }, nil, found{"warning", "config/root", "is not written", "write config/root"}},
		{"unknown access key", write("config/root", map[string]any{"access_key": "AKIAABSENTABSENTABSE", "secret_key": "x"}), nil, found{"error", "config/root", "InvalidClientTokenId", "access key in config/root exists"}},
		{"wrong secret key", func(m *permitted) {
			m.mustWrite("config/root", map[string]any{"access_key": m.rootKey(), "secret_key": "wrong"})
		}, nil, found{"error", "config/root", "SignatureDoesNotMatch", "one pair"}},
		{"deactivated key", func(m *permitted) { m.interfere("engine", awssim.ActDeactivateKey, m.rootKey()) }, nil, found{"error", "config/root", "do not work", "is active"}},
		{"temporary key in config/root", write("config/root", map[string]any{"access_key": "ASIAABSENTABSENTABSE", "secret_key": "x"}), nil, found{"error", "config/root", "temporary", "IAM user's key"}},
		{"the account's root user", func(m *permitted) { m.mustWrite("config/root", m.rootConfig(m.sim.RootKey(m.admin.Account))) }, nil, found{"error", "config/root", "root user, whom no policy limits", "IAM user"}},
		{"clock ahead", func(m *permitted) { m.clock.advance(3 * time.Minute) }, nil, found{"warning", "clock", "ahead of AWS's", "NTP"}},
		{"clock far behind", func(m *permitted) { m.sim.Advance(20 * time.Minute) }, nil, found{"error", "clock", "behind AWS's", "NTP"}},
		{"STS does not answer", write("config/root", map[string]any{"sts_endpoint": endpoint}), nil, found{"error", "sts 127.0.0.1:1", "no answer", "URL and region"}},
		{"IAM does not answer", write("config/root", map[string]any{"iam_endpoint": endpoint}), nil, found{"error", "iam 127.0.0.1:1", "no answer", "URL and region"}},
		{"a fallback does not answer", write("config/root", map[string]any{"sts_fallback_endpoints": endpoint, "sts_fallback_regions": "us-east-1"}), nil, found{"warning", "sts 127.0.0.1:1", "no answer", "URL and region"}},
		{"an endpoint in the clear", func(m *permitted) {
			m.mustWrite("config/root", map[string]any{"sts_fallback_endpoints": "http://sts.invalid", "sts_fallback_regions": "us-east-1"})
		}, nil, found{"warning", "config/root", "not encrypted", "https"}},
		{"a region of nobody", write("config/root", map[string]any{"sts_region": "mars-north-1"}), nil, found{"warning", "config/root", "no region of AWS", "check it"}},
		{"an old root key", func(m *permitted) { m.both(100 * 24 * time.Hour) }, nil, found{"warning", "config/root", "100 days old", "rotate-root"}},
		{"a second root key", func(m *permitted) { m.interfere("engine", awssim.ActAddKey, "") }, nil, found{"warning", "config/root", "another access key", "delete AKIA"}},
		{"a failed rotation", func(m *permitted) {
			m.put("journal/root-rotation", map[string]any{"since": time.Now(), "last_error": "AccessDenied: it was refused"})
		}, nil, found{"error", "config/root", "it was refused", "rotate-root"}},
		{"names that collide", write("config/root", map[string]any{"username_template": "app-{{unix_time}}"}), nil, found{"warning", "config/root", "randomness", "username_template"}},
		{"a template of another version", func(m *permitted) { m.changeStored("config/root", "username_template", "{{nothing}}") }, nil, found{"error", "config/root", "makes no names", "empty one for the default"}},
		{"a mount that is drained", write("tidy", map[string]any{"drain": true}), nil, found{"warning", "tidy", "drained", "drain=false"}},

		missing("iam:CreateUser", "iam_user roles"),
		missing("iam:AttachUserPolicy", "iam_user roles"),
		missing("iam:PutUserPolicy", "iam_user roles"),
		missing("iam:DeleteUser", "iam_user roles"),
		missing("iam:ListUserPolicies", "iam_user roles"),
		missing("iam:AddUserToGroup", "iam_groups of iam_user roles"),
		missing("iam:TagUser", "tags of users"),
		missing("sts:AssumeRole", "assumed_role roles"),
		missing("sts:TagSession", "session_tags"),
		missing("iam:GetGroupPolicy", "iam_groups of session roles"),
		missing("sts:GetFederationToken", "federation_token roles"),
		missing("iam:GetUser", "static roles"),
		missing("iam:UpdateAccessKey", "grace of static roles"),
		missing("iam:DeleteAccessKey", "config/rotate-root"),
		{"missing for tidy", func(m *permitted) { m.mustWrite("config/root", map[string]any{"iam_owner_tags": true}) }, nil, found{"error", "config/root", "iam:ListUsers is missing for tidy", "allow iam:ListUsers"}},
		{"a deny", func(m *permitted) {
			m.interfere("engine", awssim.ActPutPolicy, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:CreateUser","Resource":"*"}]}`)
		}, nil, found{"error", "config/root", "iam:CreateUser is missing for iam_user roles: a policy denies it", "allow iam:CreateUser"}},
		{"no simulator", func(m *permitted) { m.lessened("iam:SimulatePrincipalPolicy") }, nil, found{"not checked", "config/root", "iam:SimulatePrincipalPolicy is not allowed", ""}},

		{"a policy that does not exist", regranted("roles/user", map[string]any{"policy_arns": local + "policy/gone"}), nil, found{"error", "roles/user", "there is no such policy", "correct the ARN"}},
		{"a policy of another account", write("roles/user", map[string]any{"policy_arns": "arn:aws:iam::210987654321:policy/app"}), nil, found{"error", "roles/user", "another account", "123456789012"}},
		{"a policy for services", write("roles/user", map[string]any{"policy_arns": "arn:aws:iam::aws:policy/aws-service-role/X"}), nil, found{"error", "roles/user", "service-linked", "take it out"}},
		{"a boundary that does not exist", regranted("roles/user", map[string]any{"permissions_boundary_arn": local + "policy/gone"}), nil, found{"error", "roles/user", "permissions_boundary_arn holds", "correct the ARN"}},
		{"a group that does not exist", regranted("roles/user", map[string]any{"iam_groups": "gone"}), nil, found{"error", "roles/user", `no IAM group "gone"`, "iam_groups"}},
		{"a session's group that does not exist", regranted("roles/session", map[string]any{"iam_groups": "gone"}), nil, found{"error", "roles/session", `no IAM group "gone"`, "iam_groups"}},
		{"an ARN of another partition", write("roles/session", map[string]any{"role_arns": "arn:aws-cn:iam::123456789012:role/deploy"}), nil, found{"error", "roles/session", "partition aws", "another region"}},
		{"an ARN of another kind", write("roles/session", map[string]any{"role_arns": local + "user/deploy"}), nil, found{"error", "roles/session", "not the ARN of an IAM role", "role/<name>"}},
		{"an IAM role that does not exist", regranted("roles/session", map[string]any{"role_arns": local + "role/gone"}), nil, found{"error", "roles/session", "does not exist", "create the IAM role"}},
		{"an IAM role under another path", func(m *permitted) {
			m.mustWrite("roles/session", map[string]any{"role_arns": local + "role/x/deploy"})
			m.allow(everything)
		}, nil, found{"error", "roles/session", "does not exist", "role/deploy"}},
		{"a trust policy without us", func(m *permitted) {
			m.sim.PutRole(m.admin.Account, "deploy", trust(m.local("user/app")), ec2Policy)
		}, nil, found{"error", "roles/session", "user/engine assume it", "trust policy"}},
		{"a trust policy without tags", func(m *permitted) { m.sim.PutRole(m.admin.Account, "deploy", trust(m.local("root")), ec2Policy) }, nil, found{"error", "roles/session", "tag sessions", "sts:TagSession"}},
		{"a trust policy without source identities", write("roles/session", map[string]any{"source_identity_template": "by-{{.PolicyName}}"}), nil, found{"error", "roles/session", "set a source identity", "sts:SetSourceIdentity"}},
		{"another external id", write("roles/session", map[string]any{"external_id": "e2"}), nil, found{"error", "roles/session", "another external_id", "external_id"}},
		{"a trust policy with conditions", func(m *permitted) {
			m.sim.PutRole(m.admin.Account, "deploy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+m.local("root")+`"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`, ec2Policy)
		}, nil, found{"not checked", "roles/session", "assume=true", ""}},
		{"a role of another account, not proven", write("roles/session", map[string]any{"role_arns": "arn:aws:iam::210987654321:role/x"}), nil, found{"not checked", "roles/session", "assume=true", ""}},
		{"a role of another account, proven", write("roles/session", map[string]any{"role_arns": "arn:aws:iam::210987654321:role/x"}), map[string]any{"assume": true}, found{"error", "roles/session", "cannot be assumed", "trust policy"}},
		{"a trust policy that lets nobody in, proven", func(m *permitted) {
			m.sim.PutRole(m.admin.Account, "deploy", trust(m.local("user/app")), ec2Policy)
		}, map[string]any{"assume": true}, found{"error", "roles/session", "cannot be assumed", "trust policy"}},
		{"longer than the IAM role's sessions", write("roles/session", map[string]any{"default_sts_ttl": "2h"}), nil, found{"error", "roles/session", "gives 1h0m0s", "maximum session duration"}},
		{"may be longer than the IAM role's sessions", write("roles/session", map[string]any{"max_sts_ttl": "2h"}), nil, found{"warning", "roles/session", "gives 1h0m0s", "maximum session duration"}},
		{"shorter than AWS's sessions", write("roles/token", map[string]any{"default_sts_ttl": "5m"}), nil, found{"error", "roles/token", "less than AWS gives", "15m"}},
		{"longer than AWS's sessions", write("roles/session", map[string]any{"default_sts_ttl": "13h"}), nil, found{"error", "roles/session", "more than AWS gives", "12h"}},
		{"longer than the mount's leases", func(m *permitted) {
			m.under(func(v *logical.StaticSystemView) { v.MaxLeaseTTLVal = 30 * time.Minute })
			m.mustWrite("roles/token", map[string]any{"default_sts_ttl": "1h"})
		}, nil, found{"warning", "roles/token", "maximum lease TTL", "tune"}},
		{"a session policy that is too long with its groups'", func(m *permitted) {
			m.sim.PutGroup(m.admin.Account, "devs", longPolicy(1500))
			m.mustWrite("roles/session", map[string]any{"policy_document": longPolicy(1500)})
		}, nil, found{"error", "roles/session", "AWS takes 2048", "shorten"}},
		{"a session policy that is too long", write("roles/token", map[string]any{"policy_document": longPolicy(2100)}), nil, found{"warning", "roles/token", "AWS takes 2048", "correct the role"}},
		{"too many policies of a session", write("roles/token", map[string]any{"policy_arns": manyPolicies(11)}), nil, found{"error", "roles/token", "takes 10 for a session", "together"}},
		{"too many policies of a user", write("roles/user", map[string]any{"policy_arns": manyPolicies(11)}), nil, found{"warning", "roles/user", "unless the quota was raised", "together"}},
		{"nothing to issue", write("roles/token", map[string]any{"policy_document": ""}), nil, found{"warning", "roles/token", "no federation token", "correct the role"}},
		{"a policy that AWS refuses", write("roles/user", map[string]any{"policy_document": `{"Version":"2012-10-17","Statement":[{"Action":"*"}]}`}), nil, found{"warning", "roles/user", "has no Effect", "correct the role"}},
		{"tags of AWS's own", write("roles/session", map[string]any{"session_tags": "aws:x=y"}), nil, found{"error", "roles/session", "to itself", "another key"}},
		{"a group that is none", write("roles/user", map[string]any{"iam_groups": "dev ops"}), nil, found{"error", "roles/user", "no name of a group", "write names"}},
		{"an external id that is none", write("roles/session", map[string]any{"external_id": "a b"}), nil, found{"error", "roles/session", "external_id is not", "letters"}},
		{"a role outside of the limits", func(m *permitted) {
			m.mustWrite("config/root", map[string]any{"required_permissions_boundary_arn": local + "policy/other"})
		}, nil, found{"error", "roles/user", "required_permissions_boundary_arn", "correct the role"}},
		{"a role of a type that is none", storedRole(map[string]any{"credential_types": []string{"wizard"}}), nil, found{"error", "roles/odd", "credential_type", "correct the role"}},
		{"a role that nobody can read", storedRole(map[string]any{"invalid_data": "rubbish"}), nil, found{"error", "roles/odd", "nobody can read", "credential_type"}},

		{"a static role's user is gone", func(m *permitted) { m.interfere("app", awssim.ActDelete, "") }, nil, found{"error", "static-roles/app", "no IAM user", "create the user"}},
		{"a static role's user was made anew", func(m *permitted) {
			m.interfere("app", awssim.ActDelete, "")
			m.sim.PutUser(m.admin.Account, "app", ec2Policy)
		}, nil, found{"error", "static-roles/app", "made anew", "write it again"}},
		{"a static role's key was deleted", func(m *permitted) {
			m.interfere("app", awssim.ActDeleteKey, m.mustRead("static-creds/app").data["access_key"].(string))
		}, nil, found{"error", "static-roles/app", "does not exist or is inactive", "rotate-role"}},
		{"a static role's rotation failed", func(m *permitted) { m.changeStored("static-creds/app", "last_rotation_error", "AccessDenied: no") }, nil, found{"error", "static-roles/app", "AccessDenied: no", "rotate-role"}},
		{"a static role's rotation is overdue", func(m *permitted) { m.changeStored("static-creds/app", "expiration", time.Now().Add(-26*time.Hour)) }, nil, found{"error", "static-roles/app", "overdue", "rotate-role"}},
		{"a static role's user may not be looked at", func(m *permitted) {
			m.lessened("iam:SimulatePrincipalPolicy")
			m.allowed("iam:GetUser")
		}, nil, found{"error", "static-roles/app", "iam:GetUser is missing for static roles", "Allow iam:GetUser"}},
		{"users that AWS does not let go", func(m *permitted) {
			lease := m.mustRead("creds/user")
			m.lessened("iam:DeleteUser")
			_ = m.revoke(lease.secret)
		}, nil, found{"warning", "users", "still in AWS", "users/<name>"}},
	}
}

// TestDiagnoseHealthy: there is nothing to say of a mount that is in order.
func TestDiagnoseHealthy(t *testing.T) {
	for name, query := range map[string]map[string]any{"reading": nil, "assuming": {"assume": true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := healthy(t)
			all, data := m.diagnosed(query)
			if len(all) > 0 {
				t.Errorf("findings: %+v", all)
			}
			who := data["identity"].(map[string]any)
			want := map[string]any{
				"account": m.admin.Account, "arn": m.local("user/engine"), "partition": "aws", "kind": "IAM user", "credential_source": "config/root",
				"temporary": false, "chained": false, "access_key": m.rootKey(), "access_key_age_days": 0, "access_key_created": who["access_key_created"],
			}
			if diff := cmp.Diff(want, who); diff != "" {
				t.Errorf("identity (-want +got):\n%s", diff)
			}
			for _, e := range data["endpoints"].([]map[string]any) {
				if e["reached"] != true {
					t.Errorf("endpoint %v", e)
				}
			}
		})
	}
}

// TestDiagnoseFaults: each fault is found, and the remedy named.
func TestDiagnoseFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range plantedFaults() {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := healthy(t)
			tc.plant(m)
			all, data := m.diagnosed(tc.query)
			for _, f := range all {
				if f.severity == tc.want.severity && strings.Contains(f.subject, tc.want.subject) &&
					strings.Contains(f.problem, tc.want.problem) && strings.Contains(f.remedy, tc.want.remedy) {
					return
				}
			}
			t.Errorf("want %+v; found:\n%s", tc.want, data["report"])
		})
	}
}

func (m *permitted) interfere(user string, act awssim.Act, value string) {
	m.Helper()
	_, err := m.sim.Interfere(awssim.Interference{User: user, Act: act, Value: value})
	m.must(err)
}

// both moves the clocks of mount and AWS; signatures are by the machine's, so
// they are no longer looked at.
func (m *permitted) both(d time.Duration) {
	m.sim.Configure(func(s *awssim.Settings) { s.MaxSkew = 2 * d })
	m.sim.Advance(d)
	m.clock.advance(d)
}

// changeStored changes a field of a stored record.
func (m *permitted) changeStored(key, field string, value any) {
	m.Helper()
	record := m.stored(key)
	record[field] = value
	m.put(key, record)
}

// allowed takes an action out of the policy that is in force.
func (m *permitted) allowed(without string) {
	m.Helper()
	text := m.mustRead("config/iam-policy", map[string]any{"diagnose": true}).data["policy"].(string)
	m.allow(strings.NewReplacer(`"iam:SimulatePrincipalPolicy"`, `"none:A"`, `"`+without+`"`, `"none:B"`).Replace(text))
}

func longPolicy(size int) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"` + "arn:aws:s3:::" + strings.Repeat("x", size) + `"}]}`
}

func manyPolicies(n int) (arns []string) {
	for i := range n {
		arns = append(arns, fmt.Sprintf("arn:aws:iam::123456789012:policy/p%d", i))
	}
	return arns
}
