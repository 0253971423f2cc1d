package backend_test

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/logical"
)

// operatorScenarios are what operators do to a mount that is in use, and what
// happens to its machine. Those that need a Vault server are in internal/e2e.
func operatorScenarios() []scenario {
	return []scenario{
		{"operator: config/root rewritten while issuing", configRewritten},
		{"operator: the root key is rotated while issuing", rotatedWhileIssuing},
		{"operator: config/root rewritten again and again under load", configRewrittenUnderLoad},
		{"operator: role deleted with live leases and a pool", roleDeleted},
		{"operator: mount tuned to a shorter maximum", mountTuned},
		{"operator: the clock jumps forward while issuing", clockForwardWhileIssuing},
		{"operator: the clock jumps back and forward", clockBackAndForward},
		{"operator: storage fails for a minute", storageOutage},
		{"operator: two mounts on one AWS account", twoMounts},
		{"operator: two mounts on one root user", twoMountsOneUser},
	}
}

// rotatedWhileIssuing has the root key rotated between a request's first call of
// AWS and its second, which the old key is refused for.
func rotatedWhileIssuing(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "root-of-vault", allPolicy)))
	slow := newGate(m)
	m.mustWrite("config/root", map[string]any{"iam_endpoint": slow.url})
	slow.shut()
	done := make(chan answer)
	go func() { done <- m.read("creds/x") }()
	<-slow.waiting
	slow.letOne()
	<-slow.waiting
	m.mustWrite("config/root", map[string]any{"iam_endpoint": m.endpoint})
	m.rotate()
	slow.open()
	got := <-done
	if got.status != http.StatusOK {
		m.Fatalf("creds: %d %s", got.status, got.error)
	}
	m.must(m.revoke(got.secret))
	clock.advance(time.Minute)
	m.tick()
	m.wantNoLeased()
}

// configRewritten has another key and another endpoint written between a
// request's first call of AWS and its second.
func configRewritten(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	slow := newGate(m)
	m.mustWrite("config/root", map[string]any{"iam_endpoint": slow.url})
	slow.shut()
	done := make(chan answer)
	go func() { done <- m.read("creds/x") }()
	<-slow.waiting
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "next", allPolicy)))
	slow.open()
	got := <-done
	if got.status != http.StatusOK {
		m.Fatalf("creds: %d %s", got.status, got.error)
	}
	m.must(m.revoke(got.secret))
	m.wantNoLeased()
}

func configRewrittenUnderLoad(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	other := m.sim.PutUser(m.admin.Account, "next", allPolicy)
	var issuing sync.WaitGroup
	answers := make(chan answer, 80)
	for range 8 {
		issuing.Go(func() {
			for range 10 {
				answers <- m.read("creds/x")
			}
		})
	}
	for i := range 20 {
		m.mustWrite("config/root", m.rootConfig([]awssim.Credentials{other, m.admin}[i%2]))
	}
	issuing.Wait()
	close(answers)
	for got := range answers {
		if got.status != http.StatusOK {
			m.Fatalf("creds: %d %s", got.status, got.error)
		}
		m.must(m.revoke(got.secret))
	}
	m.wantNoLeased()
}

// allPolicy allows what a root user needs and more.
const allPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}]}`

// leasedUsers are the users that were made for leases.
func (m *mount) leasedUsers() []string {
	return slices.DeleteFunc(m.users(), func(name string) bool { return len(name) < 6 || name[:6] != "vault-" })
}

// wantNoLeased checks that nothing is left in AWS, nor in the journal.
func (m *mount) wantNoLeased() {
	m.Helper()
	if users := m.leasedUsers(); len(users) != 0 {
		m.Errorf("users = %v", users)
	}
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

// roleDeleted: what a lease needs it carries itself.
func roleDeleted(m *mount) {
	m.pooled(plainUser(), 2)
	secret := m.mustRead("creds/x").secret
	if got := m.delete("roles/x"); got.status != http.StatusNoContent {
		m.Fatalf("delete: %d %s", got.status, got.error)
	}
	resp, err := m.renew(secret)
	if err != nil || resp.IsError() {
		m.Errorf("renew: %v, %v", resp, err)
	}
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "x")
	m.awaitPool(0)
	if users := m.leasedUsers(); len(users) != 1 {
		m.Errorf("users = %v, want the leased one", users)
	}
	m.must(m.revoke(secret))
	m.wantNoLeased()
}

// mountTuned: no session outlives what the mount allows now, and leases from
// before are renewed and revoked as ever; Vault cuts them.
func mountTuned(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", allPolicy)))
	m.mustWrite("roles/s", map[string]any{"credential_type": "session_token", "default_sts_ttl": "3h"})
	m.mustWrite("config/lease", map[string]any{"lease": "24h", "lease_max": "48h"})
	secret := m.mustRead("creds/x").secret
	m.under(func(v *logical.StaticSystemView) { v.MaxLeaseTTLVal, v.DefaultLeaseTTLVal = time.Hour, time.Hour })
	got := m.mustRead("sts/s")
	if got.secret.TTL > time.Hour {
		m.Errorf("a session of %s", got.secret.TTL)
	}
	got = m.mustRead("sts/s", map[string]any{"ttl": "2h"})
	if got.secret.TTL > time.Hour {
		m.Errorf("a session of %s", got.secret.TTL)
	}
	m.wantWarning(got.warnings, "ttl")
	resp, err := m.renew(secret)
	if err != nil || resp.IsError() {
		m.Errorf("renew: %v, %v", resp, err)
	}
	m.must(m.revoke(secret))
	m.wantNoLeased()
}

// clockForwardWhileIssuing: by the wall clock another node may have rolled the
// user back meanwhile, so it is not handed out.
func clockForwardWhileIssuing(m *mount) {
	clock := m.rotatable()
	slow := newGate(m)
	m.mustWrite("config/root", map[string]any{"iam_endpoint": slow.url})
	slow.shut()
	done := make(chan answer)
	go func() { done <- m.read("creds/x") }()
	<-slow.waiting
	clock.advance(24 * time.Hour)
	slow.open()
	m.wantError(<-done, http.StatusServiceUnavailable, "deadline")
	clock.advance(time.Hour)
	m.tick()
	m.wantNoLeased()
}

// clockBackAndForward: a clock that goes back rotates nothing and rolls nothing
// back; one that goes forward by days rotates once.
func clockBackAndForward(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	m.sim.PutUser(m.admin.Account, "bystander", allPolicy)
	before := m.staticKey()
	start := len(m.sim.Journal())
	m.after(clock, -24*time.Hour)
	if m.staticKey() != before {
		m.Error("rotated, a day early")
	}
	m.after(clock, 24*time.Hour+72*time.Hour)
	m.await("the rotation of the root key is over", func() bool { return m.made(start) >= 2 })
	m.after(clock, 0)
	m.wantStatic(before)
	if made := m.made(start); made != 2 {
		m.Errorf("%d keys were made, want one for the root user and one for the static role", made)
	}
}

// made counts the access keys made since the given journal length.
func (m *mount) made(since int) (count int) {
	for _, action := range m.calls(since) {
		if action == "iam:CreateAccessKey" {
			count++
		}
	}
	return count
}

// storageOutage: without storage nothing is made, destroyed or rotated; with it
// everything goes on where it was.
func storageOutage(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	secret := m.mustRead("creds/x").secret
	m.leaveBehind()
	key := m.staticKey()
	clock.advance(2 * time.Hour) // a rotation is due, and a rollback
	m.storage.set(storageFault{verb: anyVerb, err: errors.New("no quorum")})
	start := len(m.sim.Journal())
	for range 6 {
		m.wantError(m.read("creds/x"), http.StatusInternalServerError, "no quorum")
		if err := m.revoke(secret); err == nil {
			m.Error("revoked without storage")
		}
		clock.advance(10 * time.Second)
		m.tick()
	}
	for _, action := range m.calls(start) {
		m.Errorf("%s was called", action)
	}
	m.storage.set(storageFault{})
	m.must(m.revoke(secret))
	clock.advance(16 * time.Minute) // what failed is tried again later and later
	m.tick()
	m.tick()
	m.wantStatic(key)
	m.wantNoLeased()
	m.must(m.revoke(m.mustRead("creds/x").secret))
}

// leaveBehind makes a user whose issuing fails and whose removal fails too.
func (m *mount) leaveBehind() {
	m.Helper()
	m.sim.Inject(
		awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 500},
		awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError, Status: 500})
	m.wantError(m.read("creds/x"), http.StatusServiceUnavailable)
	m.sim.ClearFaults()
	if left := m.journal(); len(left) != 1 {
		m.Fatalf("journal = %v", left)
	}
}

// beside is another mount on the same AWS.
func (m *mount) beside() *mount {
	m.Helper()
	other := *m
	other.storage = &faultyStorage{Storage: &logical.InmemStorage{}}
	other.start()
	return &other
}

// twoMounts: neither sees, rolls back or takes over what is the other's.
func twoMounts(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	other := m.beside()
	other.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "other", allPolicy)))
	other.mustWrite("roles/x", plainUser())
	one, two := m.mustRead("creds/x").secret, other.mustRead("creds/x").secret
	m.leaveBehind()

	clock.advance(2 * time.Hour)
	other.tick()
	if users := m.leasedUsers(); len(users) != 3 {
		m.Errorf("users = %v, want both leases' and the one left behind", users)
	}
	m.must(m.revoke(one))
	m.tick()
	m.tick()
	if users := m.leasedUsers(); len(users) != 1 {
		m.Errorf("users = %v, want the other's", users)
	}
	if got := other.rotate(); got.status != http.StatusOK {
		m.Errorf("rotate-root of the other: %d %s", got.status, got.error)
	}
	m.must(other.revoke(two))
	m.must(m.revoke(m.mustRead("creds/x").secret))
	m.wantNoLeased()
}

// twoMountsOneUser: the second mount that rotates the key they share takes it
// away from the first, which says what to do about it.
func twoMountsOneUser(m *mount) {
	m.rotatable()
	other := m.beside()
	stored := m.sim.PutUser(m.admin.Account, "shared", allPolicy)
	m.mustWrite("config/root", m.rootConfig(stored))
	other.mustWrite("config/root", m.rootConfig(stored))
	secret := m.mustRead("creds/x").secret
	if got := other.rotate(); got.status != http.StatusOK {
		m.Fatalf("rotate-root: %d %s", got.status, got.error)
	}
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "InvalidClientTokenId", "config/root")
	m.wantError(m.rotate(), http.StatusBadRequest, "InvalidClientTokenId", "config/root")
	if err := m.revoke(secret); err == nil {
		m.Error("revoked with a key that is gone")
	}
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "own", allPolicy)))
	m.must(m.revoke(secret))
	m.wantNoLeased()
}
