package backend_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

func rotateScenarios() []scenario {
	return []scenario{
		{"rotate-root: the new key is stored and works, the old one is gone", rotateRoot},
		{"rotate-root: no config, ambient credentials, the account's root user: 400", rotateNothing},
		{"rotate-root: Vault's rotation manager rotates, and hears of what did not happen", func(m *mount) {
			req := &logical.Request{Operation: logical.RotationOperation, Storage: m.storage}
			if _, err := m.backend.HandleRequest(m.Context(), req); err == nil {
				m.Error("a rotation without a root config is reported as done")
			}
			m.rotatable()
			before := m.rootKey()
			if _, err := m.backend.HandleRequest(m.Context(), req); err != nil || m.rootKey() == before {
				m.Errorf("rotation: %v, key %s before %s", err, m.rootKey(), before)
			}
			m.wantRootKey()
		}},
		{"rotate-root: two keys are a 400 that names the other", rotateTwoKeys},
		{"rotate-root: a key that AWS knows late is waited for", func(m *mount) {
			m.rotatable()
			m.sim.Inject(awssim.Fault{Action: "sts:GetCallerIdentity", Nth: 2, Count: 4, Kind: awssim.FaultError, Status: 403, Code: "InvalidClientTokenId"})
			m.mustRotate()
		}},
		{"rotate-root: a key that AWS never accepts is deleted", func(m *mount) {
			m.rotatable()
			m.sim.Inject(awssim.Fault{Action: "sts:GetCallerIdentity", Nth: 2, Kind: awssim.FaultError, Status: 403, Code: "InvalidClientTokenId"})
			m.wantError(m.rotate(), http.StatusBadRequest, "InvalidClientTokenId")
			m.wantRootAsBefore()
		}},
		{"rotate-root: every failing call leaves a stored key that works, and no other", rotateFailing},
		{"rotate-root: a lost answer costs time and not the rotation", func(m *mount) {
			m.rotatable()
			m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Count: 1, When: awssim.AfterEffect, Kind: awssim.FaultReset})
			m.mustRotate()
		}},
		{"rotate-root: a call that AWS never saw costs time and no warning", func(m *mount) {
			m.rotatable()
			m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Count: 1, Kind: awssim.FaultReset})
			if got := m.rotate(); got.status != http.StatusOK || len(got.warnings) != 0 {
				m.Errorf("answer = %+v", got)
			}
			m.wantOneRootKey()
		}},
		{"rotate-root: an old key that cannot be deleted is told, and deleted later", rotateLeftover},
		{"rotate-root: storage that fails keeps the key, whatever it did", rotateStorage},
		{"rotate-root: a config that was changed meanwhile is left alone", rotateChanged},
	}
}

// skippingClock passes over every wait.
type skippingClock struct {
	mu      sync.Mutex
	skipped time.Duration
	follows func(time.Duration) // a clock that goes with this one
}

// follow has another clock pass over the same waits.
func (c *skippingClock) follow(advance func(time.Duration)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.follows = advance
}

func (c *skippingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.skipped)
}

func (c *skippingClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped += d
	if c.follows != nil {
		c.follows(d)
	}
}

// Sleep skips the waits of a request; the worker's minute is too long for that.
func (c *skippingClock) Sleep(ctx context.Context, d time.Duration) error {
	if d >= time.Minute {
		<-ctx.Done()
		return ctx.Err()
	}
	c.advance(d)
	return ctx.Err()
}

// hurried starts the mount anew with a clock that does not wait.
func (m *mount) hurried() *skippingClock {
	m.Helper()
	clock := &skippingClock{}
	m.options.Clock = clock
	m.reload()
	return clock
}

// rotatable configures the mount with a root user of one key, and a clock that
// does not wait.
func (m *mount) rotatable() *skippingClock {
	m.Helper()
	clock := m.hurried()
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`)))
	m.mustWrite("roles/x", plainUser())
	return clock
}

func (m *mount) rotate() answer { return m.write("config/rotate-root", nil) }

// rootKey is the id of the root key in force.
func (m *mount) rootKey() string {
	m.Helper()
	return m.mustRead("config/root").data["access_key"].(string)
}

// wantRootKey checks that the root user has one key, the stored one, that it
// works, and that nothing is owed.
func (m *mount) wantRootKey() {
	m.Helper()
	m.wantOneRootKey()
	if left := m.keyJournal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

// wantOneRootKey is wantRootKey after a lost answer, which is remembered for some
// minutes: a list may not show yet what it made.
func (m *mount) wantOneRootKey() {
	m.Helper()
	keys := m.user("engine").Keys
	if len(keys) != 1 || keys[0].ID != m.rootKey() {
		m.Errorf("keys = %v, want the stored one, %s", keys, m.rootKey())
	}
	m.mustRead("creds/x")
}

func (m *mount) keyJournal() []string {
	m.Helper()
	left, err := m.storage.Storage.List(m.Context(), "journal/root-key/")
	m.must(err)
	return left
}

func (m *mount) wantRootAsBefore() {
	m.Helper()
	m.sim.ClearFaults()
	m.wantOneRootKey()
}

func (m *mount) mustRotate() answer {
	m.Helper()
	before := m.rootKey()
	got := m.rotate()
	if got.status != http.StatusOK {
		m.Fatalf("rotate-root: %d %s", got.status, got.error)
	}
	if got.data["access_key"] != m.rootKey() || m.rootKey() == before {
		m.Errorf("answered %v, stored %s, before %s", got.data["access_key"], m.rootKey(), before)
	}
	m.sim.ClearFaults()
	m.wantRootKey()
	return got
}

func rotateRoot(m *mount) {
	m.rotatable()
	lease := m.mustRead("creds/x")
	if got := m.mustRotate(); len(got.data) != 1 || len(got.warnings) != 0 {
		m.Errorf("answer = %+v", got)
	}
	m.mustRotate()
	m.must(m.revoke(lease.secret))
}

func rotateNothing(m *mount) {
	m.wantError(m.rotate(), http.StatusBadRequest, "no configuration found for config/root")
	m.mustWrite("config/root", map[string]any{"region": "us-east-1", "sts_endpoint": m.endpoint})
	m.wantError(m.rotate(), http.StatusBadRequest, "Cannot call config/rotate-root when either access_key or secret_key is empty")
	m.mustWrite("config/root", m.rootConfig(m.sim.RootKey(m.admin.Account)))
	m.wantError(m.rotate(), http.StatusBadRequest, "root user", ":root")
	m.wantError(m.read("config/rotate-root"), http.StatusMethodNotAllowed)
}

func rotateTwoKeys(m *mount) {
	m.rotatable()
	user := "engine"
	other, err := m.iam().CreateAccessKey(m.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	m.must(err)
	m.wantError(m.rotate(), http.StatusBadRequest, "two keys", *other.AccessKey.AccessKeyId)
	if keys := m.user(user).Keys; len(keys) != 2 {
		m.Errorf("keys = %v", keys)
	}
}

func rotateFailing(m *mount) {
	clock := m.rotatable()
	for _, action := range []string{"sts:GetCallerIdentity", "iam:ListAccessKeys", "iam:CreateAccessKey"} {
		for _, when := range []awssim.FaultTime{awssim.BeforeEffect, awssim.AfterEffect} {
			m.sim.Inject(awssim.Fault{Action: action, When: when, Kind: awssim.FaultError, Status: 500})
			m.wantError(m.rotate(), http.StatusServiceUnavailable)
			m.wantRootAsBefore()
			m.sim.Inject(awssim.Fault{Action: action, When: when, Kind: awssim.FaultThrottle})
			m.wantError(m.rotate(), http.StatusBadGateway, "upstream rate limited")
			m.wantRootAsBefore()
		}
	}
	clock.advance(6 * time.Minute)
	m.tick()
	if left := m.keyJournal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

func rotateLeftover(m *mount) {
	clock := m.rotatable()
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	got := m.rotate()
	if got.status != http.StatusOK {
		m.Fatalf("rotate-root: %d %s", got.status, got.error)
	}
	m.wantWarning(got.warnings, "new key is in force", "AccessDenied")
	m.sim.ClearFaults()
	if keys := m.user("engine").Keys; len(keys) != 2 {
		m.Errorf("keys = %v", keys)
	}
	clock.advance(4 * time.Minute)
	m.tick()
	if keys := m.user("engine").Keys; len(keys) != 2 {
		m.Errorf("a young entry was finished: keys = %v", keys)
	}
	clock.advance(2 * time.Minute)
	m.tick()
	m.wantRootKey()
}

func rotateStorage(m *mount) {
	clock := m.rotatable()
	disk := errors.New("disk")
	for _, f := range []storageFault{
		{verb: "put", prefix: "journal/", err: disk},
		{verb: "put", prefix: "config/root", err: disk},
		{verb: "put", prefix: "config/root", err: disk, after: true},
		{verb: "delete", prefix: "journal/", err: disk},
	} {
		m.storage.set(f)
		m.rotate()
		m.storage.set(storageFault{})
		clock.advance(6 * time.Minute)
		m.tick()
		m.wantRootKey()
	}
}

func rotateChanged(m *mount) {
	m.rotatable()
	sts := newGate(m)
	m.mustWrite("config/root", map[string]any{"sts_endpoint": sts.url})
	sts.shut()
	done := make(chan answer)
	go func() { done <- m.rotate() }()
	<-sts.waiting // who asks first is the old key
	sts.letOne()
	<-sts.waiting // the new key is made, and being proven
	m.wantError(m.rotate(), http.StatusBadRequest, "another rotation is under way")
	m.mustWrite("config/root", m.rootConfig(m.admin))
	sts.open()
	m.wantError(<-done, http.StatusBadRequest, "was changed meanwhile")
	if m.rootKey() != m.admin.AccessKey || len(m.user("engine").Keys) != 1 {
		m.Errorf("stored %s, keys %v", m.rootKey(), m.user("engine").Keys)
	}
}

// gate is an endpoint of the simulator that lets requests through as told.
type gate struct {
	url     string
	waiting chan struct{} // one element per request that waits
	pass    atomic.Pointer[chan struct{}]
}

func newGate(m *mount) *gate {
	g := &gate{waiting: make(chan struct{}, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pass := g.pass.Load(); pass != nil {
			g.waiting <- struct{}{}
			<-*pass
		}
		m.sim.ServeHTTP(w, r)
	}))
	m.Cleanup(server.Close)
	m.Cleanup(g.open) // a test that failed may have left it shut
	g.url = server.URL
	return g
}

// mustWait returns when another request waits at the gate.
func (g *gate) mustWait(m *mount) {
	m.Helper()
	select {
	case <-g.waiting:
	case <-time.After(10 * time.Second):
		m.Fatal("no other request comes")
	}
}

func (g *gate) shut() { pass := make(chan struct{}); g.pass.Store(&pass) }

func (g *gate) letOne() { *g.pass.Load() <- struct{}{} }

func (g *gate) open() {
	if pass := g.pass.Swap(nil); pass != nil {
		close(*pass)
	}
}

// TestRotateRootOnPrimary: on a performance primary the old key stays until the
// secondaries know the new one.
func TestRotateRootOnPrimary(t *testing.T) {
	m := newMount(t, inProcess)
	m.becomes(consts.ReplicationPerformancePrimary)
	clock := m.rotatable()
	if got := m.rotate(); got.status != http.StatusOK || len(got.warnings) != 0 {
		t.Fatalf("rotate-root: %+v", got)
	}
	clock.advance(9 * time.Minute)
	m.tick()
	if keys := m.user("engine").Keys; len(keys) != 2 {
		t.Errorf("keys = %v, want the old one too", keys)
	}
	clock.advance(2 * time.Minute)
	m.tick()
	m.wantRootKey()
}

// TestRotateRootJournalHoldsNoSecret looks at the entry while it is there.
func TestRotateRootJournalHoldsNoSecret(t *testing.T) {
	m := newMount(t, inProcess)
	m.rotatable()
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.rotate()
	id := m.keyJournal()[0]
	entry, err := m.storage.Storage.Get(t.Context(), "journal/root-key/"+id)
	m.must(err)
	stored, err := m.storage.Storage.Get(t.Context(), "config/root")
	m.must(err)
	var config struct {
		SecretKey string `json:"secret_key"`
	}
	m.must(stored.DecodeJSON(&config))
	if config.SecretKey == "" || strings.Contains(string(entry.Value), config.SecretKey) {
		t.Errorf("entry = %s", entry.Value)
	}
}
