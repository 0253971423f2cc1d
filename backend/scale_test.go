package backend_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/scale"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// trips is how often storage was asked, which costs a plugin a round trip each.
type trips struct{ Lists, Reads, Writes int }

// countingStorage counts what is asked of it, in all and by the first part of
// the key.
type countingStorage struct {
	logical.Storage
	mu     sync.Mutex
	all    trips
	byKind map[string]trips
}

func (s *countingStorage) count(key string, one trips) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, _, _ := strings.Cut(key, "/")
	if s.byKind == nil {
		s.byKind = map[string]trips{}
	}
	s.all, s.byKind[kind] = s.all.plus(one), s.byKind[kind].plus(one)
}

func (t trips) plus(u trips) trips {
	return trips{t.Lists + u.Lists, t.Reads + u.Reads, t.Writes + u.Writes}
}

// since returns what was counted, and begins anew.
func (s *countingStorage) since() (all trips, byKind map[string]trips) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, byKind = s.all, s.byKind
	s.all, s.byKind = trips{}, nil
	return all, byKind
}

func (s *countingStorage) Get(ctx context.Context, key string) (*logical.StorageEntry, error) {
	s.count(key, trips{Reads: 1})
	return s.Storage.Get(ctx, key)
}

func (s *countingStorage) Put(ctx context.Context, entry *logical.StorageEntry) error {
	s.count(entry.Key, trips{Writes: 1})
	return s.Storage.Put(ctx, entry)
}

func (s *countingStorage) Delete(ctx context.Context, key string) error {
	s.count(key, trips{Writes: 1})
	return s.Storage.Delete(ctx, key)
}

func (s *countingStorage) List(ctx context.Context, prefix string) ([]string, error) {
	s.count(prefix, trips{Lists: 1})
	return s.Storage.List(ctx, prefix)
}

// planted is a mount with so much in its storage, all of which was read once; its
// worker passes only when it is told to.
func planted(t testing.TB, size scale.Size, clock lifecycle.Clock) (*mount, *countingStorage) {
	t.Helper()
	storage := &countingStorage{Storage: &logical.InmemStorage{}}
	if err := scale.Plant(t.Context(), storage, size, time.Now()); err != nil {
		t.Fatal(err)
	}
	m := newMountOver(t, inProcess, backend.Options{Version: "v0.0.1", Clock: clock}, storage)
	m.configured().mustWrite("roles/x", plainUser())
	m.await("the records are read", func() bool { return m.mustRead("tidy-status").data["records_complete"] == true })
	m.tick()
	storage.since()
	return m, storage
}

// larger is a mount with more than one pass verifies.
var larger = scale.Size{Roles: 1500, StaticRoles: 1500, Users: 1500}

// TestTickReadsASlice: a pass of the worker reads a slice of users and static
// roles, and lists neither but once a round.
func TestTickReadsASlice(t *testing.T) {
	m, storage := planted(t, larger, nil)
	var got []map[string]trips
	for range 3 {
		m.tick()
		_, byKind := storage.since()
		got = append(got, byKind)
	}
	small := map[string]trips{"wal": {Lists: 1}, "pools": {Lists: 1}, "journal": {Lists: 2}, "config": {Reads: 1}}
	var want []map[string]trips
	for _, pass := range []struct{ users, roles, creds trips }{
		{trips{0, 500, 0}, trips{0, 500, 0}, trips{0, 500, 0}},
		{trips{1, 1000, 0}, trips{1, 1000, 0}, trips{0, 1000, 0}},
		{trips{0, 500, 0}, trips{0, 500, 0}, trips{0, 500, 0}},
	} {
		want = append(want, map[string]trips{
			"users": pass.users, "static-roles": pass.roles, "static-creds": pass.creds,
			"wal": small["wal"], "pools": small["pools"], "journal": small["journal"], "config": small["config"],
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("storage trips of three passes (-want +got):\n%s", diff)
	}
}

// TestDueOnesAreRotated: a key that is due is rotated by the next pass, whichever
// slice that verifies.
func TestDueOnesAreRotated(t *testing.T) {
	clock := &skippingClock{}
	m, storage := planted(t, larger, clock)
	m.sim.PutUser(m.admin.Account, "svc", "")
	m.mustWrite("static-roles/zz", map[string]any{"username": "svc", "rotation_period": "1h"})
	m.tick() // reads the new role, and ends the round; the next begins with the others
	before := m.mustRead("static-creds/zz").data["access_key"]
	clock.advance(2 * time.Hour)
	storage.since()
	m.tick()
	if m.mustRead("static-creds/zz").data["access_key"] == before {
		t.Error("the key that is due is not rotated")
	}
	if _, byKind := storage.since(); byKind["static-roles"].Reads >= larger.StaticRoles {
		t.Errorf("the pass read %d static roles", byKind["static-roles"].Reads)
	}
}

// TestRequestTrips: how often each request asks storage, in a mount with more of
// everything than that.
func TestRequestTrips(t *testing.T) {
	m, storage := planted(t, larger, nil)
	m.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.sim.PutUser(m.admin.Account, "svc", "")
	user := m.mustRead("creds/x")
	list := func(path string, query map[string]any) func() {
		return func() {
			if got := m.request(m.Context(), logical.ListOperation, path, query); got.status != http.StatusOK {
				t.Errorf("list %s: %d %s", path, got.status, got.error)
			}
		}
	}
	read := func(path string) func() { return func() { m.mustRead(path) } }
	for _, c := range []struct {
		name string
		ask  func()
		want trips
	}{
		{"list roles", list("roles", nil), trips{Lists: 2}},
		{"list static-roles", list("static-roles", nil), trips{Lists: 1}},
		{"list users, a page", list("users", map[string]any{"limit": 10}), trips{Reads: 10}},
		{"list users, the largest page", list("users", map[string]any{"limit": 100000}), trips{Reads: 1000}},
		{"list users of a role", list("users", map[string]any{"role": scale.RoleName(7)}), trips{Reads: 2}},
		{"read role", read("roles/" + scale.RoleName(7)), trips{Reads: 1}},
		{"read static role", read("static-roles/" + scale.StaticRoleName(7)), trips{Reads: 1}},
		{"read static creds", read("static-creds/" + scale.StaticRoleName(7)), trips{Reads: 2}},
		{"read user", read("users/" + scale.UserName(7)), trips{Reads: 1}},
		{"lookup", func() { m.mustWrite("lookup", map[string]any{"access_key": "AKIA0000000000000007"}) }, trips{Reads: 1}},
		{"tidy-status", read("tidy-status"), trips{Lists: 1}},
		{"creds of an IAM user", read("creds/x"), trips{Reads: 3, Writes: 3}},
		{"creds of a session", read("creds/fed"), trips{Reads: 2}},
		{"renew", func() {
			if _, err := m.renew(user.secret); err != nil {
				t.Error(err)
			}
		}, trips{Reads: 3, Writes: 1}},
		{"revoke", func() {
			if err := m.revoke(user.secret); err != nil {
				t.Error(err)
			}
		}, trips{Reads: 2, Writes: 2}},
		{"take over a user", func() { m.mustWrite("static-roles/mine", map[string]any{"username": "svc", "rotation_period": "1h"}) }, trips{Lists: 1, Reads: 9, Writes: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			storage.since()
			c.ask()
			got, byKind := storage.since()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("storage trips (-want +got):\n%s\nby kind: %v", diff, byKind)
			}
		})
	}
}

// TestRequestsRightAfterStart: nothing waits for the reading of all records, and
// what needs all static roles reads them itself.
func TestRequestsRightAfterStart(t *testing.T) {
	t.Parallel()
	storage := &countingStorage{Storage: &logical.InmemStorage{}}
	if err := scale.Plant(t.Context(), storage, larger, time.Now()); err != nil {
		t.Fatal(err)
	}
	m := newMountOver(t, inProcess, backend.Options{Version: "v0.0.1"}, &faultyStorage{Storage: storage, fail: storageFault{verb: "get", prefix: "users/", wait: func() { <-t.Context().Done() }}})
	m.configured().mustWrite("roles/x", plainUser())
	m.mustRead("creds/x")
	m.mustRead("roles/" + scale.RoleName(7))
	m.sim.PutUser(m.admin.Account, "svc", "")
	m.mustWrite("static-roles/mine", map[string]any{"username": "svc", "rotation_period": "1h"})
	m.wantError(m.write("static-roles/other", map[string]any{"username": "svc", "rotation_period": "1h"}), http.StatusBadRequest, "is taken")
	if got := m.request(m.Context(), logical.DeleteOperation, "static-roles/mine", nil); got.error != "" {
		t.Fatalf("delete static-roles/mine: %d %s", got.status, got.error)
	}
	m.mustWrite("static-roles/other", map[string]any{"username": "svc", "rotation_period": "1h"})
}
