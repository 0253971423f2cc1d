package backend_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// storageScenarios: mounts whose storage other engines wrote are taken over.
func storageScenarios() []scenario {
	return []scenario{
		{"storage: OpenBao's plugin", func(m *mount) { m.takesOver("openbao") }},
		{"storage: Vault 1.18.1, before keys of static roles had an expiration", func(m *mount) { m.takesOver("vault-1.18.1") }},
		{"storage: Vault 0.10, before roles had a type", func(m *mount) { m.takesOver("vault-0.10") }},
		{"storage: the built-in engine finds what it needs in our leases and journal entries", leavesBehind},
	}
}

// fixture is a mount as another engine left it, from testdata/storage. Names in
// it that begin with $ are the account's.
type fixture struct {
	Storage map[string]json.RawMessage // by key; a string is a bare text
	Config  map[string]any             // fields of config/root
	Roles   map[string]map[string]any  // what each role says, but for empty fields
	Issue   []string                   // paths that give out a credential
}

// What the other engine left in AWS.
const (
	leftOrphan = "vault-token-terraform-deploy-1700000000-CwTKgxRL0iCOq0E04I88" // of the fixtures' journal
	leftLeased = "vault-token-terraform-deploy-1700000001-aB3dEfGhIjKlMnOpQrSt"
)

func (m *mount) takesOver(name string) {
	m.Helper()
	account := m.admin.Account
	root := m.sim.PutUser(account, "engine", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	app := m.sim.PutUser(account, "app", ec2Policy)
	m.sim.PutGroup(account, "devs", ec2Policy)
	m.sim.PutPolicy(account, "boundary", ec2Policy)
	m.sim.PutRole(account, "deployer", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`, ec2Policy)
	m.sim.PutUser(account, leftOrphan, ec2Policy)
	m.sim.PutUser(account, leftLeased, ec2Policy)
	f := m.mustFixture(name, map[string]string{
		"ACCOUNT": account, "ENDPOINT": m.endpoint, "ACCESS_KEY": root.AccessKey, "SECRET_KEY": root.SecretKey,
		"APP_ID": m.user("app").ID, "APP_ACCESS_KEY": app.AccessKey, "APP_SECRET_KEY": app.SecretKey,
	})
	clock := m.mustLoad(f)
	m.saysAsLeft(f)
	m.servesAsLeft(f)
	if f.Storage["static-roles/x"] != nil {
		m.rotatesAsLeft(clock, app)
	}
	m.tick()
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
	if users := m.users(); !slices.Equal(users, []string{"app", "engine"}) {
		m.Errorf("users = %v", users)
	}
}

func (m *mount) mustFixture(name string, values map[string]string) fixture {
	m.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "storage", name+".json"))
	m.must(err)
	var f fixture
	m.must(json.Unmarshal([]byte(os.Expand(string(text), func(key string) string {
		value, ok := values[key]
		if !ok {
			m.Fatalf("%s names $%s", name, key)
		}
		return value
	})), &f))
	return f
}

// mustLoad starts the mount anew on the storage of a fixture.
func (m *mount) mustLoad(f fixture) *skippingClock {
	m.Helper()
	m.backend.Cleanup(m.Context())
	for key, value := range f.Storage {
		text := string(value)
		if strings.HasPrefix(text, `"`) {
			m.must(json.Unmarshal(value, &text))
		}
		m.must(m.storage.Put(m.Context(), rawEntry(key, text)))
	}
	clock := &skippingClock{}
	m.options.Clock = clock
	m.reload()
	return clock
}

// saysAsLeft: reads say what the other engine's did.
func (m *mount) saysAsLeft(f fixture) {
	m.Helper()
	m.wantFields("config/root", plain(m, m.mustRead("config/root").data), wholeNumbers(f.Config).(map[string]any))
	if diff := cmp.Diff(map[string]any{"lease": "30m0s", "lease_max": "12h0m0s"}, plain(m, m.mustRead("config/lease").data)); diff != "" {
		m.Errorf("config/lease (-want +got):\n%s", diff)
	}
	var names []any
	for _, name := range slices.Sorted(maps.Keys(f.Roles)) {
		names = append(names, name)
	}
	if diff := cmp.Diff(map[string]any{"keys": names}, plain(m, m.list("roles").data)); diff != "" {
		m.Errorf("roles (-want +got):\n%s", diff)
	}
	for name, fields := range f.Roles {
		m.wantRole(name, wholeNumbers(fields).(map[string]any))
	}
}

// servesAsLeft: roles give out credentials, and leases of the other engine, which
// carry a name and the role, renew and revoke.
func (m *mount) servesAsLeft(f fixture) {
	m.Helper()
	for _, path := range f.Issue {
		secret := m.mustRead(path).secret
		secret.IssueTime = time.Now()
		m.must(m.revoke(secret))
	}
	left := &logical.Secret{
		LeaseOptions: logical.LeaseOptions{IssueTime: time.Now().Add(-time.Hour), Renewable: true},
		InternalData: map[string]any{"secret_type": "access_keys", "username": leftLeased, "is_sts": false, "policy": map[string]any{"credential_types": []any{"iam_user"}, "version": 0}},
	}
	resp, err := m.renew(left)
	m.must(err)
	if got := resp.Secret; got.TTL != 30*time.Minute || got.MaxTTL != 12*time.Hour {
		m.Errorf("renewed for %s of %s", got.TTL, got.MaxTTL)
	}
	m.must(m.revoke(left))
	for _, data := range []map[string]any{ // of an assumed role, a federation token, a session token
		{"secret_type": "access_keys", "username": "vault-token-terraform-assume-1700000002-x", "policy": "arn:aws:iam::123456789012:role/r", "is_sts": true},
		{"secret_type": "access_keys", "username": "vault-1700000003-x", "policy": ec2Policy, "is_sts": true},
		{"secret_type": "access_keys", "is_sts": true},
	} {
		m.must(m.revoke(&logical.Secret{InternalData: data}))
	}
}

// rotatesAsLeft: the stored key is given out until a period has passed.
func (m *mount) rotatesAsLeft(clock *skippingClock, left awssim.Credentials) {
	m.Helper()
	m.tick()
	before := m.staticKey()
	if before.AccessKey != left.AccessKey || !m.works(before) {
		m.Errorf("key = %s, want %s", before.AccessKey, left.AccessKey)
	}
	m.after(clock, 59*time.Minute)
	if m.staticKey() != before {
		m.Error("rotated too early")
	}
	m.after(clock, 2*time.Minute)
	m.wantStatic(before)
}

// leavesBehind: what the built-in engine revokes and rolls back by.
func leavesBehind(m *mount) {
	user := m.configured().issued(plainUser()).secret.InternalData
	name := m.onlyUser().Name
	m.wantFields("lease of a user", user, map[string]any{"secret_type": "access_keys", "username": name, "is_sts": false})
	m.mustWrite("roles/session", map[string]any{"credential_type": "session_token"})
	m.wantFields("lease of a session", m.mustRead("creds/session").secret.InternalData, map[string]any{"secret_type": "access_keys", "is_sts": true})

	for _, action := range []string{"iam:CreateAccessKey", "iam:Delete*"} {
		m.sim.Inject(awssim.Fault{Action: action, Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	}
	m.read("creds/x")
	orphan := slices.DeleteFunc(m.users(), func(user string) bool { return user == name })
	entries := m.journal()
	if len(orphan) != 1 || len(entries) != 1 {
		m.Fatalf("users left %v, journal %v", orphan, entries)
	}
	m.wantStored("wal/"+entries[0], "type", "user")
	m.wantFields("journal entry", m.stored("wal/" + entries[0])["data"].(map[string]any), map[string]any{"UserName": orphan[0]})
}

// wantFields checks some fields of a record.
func (m *mount) wantFields(what string, got, want map[string]any) {
	m.Helper()
	got = maps.Clone(got)
	maps.DeleteFunc(got, func(field string, _ any) bool { _, wanted := want[field]; return !wanted })
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
