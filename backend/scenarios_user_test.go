package backend_test

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func rawEntry(key, text string) *logical.StorageEntry {
	return &logical.StorageEntry{Key: key, Value: []byte(text)}
}

func userScenarios() []scenario {
	return []scenario{
		{"iam_user: answer, user in AWS, renew, revoke", userLife},
		{"iam_user: everything a role can say is on the user and gone with it", userWithEverything},
		{"iam_user: the call plan of issuing and revoking", userCallPlan},
		{"iam_user: a part that can restrict has the key made last", userKeyLast},
		{"iam_user: the lease's TTLs are those of config/lease", userLeaseTTL},
		{"iam_user: parameters of sessions have no effect and that is told", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
			m.wantWarning(m.mustRead("creds/x", map[string]any{"ttl": "5m"}).warnings, "ttl has no effect")
			m.wantWarning(m.mustRead("creds/x", map[string]any{"role_arn": "x"}).warnings, "role_arn has no effect")
		}},
		{"iam_user: leases of the built-in engine are revoked", builtinLease},
		{"iam_user: revoking twice, or what a human has removed, succeeds", revokeAgain},
		{"iam_user: what a human hung on the user goes with it", revokeForeignParts},
		{"iam_user: another account's user is left alone", revokeOtherAccount},
		{"iam_user: an unknown role is a 400", func(m *mount) {
			m.configured()
			m.wantError(m.read("creds/nobody"), http.StatusBadRequest, `Role "nobody" not found`)
			m.wantError(m.write("sts/nobody", nil), http.StatusBadRequest, `Role "nobody" not found`)
		}},
		{"iam_user: the minimal 13-action root policy is enough", minimalPolicy},
		{"iam_user: a missing permission is a 400 with AWS's words and leaves nothing", missingPermission},
		{"iam_user: a revoke without permission names it, kills the key, and succeeds later", revokeWithoutPermission},
	}
}

// issued writes a role and reads a credential of it.
func (m *mount) issued(role map[string]any) answer {
	m.Helper()
	m.mustWrite("roles/x", role)
	return m.mustRead("creds/x")
}

func plainUser() map[string]any {
	return map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy}
}

func (m *mount) user(name string) awssim.User {
	m.Helper()
	user, ok := m.sim.State().Accounts[m.admin.Account].Users[name]
	if !ok {
		m.Fatalf("no user %q", name)
	}
	return user
}

// onlyUser is the one user there is.
func (m *mount) onlyUser() awssim.User {
	m.Helper()
	names := m.users()
	if len(names) != 1 {
		m.Fatalf("users = %v, want one", names)
	}
	return m.user(names[0])
}

func userLife(m *mount) {
	got := m.configured().issued(plainUser())
	for _, field := range []string{"session_token", "security_token"} {
		if value, ok := got.data[field]; !ok || value != nil {
			m.Errorf("%s = %v, %v; want null", field, value, ok)
		}
	}
	user := m.onlyUser()
	if key, _ := got.data["access_key"].(string); len(user.Keys) != 1 || user.Keys[0].ID != key {
		m.Errorf("keys = %v, want %v", user.Keys, got.data["access_key"])
	}
	if name := m.users()[0]; !strings.HasPrefix(name, "vault-token-tester-x-") {
		m.Errorf("user name = %q", name)
	}
	if !got.secret.Renewable {
		m.Error("lease is not renewable")
	}
	if _, err := m.renew(got.secret); err != nil {
		m.Errorf("renew: %v", err)
	}
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke: %v", err)
	}
	m.wantUsers(0)
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

func (m *mount) putGroupAndBoundary() (boundary string) {
	m.sim.PutGroup(m.admin.Account, "devs", ec2Policy)
	return m.sim.PutPolicy(m.admin.Account, "bounds", ec2Policy)
}

func userWithEverything(m *mount) {
	boundary := m.configured().putGroupAndBoundary()
	got := m.issued(map[string]any{
		"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy + ",arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess",
		"iam_groups": "devs", "iam_tags": []any{"team=a", "env=b"}, "user_path": "/apps/", "permissions_boundary_arn": boundary,
	})
	user := m.onlyUser()
	want := map[string]any{
		"path": "/apps/", "tags": map[string]string{"team": "a", "env": "b"}, "boundary": boundary, "groups": []string{"devs"},
		"attached": []string{"arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess", readOnlyPolicy},
	}
	attached := slices.Sorted(slices.Values(user.AttachedPolicies))
	have := map[string]any{"path": user.Path, "tags": user.Tags, "boundary": user.Boundary, "groups": user.Groups, "attached": attached}
	if diff := cmp.Diff(want, have); diff != "" {
		m.Errorf("user (-want +got):\n%s", diff)
	}
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke: %v", err)
	}
	m.wantUsers(0)
}

func userCallPlan(m *mount) {
	m.configured().mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy, "iam_tags": "a=b"})
	start := len(m.sim.Journal())
	got := m.mustRead("creds/x")
	calls := m.calls(start)
	if calls[0] != "iam:CreateUser" {
		m.Errorf("first call = %s", calls[0])
	}
	slices.Sort(calls)
	if diff := cmp.Diff([]string{"iam:AttachUserPolicy", "iam:CreateAccessKey", "iam:CreateUser", "iam:PutUserPolicy"}, calls); diff != "" {
		m.Errorf("issuing (-want +got):\n%s", diff)
	}
	start = len(m.sim.Journal())
	if err := m.revoke(got.secret); err != nil {
		m.Fatalf("revoke: %v", err)
	}
	calls = m.calls(start)
	if len(calls) != 4 || calls[0] != "iam:DeleteAccessKey" || calls[3] != "iam:DeleteUser" {
		m.Errorf("revoking = %v, want the key, the policies, the user; no lists", calls)
	}
}

func userKeyLast(m *mount) {
	m.configured().putGroupAndBoundary()
	for name, role := range map[string]map[string]any{
		"deny":  {"credential_type": "iam_user", "policy_document": denyPolicy, "policy_arns": readOnlyPolicy},
		"group": {"credential_type": "iam_user", "policy_document": ec2Policy, "iam_groups": "devs"},
	} {
		start := len(m.sim.Journal())
		m.issued(role)
		if calls := m.calls(start); calls[len(calls)-1] != "iam:CreateAccessKey" {
			m.Errorf("%s: %v, want the key last", name, calls)
		}
		m.mustWrite("roles/x", map[string]any{"policy_arns": "", "iam_groups": ""})
	}
}

func userLeaseTTL(m *mount) {
	if got := m.configured().issued(plainUser()); got.secret.TTL != 0 || got.secret.MaxTTL != 0 {
		m.Errorf("without config/lease: %v, %v; want the mount's own", got.secret.TTL, got.secret.MaxTTL)
	}
	m.mustWrite("config/lease", map[string]any{"lease": "30m", "lease_max": "2h"})
	got := m.mustRead("creds/x")
	if got.secret.TTL != 30*time.Minute || got.secret.MaxTTL != 2*time.Hour {
		m.Errorf("TTL, MaxTTL = %v, %v", got.secret.TTL, got.secret.MaxTTL)
	}
	m.mustWrite("config/lease", map[string]any{"lease": "10m", "lease_max": "1h"})
	renewed, err := m.renew(got.secret)
	if err != nil || renewed.Secret.TTL != 10*time.Minute || renewed.Secret.MaxTTL != time.Hour {
		m.Errorf("renewed = %+v, %v; want the settings of now", renewed, err)
	}
}

// builtinSecret is a lease of the built-in engine, an hour old.
func builtinSecret(user string) *logical.Secret {
	return &logical.Secret{
		LeaseOptions: logical.LeaseOptions{IssueTime: time.Now().Add(-time.Hour)},
		InternalData: map[string]any{"secret_type": "access_keys", "username": user, "is_sts": false, "policy": map[string]any{"version": 1}},
	}
}

func builtinLease(m *mount) {
	m.configured().sim.PutUser(m.admin.Account, "vault-old", ec2Policy)
	if err := m.revoke(builtinSecret("vault-old")); err != nil {
		m.Fatalf("revoke: %v", err)
	}
	m.wantUsers(0)
	if err := m.revoke(&logical.Secret{InternalData: map[string]any{"secret_type": "access_keys", "is_sts": true}}); err != nil {
		m.Errorf("revoke of a session: %v", err)
	}
	if err := m.revoke(&logical.Secret{InternalData: map[string]any{"secret_type": "access_keys"}}); err == nil {
		m.Error("a lease without a user name was revoked")
	}
}

func revokeAgain(m *mount) {
	got := m.configured().issued(plainUser())
	m.humanDeletes(m.onlyUser())
	if err := m.revoke(got.secret); err == nil {
		m.Error("NoSuchEntity about a user seconds old was believed")
	}
	m.ageRecords(6 * time.Minute)
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("an old lease whose user is gone: %v", err)
	}
}

func revokeForeignParts(m *mount) {
	got := m.configured().issued(plainUser())
	user, arn := m.users()[0], readOnlyPolicy
	_, err := m.iam().AttachUserPolicy(m.Context(), &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn})
	m.must(err)
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke: %v", err)
	}
	m.wantUsers(0)
}

// iam is IAM in the hands of the account's administrator.
func (m *mount) iam() *iam.Client { return iam.NewFromConfig(simtest.Config(m.endpoint, m.admin)) }

func (m *mount) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// humanDeletes removes a user behind the engine's back.
func (m *mount) humanDeletes(user awssim.User) {
	m.Helper()
	for _, key := range user.Keys {
		_, err := m.iam().DeleteAccessKey(m.Context(), &iam.DeleteAccessKeyInput{UserName: &user.Name, AccessKeyId: &key.ID})
		m.must(err)
	}
	for policy := range user.InlinePolicies {
		_, err := m.iam().DeleteUserPolicy(m.Context(), &iam.DeleteUserPolicyInput{UserName: &user.Name, PolicyName: &policy})
		m.must(err)
	}
	_, err := m.iam().DeleteUser(m.Context(), &iam.DeleteUserInput{UserName: &user.Name})
	m.must(err)
}

func revokeOtherAccount(m *mount) {
	got := m.configured().issued(plainUser())
	other := m.sim.AddAccount("210987654321")
	m.mustWrite("config/root", m.rootConfig(other))
	err := m.revoke(got.secret)
	if err == nil || !containsAll(err.Error(), []string{m.admin.Account, other.Account}) {
		m.Errorf("revoke = %v, want an error that names both accounts", err)
	}
	m.configured()
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke in the right account: %v", err)
	}
	m.wantUsers(0)
}

// minimalActions is what the root credentials need for IAM users with policies.
const minimalActions = `["iam:AttachUserPolicy","iam:CreateAccessKey","iam:CreateUser","iam:DeleteAccessKey","iam:DeleteUser",
"iam:DeleteUserPolicy","iam:DetachUserPolicy","iam:ListAccessKeys","iam:ListAttachedUserPolicies","iam:ListGroupsForUser",
"iam:ListUserPolicies","iam:PutUserPolicy"]`

func minimalRoot(actions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":"arn:aws:iam::*:user/vault-*"}]}`
}

// rootWith makes a root user that may do only the actions.
func (m *mount) rootWith(actions string) awssim.Credentials {
	return m.sim.PutUser(m.admin.Account, "engine", minimalRoot(actions))
}

// vaultUsers are the users but for the root user of the engine.
func (m *mount) vaultUsers() []string {
	return slices.DeleteFunc(m.users(), func(name string) bool { return name == "engine" })
}

func minimalPolicy(m *mount) {
	m.mustWrite("config/root", m.rootConfig(m.rootWith(minimalActions)))
	got := m.issued(map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy})
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke: %v", err)
	}
	m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError})
	m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, "CreateAccessKey")
	if left := m.vaultUsers(); len(left) != 0 {
		m.Errorf("users left: %v", left)
	}
}

func missingPermission(m *mount) {
	m.mustWrite("config/root", m.rootConfig(m.rootWith(strings.Replace(minimalActions, `"iam:CreateUser",`, "", 1))))
	m.mustWrite("roles/x", plainUser())
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "Error creating IAM user: ", "AccessDenied", "is not authorized to perform: iam:CreateUser on resource")
	m.mustWrite("roles/x", map[string]any{"iam_groups": "nobody"})
	m.mustWrite("config/root", m.rootConfig(m.rootWith(minimalActions)))
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "Error adding user to group: ", "iam:AddUserToGroup")
	if left := m.vaultUsers(); len(left) != 0 {
		m.Errorf("users left: %v", left)
	}
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

func revokeWithoutPermission(m *mount) {
	m.mustWrite("config/root", m.rootConfig(m.rootWith(strings.Replace(minimalActions, `"iam:DeleteUser",`, "", 1))))
	got := m.issued(plainUser())
	err := m.revoke(got.secret)
	if err == nil || !strings.Contains(err.Error(), "iam:DeleteUser") {
		m.Errorf("revoke = %v, want an error that names iam:DeleteUser", err)
	}
	if keys := m.user(m.vaultUsers()[0]).Keys; len(keys) != 0 {
		m.Errorf("the key is still alive: %v", keys)
	}
	m.mustWrite("config/root", m.rootConfig(m.rootWith(minimalActions)))
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke with the permission: %v", err)
	}
	if left := m.vaultUsers(); len(left) != 0 {
		m.Errorf("users left: %v", left)
	}
}
