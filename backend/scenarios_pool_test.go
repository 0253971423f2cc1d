package backend_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func poolScenarios() []scenario {
	return []scenario{
		{"pool: a read takes a user that is ready, although AWS is out of reach", poolNeedsNoAWS},
		{"pool: what it hands out is what a new user is", poolIsLikeNew},
		{"pool: who got a user is in its record; it is named with the display name pool", poolBearer},
		{"pool: an empty one issues as ever, and is filled again", poolIsEmpty},
		{"pool: with propagation_timeout the answer says ready", func(m *mount) {
			m.pooled(with(plainUser(), "propagation_timeout", 25), 1)
			got := m.mustRead("creds/x")
			if got.data["ready"] != true || got.data["ready_after"] == nil {
				m.Errorf("answer = %v", got.data)
			}
		}},
		{"pool: a user from it is renewed and revoked", func(m *mount) {
			m.pooled(plainUser(), 1)
			got := m.mustRead("creds/x")
			m.mustWrite("roles/x", with(plainUser(), "pool_size", 0))
			_, err := m.renew(got.secret)
			m.must(err)
			m.must(m.revoke(got.secret))
			m.awaitPool(0)
			m.wantUsers(1) // the root user
		}},
		{"pool: ends with its role", func(m *mount) { m.poolEnds(func() { m.delete("roles/x") }, 0) }},
		{"pool: ends when the role has none any more", func(m *mount) { m.poolEnds(func() { m.mustWrite("roles/x", map[string]any{"pool_size": 0}) }, 0) }},
		{"pool: is made anew when the role changes", func(m *mount) { m.poolEnds(func() { m.mustWrite("roles/x", map[string]any{"iam_tags": "a=b"}) }, 2) }},
		{"pool: is made anew when the root config changes", func(m *mount) {
			m.poolEnds(func() { m.mustWrite("config/root", map[string]any{"iam_owner_tags": true}) }, 2)
		}},
		{"pool: is made anew when a template names users otherwise", func(m *mount) {
			m.poolEnds(func() { m.mustWrite("config/root", map[string]any{"username_template": "app-{{ random 40 }}"}) }, 2)
		}},
		{"pool: is left alone by what changes none of its users", poolStays},
		{"pool: a role that the mount's limits forbid has none", func(m *mount) {
			m.poolEnds(func() { m.mustWrite("config/root", map[string]any{"allowed_user_paths": "/apps/*"}) }, 0)
		}},
		{"pool: too old", poolTooOld},
		{"pool: a restart throws away what another process made", poolRestart},
		{"pool: draining ends it, and waits for that", poolDrained},
		{"pool: no user is taken or made while storage seems to have been restored", poolRestored},
		{"pool: counts against max_users", poolCaps},
		{"pool: with an expiry policy, which ends after the last lease that a user in it can have", poolExpiry},
		{"pool: a record that cannot be rewritten costs the user, not its secrecy", poolUnwritten},
		{"pool: keys are in no storage, log or list", poolSecrets},
		{"pool: bad input", poolBadInput},
		{"pool: a mount has a hundred users in all", poolTotal},
	}
}

// pooled writes a role with a pool to a mount whose clock does not wait, and waits
// until it is full.
func (m *mount) pooled(role map[string]any, size int) *skippingClock {
	m.Helper()
	clock := m.rotatable()
	clock.follow(m.sim.Advance)
	m.mustWrite("roles/x", with(role, "pool_size", size))
	m.awaitPool(size)
	return clock
}

// awaitPool waits until so many users are ready, and no more are there or being
// made.
func (m *mount) awaitPool(size int) {
	m.Helper()
	m.await(fmt.Sprintf("%d users are ready", size), func() bool {
		status := m.mustRead("tidy-status").data
		return fmt.Sprint(status["pooled_ready"], status["pooled_users"], status["condemned_users"], status["journal_entries"]) == fmt.Sprint(size, size, 0, 0)
	})
}

// inPool are the names of the pooled users by record.
func (m *mount) inPool() (names []string) {
	m.Helper()
	for name, r := range m.records() {
		if r.State == lifecycle.Pooled {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func poolNeedsNoAWS(m *mount) {
	m.pooled(plainUser(), 2)
	m.sim.Inject(awssim.Fault{Action: "*", Kind: awssim.FaultReset})
	first, second := m.mustRead("creds/x"), m.mustRead("creds/x")
	if first.data["access_key"] == second.data["access_key"] {
		m.Errorf("both got key %v", first.data["access_key"])
	}
	m.wantError(m.read("creds/x"), http.StatusServiceUnavailable)
}

func poolIsLikeNew(m *mount) {
	m.pooled(with(plainUser(), "policy_arns", "arn:aws:iam::aws:policy/ReadOnlyAccess"), 1)
	m.mustWrite("roles/y", with(plainUser(), "policy_arns", "arn:aws:iam::aws:policy/ReadOnlyAccess"))
	m.sim.Inject(awssim.Fault{Action: "*", Kind: awssim.FaultReset})
	taken := m.mustRead("creds/x")
	m.sim.ClearFaults()
	made := m.mustRead("creds/y")
	shape := func(a answer) map[string]any {
		lease := maps.Clone(a.secret.InternalData)
		for _, own := range []string{"username", "access_key_id", "role", "policy_names"} {
			if lease[own] == nil {
				m.Errorf("lease without %s: %v", own, a.secret.InternalData)
			}
			delete(lease, own)
		}
		return map[string]any{
			"data": slices.Sorted(maps.Keys(a.data)), "lease": fmt.Sprint(lease), "warnings": len(a.warnings),
			"ttl": a.secret.TTL, "max": a.secret.MaxTTL, "renewable": a.secret.Renewable,
		}
	}
	if diff := cmp.Diff(shape(made), shape(taken)); diff != "" {
		m.Errorf("answer (-new +from the pool):\n%s", diff)
	}
	self := rawCredentials{AccessKeyID: taken.data["access_key"].(string), SecretAccessKey: taken.data["secret_key"].(string)}
	m.mustBeKnown(self)
}

func poolBearer(m *mount) {
	m.pooled(plainUser(), 1)
	name := m.inPool()[0]
	if !strings.HasPrefix(name, "vault-pool-x-") {
		m.Errorf("name = %s", name)
	}
	before := plain(m, m.mustRead("users/"+name).data)
	req := &logical.Request{Operation: logical.ReadOperation, Path: "creds/x", Storage: m.storage, DisplayName: "token-a", EntityID: "entity-a", ID: "request-a"}
	if _, err := m.backend.HandleRequest(m.Context(), req); err != nil {
		m.Fatal(err)
	}
	after := plain(m, m.mustRead("users/"+name).data)
	for field, want := range map[string][2]any{
		"state": {"pooled", "issued"}, "role": {"x", "x"}, "display_name": {"pool", "token-a"}, "entity_id": {"", "entity-a"}, "request_id": {"", "request-a"},
	} {
		if before[field] != want[0] || after[field] != want[1] {
			m.Errorf("%s = %v, then %v; want %v", field, before[field], after[field], want)
		}
	}
	if before["process"] == nil || before["deadline"] != nil || after["process"] != nil || after["deadline"] == nil || after["made"] != before["issued"] {
		m.Errorf("before %v, after %v", before, after)
	}
}

func poolIsEmpty(m *mount) {
	m.pooled(plainUser(), 2)
	keys := map[any]bool{}
	for range 6 {
		keys[m.mustRead("creds/x").data["access_key"]] = true
	}
	if len(keys) != 6 {
		m.Errorf("%d keys were handed out in 6 reads", len(keys))
	}
	m.awaitPool(2)
}

// poolEnds has something end the pool of two users: none of them is left, and so
// many others are there.
func (m *mount) poolEnds(change func(), then int) {
	m.Helper()
	m.pooled(plainUser(), 2)
	before := m.inPool()
	change()
	m.await("the users are gone", func() bool {
		return !slices.ContainsFunc(m.users(), func(user string) bool { return slices.Contains(before, user) })
	})
	m.awaitPool(then)
	m.wantUsers(1 + then)
}

func poolStays(m *mount) {
	m.pooled(plainUser(), 2)
	before := m.inPool()
	m.mustWrite("config/root", map[string]any{"max_users": 100, "max_retries": 2, "rotation_period": "720h"})
	m.mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	if got := m.rotate(); got.status != http.StatusOK {
		m.Errorf("rotate-root: %d %s", got.status, got.error)
	}
	m.tick()
	m.awaitPool(2)
	if diff := cmp.Diff(before, m.inPool()); diff != "" {
		m.Errorf("users (-before +after):\n%s", diff)
	}
	if user := m.mustRead("creds/x").secret.InternalData["username"]; !slices.Contains(before, user.(string)) {
		m.Errorf("user %s is not of the pool", user)
	}
}

func poolTooOld(m *mount) {
	clock := m.pooled(with(plainUser(), "pool_max_age", "1h"), 2)
	before := m.inPool()
	clock.advance(time.Hour + time.Minute)
	m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "AccessDenied")
	m.sim.ClearFaults()
	m.await("the worker has tried again", func() bool {
		clock.advance(time.Minute)
		m.tick()
		return len(m.inPool()) == 2 && !slices.Contains(m.inPool(), before[0])
	})
	m.awaitPool(2)
	for _, user := range before {
		if slices.Contains(m.users(), user) {
			m.Errorf("user %s is left", user)
		}
	}
}

func poolRestart(m *mount) {
	m.pooled(plainUser(), 2)
	before := m.inPool()
	m.backend.Cleanup(m.Context())
	for range 2 { // the first one learns which account it is
		if got := m.read("creds/x"); got.status == http.StatusOK && slices.Contains(before, fmt.Sprint(got.secret.InternalData["username"])) {
			m.Error("a user was taken after the end")
		}
	}
	m.reload()
	m.await("the users of the first process are gone", func() bool {
		return !slices.ContainsFunc(m.users(), func(user string) bool { return slices.Contains(before, user) })
	})
	m.awaitPool(2)
}

func poolDrained(m *mount) {
	m.pooled(plainUser(), 2)
	m.mustWrite("tidy", map[string]any{"drain": true})
	m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, "drained")
	m.await("the mount is drained", func() bool { return m.mustRead("tidy-status").data["drained"] == true })
	m.wantUsers(1)
	m.mustWrite("tidy", map[string]any{"drain": false})
	m.tick()
	m.awaitPool(2)
}

func poolRestored(m *mount) {
	m.pooled(plainUser(), 1)
	before := m.inPool()
	m.backend.Cleanup(m.Context())
	entry, err := m.storage.Storage.Get(m.Context(), "journal/mount")
	m.must(err)
	var state lifecycle.MountState
	m.must(entry.DecodeJSON(&state))
	state.Restored = "as the test wants it"
	m.put("journal/mount", state)
	m.reload()
	m.tick()
	m.mustRead("creds/x") // a new one
	m.tick()
	if diff := cmp.Diff(before, m.inPool()); diff != "" {
		m.Errorf("pool (-before +after):\n%s", diff)
	}
	m.mustWrite("tidy", map[string]any{"confirm_restore": true})
	m.tick()
	m.awaitPool(1)
	if slices.Contains(m.users(), before[0]) {
		m.Error("the user of the first process is left")
	}
}

func poolCaps(m *mount) {
	m.pooled(with(plainUser(), "max_users", 2), 2)
	m.mustRead("creds/x")
	got := m.mustRead("creds/x")
	m.wantError(m.read("creds/x"), http.StatusTooManyRequests, "max_users")
	m.tick()
	m.wantUsers(1 + 2)
	m.must(m.revoke(got.secret))
	m.tick()
	m.awaitPool(1)
}

func poolExpiry(m *mount) {
	m.rotatable()
	m.mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	clock := m.pooled(with(with(plainUser(), "expiry_policy", true), "pool_max_age", "10h"), 1)
	m.mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
	m.tick()
	m.awaitPool(1)
	ends := clock.Now().UTC().Add(10*time.Hour + 2*time.Hour + lifecycle.DeadlineGrace)
	if document := m.user(m.inPool()[0]).InlinePolicies["vault-aws-expiry"]; !strings.Contains(document, ends.Format("2006-01-02T15")) {
		m.Errorf("policy %s does not end at about %s", document, ends)
	}
	before := m.inPool()
	m.mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "20h"})
	m.mustRead("creds/x")
	if r := m.records()[before[0]]; r.State == lifecycle.Issued {
		m.Error("a user was handed out whose policy ends before its lease can")
	}
}

func poolUnwritten(m *mount) {
	clock := m.pooled(plainUser(), 1)
	before := m.inPool()[0]
	m.storage.set(storageFault{verb: "put", prefix: "users/", err: fmt.Errorf("disk"), after: true})
	if got := m.read("creds/x"); got.status != http.StatusInternalServerError {
		m.Errorf("answer = %d %v", got.status, got.data)
	}
	m.storage.set(storageFault{})
	m.await("the user is gone", func() bool {
		clock.advance(time.Minute) // the next try, should a pass have met the fault, too
		m.tick()
		return !slices.Contains(m.users(), before)
	})
	got := m.mustRead("creds/x")
	if got.secret.InternalData["username"] == before {
		m.Error("it was handed out")
	}
}

func poolSecrets(m *mount) {
	m.pooled(plainUser(), 3)
	listed := fmt.Sprint(m.list("users").data, m.mustRead("tidy-status").data, m.read("users/"+m.inPool()[0]).data)
	first := m.mustRead("creds/x").data["secret_key"].(string)
	var stored strings.Builder
	keys, err := logical.CollectKeys(m.Context(), m.storage.Storage)
	m.must(err)
	for _, key := range keys {
		entry, err := m.storage.Storage.Get(m.Context(), key)
		m.must(err)
		if entry != nil {
			stored.Write(entry.Value)
		}
	}
	for where, text := range map[string]string{"a list": listed, "storage": stored.String(), "the log": m.log.String()} {
		if strings.Contains(text, first) {
			m.Errorf("the secret key is in %s", where)
		}
	}
}

func poolBadInput(m *mount) {
	m.configured()
	for _, tc := range []struct {
		role  map[string]any
		words []string
	}{
		{with(plainUser(), "pool_size", 21), []string{"pool_size 21", "0 (no pool) to 20"}},
		{with(plainUser(), "pool_size", -1), []string{"pool_size -1"}},
		{with(plainUser(), "pool_max_age", "9m"), []string{"pool_max_age 9m0s", "10m0s", "720h0m0s"}},
		{with(plainUser(), "pool_max_age", "721h"), []string{"pool_max_age"}},
		{with(with(plainUser(), "pool_size", 5), "max_users", 4), []string{"pool_size 5", "max_users 4"}},
		{map[string]any{"credential_type": "session_token", "pool_size": 1}, []string{"pool_size", "iam_user"}},
		{map[string]any{"credential_type": "session_token", "pool_max_age": "1h"}, []string{"pool_max_age", "iam_user"}},
	} {
		m.wantError(m.write("roles/x", tc.role), http.StatusBadRequest, tc.words...)
	}
	m.mustWrite("config/root", map[string]any{"username_template": "app-{{ .DisplayName }}-{{ random 3 }}"})
	m.wantWarning(m.mustWrite("roles/x", with(plainUser(), "pool_size", 1)), "pool_size", "username_template")
}

func poolTotal(m *mount) {
	m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.configured()
	for i := range 5 {
		m.mustWrite(fmt.Sprintf("roles/r%d", i), with(plainUser(), "pool_size", 20))
	}
	m.wantError(m.write("roles/x", with(plainUser(), "pool_size", 1)), http.StatusBadRequest, "pool_size 1", "101 users together", "100")
	m.mustWrite("roles/r0", with(plainUser(), "pool_size", 20))
	m.mustWrite("roles/r0", with(plainUser(), "pool_size", 19))
	m.mustWrite("roles/x", with(plainUser(), "pool_size", 1))
	m.delete("roles/r1")
	m.mustWrite("roles/y", with(plainUser(), "pool_size", 20))
}

// TestPoolOfAStandby: a node that owns no users makes none ahead of time, and
// hands out none.
func TestPoolOfAStandby(t *testing.T) {
	m := newMount(t, inProcess)
	m.pooled(plainUser(), 1)
	before := m.inPool()
	standby(m.system)
	m.tick()
	got := m.read("creds/x")
	if got.secret != nil && got.secret.InternalData["username"] == before[0] {
		t.Error("a standby handed out a user of the pool")
	}
	m.backend.Cleanup(t.Context())
	m.reload()
	m.tick()
	if diff := cmp.Diff(before, m.inPool()); diff != "" {
		t.Errorf("pool (-before +after):\n%s", diff)
	}
}
