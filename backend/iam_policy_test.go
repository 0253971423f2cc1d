package backend_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// printedPolicy is the answer of config/iam-policy, taken apart.
type printedPolicy struct {
	Version   string
	Statement []printedStatement
}

type printedStatement struct {
	Effect           string
	Action, Resource []string
	Condition        map[string]map[string][]string `json:",omitempty"`
}

func (p printedPolicy) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// without is the policy with one action taken out of one statement.
func (p printedPolicy) without(statement int, action string) printedPolicy {
	out := printedPolicy{Version: p.Version}
	for i, s := range p.Statement {
		if i == statement {
			s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
		}
		if len(s.Action) > 0 {
			out.Statement = append(out.Statement, s)
		}
	}
	return out
}

// configuration is what a mount has, and what its root credentials must be able
// to do with the policy that is printed for it.
type configuration struct {
	name  string
	write func(m *permitted)
	does  []deed
}

// deed is one operation; its error says what failed.
type deed struct {
	name string
	do   func(m *permitted) error
}

// permitted is a mount whose root user has one managed policy.
type permitted struct {
	*mount
	clock *skippingClock
}

const (
	nothingAtAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:*","Resource":"*"}]}`
	everything   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

func newPermitted(t *testing.T, c configuration) *permitted {
	clock := &skippingClock{}
	m := &permitted{newMountWith(t, inProcess, backend.Options{Version: "v0.0.1", Clock: clock}), clock}
	key := m.sim.PutUser(m.admin.Account, "engine", nothingAtAll)
	m.allow(everything)
	if _, err := m.sim.Interfere(awssim.Interference{User: "engine", Act: awssim.ActAttachPolicy, Value: m.local("policy/engine")}); err != nil {
		t.Fatal(err)
	}
	m.mustWrite("config/root", m.rootConfig(key))
	c.write(m)
	return m
}

func (m *permitted) local(resource string) string {
	return "arn:aws:iam::" + m.admin.Account + ":" + resource
}

func (m *permitted) allow(document string) { m.sim.PutPolicy(m.admin.Account, "engine", document) }

// printed reads config/iam-policy.
func (m *permitted) printed() (p printedPolicy) {
	m.Helper()
	text := m.mustRead("config/iam-policy").data["policy"].(string)
	m.must(json.Unmarshal([]byte(text), &p))
	return p
}

// failures are the deeds that fail under a policy, by name.
func (m *permitted) failures(c configuration, p printedPolicy) (failed []string) {
	m.allow(p.String())
	for _, d := range c.does {
		if err := d.do(m); err != nil {
			failed = append(failed, d.name+": "+err.Error())
		}
	}
	return failed
}

// failed is the error of a refused request, or of one that warns.
func failed(got answer) error {
	if got.status >= http.StatusBadRequest || len(got.warnings) > 0 {
		return fmt.Errorf("%d %s %q", got.status, got.error, got.warnings)
	}
	return nil
}

// issue issues a credential and revokes it if it can be.
func issue(path string, query map[string]any, meanwhile ...func(m *permitted, user string) error) deed {
	return deed{path, func(m *permitted) error {
		got := m.read(path, query)
		if err := failed(got); err != nil || !strings.HasPrefix(path, "creds/") {
			return err
		}
		user, _ := got.secret.InternalData["username"].(string)
		for _, act := range meanwhile {
			if err := act(m, user); err != nil {
				return err
			}
		}
		return m.revoke(got.secret)
	}}
}

// tampered is what others hang on a user.
func tampered(m *permitted, user string) error {
	for _, act := range []awssim.Interference{
		{User: user, Act: awssim.ActPutPolicy, Value: ec2Policy},
		{User: user, Act: awssim.ActAttachPolicy, Value: "arn:aws:iam::aws:policy/ReadOnlyAccess"},
		{User: user, Act: awssim.ActAddKey},
	} {
		if _, err := m.sim.Interfere(act); err != nil {
			return err
		}
	}
	return nil
}

func joinedBy(group string) func(m *permitted, user string) error {
	return func(m *permitted, user string) error {
		client := iam.NewFromConfig(simtest.Config(m.endpoint, m.admin))
		_, err := client.AddUserToGroup(m.Context(), &iam.AddUserToGroupInput{UserName: &user, GroupName: &group})
		return err
	}
}

// interrupted is a request whose CreateUser had its effect and lost its answer;
// the user has to go by roll-back.
var interrupted = deed{"roll-back", func(m *permitted) error {
	m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", When: awssim.AfterEffect, Kind: awssim.FaultReset})
	m.read("creds/x")
	m.sim.ClearFaults()
	m.ageJournal(time.Hour)
	m.tick()
	if left := m.journal(); len(left) > 0 {
		return fmt.Errorf("journal %v", left)
	}
	return nil
}}

var rotateRootDeed = deed{"config/rotate-root", func(m *permitted) error {
	err := failed(m.rotate())
	m.clock.advance(time.Second)
	return err
}}

// takeOverDeed takes a user over, rotates its key and lets it go.
var takeOverDeed = deed{"static roles", func(m *permitted) error {
	m.delete("static-roles/app")
	if err := failed(m.write("static-roles/app", map[string]any{"username": "app", "rotation_period": "24h", "grace": "0"})); err != nil {
		return err
	}
	data := m.mustRead("static-creds/app").data
	first := awssim.Credentials{AccessKey: data["access_key"].(string), SecretKey: data["secret_key"].(string)}
	if err := failed(m.write("rotate-role/app", nil)); err != nil {
		return err
	}
	if m.works(first) {
		return fmt.Errorf("the previous key works on")
	}
	return failed(m.delete("static-roles/app"))
}}

// tidyDeed has tidy look at a leased user, a foreign one and a record without a user.
var tidyDeed = deed{"tidy", func(m *permitted) error {
	lease := m.read("creds/x")
	gone := m.read("creds/x")
	if err := failed(gone); err != nil {
		return err
	}
	user := gone.secret.InternalData["username"].(string)
	if _, err := m.sim.Interfere(awssim.Interference{User: user, Act: awssim.ActDelete}); err != nil {
		return err
	}
	m.ageRecords(40 * time.Minute)
	m.mustWrite("tidy", map[string]any{"tidy_unknown_users": true, "tidy_records": true})
	m.await("tidy ends", func() bool { return m.mustRead("tidy-status").data["state"] != "running" })
	if status := m.mustRead("tidy-status").data; status["state"] != "finished" {
		return fmt.Errorf("%v: %v", status["state"], status["error"])
	}
	return m.revoke(lease.secret)
}}

func configurations() []configuration {
	user := map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy}
	return []configuration{
		{"users with a boundary", func(m *permitted) {
			m.sim.PutPolicy(m.admin.Account, "bound", everything)
			m.sim.PutPolicy(m.admin.Account, "app", ec2Policy)
			m.sim.PutGroup(m.admin.Account, "devs", ec2Policy)
			bound := map[string]any{"permissions_boundary_arn": m.local("policy/bound"), "credential_type": "iam_user"}
			m.mustWrite("roles/x", withAll(bound, map[string]any{"policy_document": ec2Policy, "iam_groups": "devs", "iam_tags": "a=b"}))
			m.mustWrite("roles/y", withAll(bound, map[string]any{"policy_arns": m.local("policy/app"), "user_path": "/apps/"}))
		}, []deed{issue("creds/x", nil), issue("creds/y", nil, tampered), issue("creds/y", nil, joinedBy("devs")), interrupted, rotateRootDeed}},

		{"users of paths with and without a boundary", func(m *permitted) {
			m.sim.PutPolicy(m.admin.Account, "bound", everything)
			m.mustWrite("roles/x", withAll(user, map[string]any{"permissions_boundary_arn": m.local("policy/bound"), "user_path": "/apps/"}))
			m.mustWrite("roles/y", withAll(user, map[string]any{"expiry_policy": true}))
		}, []deed{issue("creds/x", nil), issue("creds/y", nil, tampered), interrupted, rotateRootDeed}},

		{"names that are not unique", func(m *permitted) {
			m.mustWrite("config/root", map[string]any{"username_template": "app-{{unix_time}}-{{random 4}}"})
			m.mustWrite("roles/x", user)
		}, []deed{issue("creds/x", nil, tampered), interrupted, rotateRootDeed}},

		{"owner tags and tidy", func(m *permitted) {
			m.mustWrite("config/root", map[string]any{"iam_owner_tags": true})
			m.mustWrite("roles/x", user)
		}, []deed{issue("creds/x", nil, tampered), tidyDeed, rotateRootDeed}},

		{"sessions", func(m *permitted) {
			m.sim.PutGroup(m.admin.Account, "readers", ec2Policy)
			account := m.local("root")
			tagged := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`
			arn := m.sim.PutRole(m.admin.Account, "plain", trust(account), ec2Policy)
			other := m.sim.PutRole(m.admin.Account, "tagged", tagged, ec2Policy)
			m.mustWrite("roles/plain", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "iam_groups": "readers"})
			m.mustWrite("roles/tagged", map[string]any{"credential_type": "assumed_role", "role_arns": other, "session_tags": "a=b", "transitive_tag_keys": "a", "source_identity_template": "by-{{.PolicyName}}"})
			m.mustWrite("roles/token", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.mustWrite("roles/own", map[string]any{"credential_type": "session_token"})
		}, []deed{issue("sts/plain", nil), issue("sts/tagged", nil), issue("sts/token", nil), issue("sts/own", nil), rotateRootDeed}},

		{"static roles", func(m *permitted) {
			m.sim.PutUser(m.admin.Account, "app", ec2Policy)
			m.sim.PutUser(m.admin.Account, "other", ec2Policy)
			other := m.sim.AddAccount("210987654321")
			m.sim.PutUser(other.Account, "away", ec2Policy)
			arn := m.sim.PutRole(other.Account, "rotator", trust(m.local("root")), everything)
			m.mustWrite("static-roles/app", map[string]any{"username": "app", "rotation_period": "24h", "grace": "0"})
			m.mustWrite("static-roles/away", map[string]any{"username": "away", "rotation_period": "24h", "assume_role_arn": arn})
		}, []deed{takeOverDeed, rotateRootDeed, {"a user of another account", func(m *permitted) error {
			m.reload() // what was assumed before goes
			return failed(m.write("rotate-role/away", nil))
		}}}},
	}
}

func withAll(maps_ ...map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range maps_ {
		maps.Copy(out, m)
	}
	return out
}

// TestIAMPolicySuffices: under the policy that is printed every operation of what
// is configured succeeds.
func TestIAMPolicySuffices(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newPermitted(t, c)
			p := m.printed()
			if failed := m.failures(c, p); len(failed) > 0 {
				t.Errorf("with %s\nthese fail:\n%s", p, strings.Join(failed, "\n"))
			}
		})
	}
}

// TestIAMPolicyIsLeast: without any one action of any one statement some operation
// fails.
func TestIAMPolicyIsLeast(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPermitted(t, c).printed()
			for i, s := range p.Statement {
				for _, action := range s.Action {
					t.Run(fmt.Sprintf("%d without %s", i+1, action), func(t *testing.T) {
						m := newPermitted(t, c)
						m.printed()
						if failed := m.failures(c, p.without(i, action)); len(failed) == 0 {
							t.Errorf("nothing needs %s of\n%s", action, p)
						}
					})
				}
			}
		})
	}
}
