package backend_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

func staticScenarios() []scenario {
	return []scenario{
		{"static: write, read, list, delete", staticLife},
		{"static: bad input is a 400 that names the field", staticBadInput},
		{"static: rotated by period; the previous key works until the next time", staticPeriod},
		{"static: grace ends the previous key", staticGrace},
		{"static: rotated by hand", func(m *mount) {
			m.static(map[string]any{"rotation_period": 0})
			before := m.staticKey()
			if got := m.write("rotate-role/x", nil); got.status != http.StatusNoContent {
				m.Fatalf("rotate-role: %d %s", got.status, got.error)
			}
			m.wantStatic(before)
			if got := m.mustRead("static-creds/x").data; got["expiration"] != nil || got["ttl"] != nil {
				m.Errorf("expiration, ttl = %v, %v", got["expiration"], got["ttl"])
			}
			m.wantError(m.write("rotate-role/nobody", nil), http.StatusBadRequest, "nobody")
		}},
		{"static: a changed period holds at once, also after a reload", staticChangedPeriod},
		{"static: adoption of a user with two keys", staticAdoption},
		{"static: a foreign key stops the rotation and stays", staticForeign},
		{"static: a stored key that a human deleted is replaced (W53)", func(m *mount) {
			m.static(map[string]any{"rotation_period": "1h", "grace": "0"})
			user, stored := "app", m.staticKey()
			_, err := m.iam().DeleteAccessKey(m.Context(), &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &stored.AccessKey})
			m.must(err)
			if got := m.write("rotate-role/x", nil); got.status != http.StatusNoContent {
				m.Fatalf("rotate-role: %d %s", got.status, got.error)
			}
			if now := m.staticKey(); now == stored || !m.works(now) {
				m.Errorf("key %s works %v", now.AccessKey, m.works(now))
			}
			if text := m.log.String(); strings.Contains(text, "not deactivated") {
				m.Error("the log complains of a key that is gone")
			}
		}},
		{"static: the key before one that a human deleted goes with the next rotation", staticPreviousOfDeleted},
		{"static: users who are somebody else's business", staticRefused},
		{"static: a user of another account", staticOtherAccount},
		{"static: every failing call leaves the stored key and no other of ours", staticFailing},
		{"static: storage that fails leaves nothing behind", staticStorage},
		{"static: a role whose first key is not stored is not stored (W42)", staticFirstKeyLost},
		{"static: a user made anew is not the user (W53)", staticRecreated},
		{"static: a key that AWS does not let us delete is not forgotten (W40)", staticDeleteDenied},
		{"static: records of the built-in engine are read and rotated", staticBuiltin},
		{"static: a role without a period is stored with one that the built-in engine can keep", func(m *mount) {
			m.static(map[string]any{"rotation_schedule": "0 0 * * 0"})
			m.wantStored("static-roles/x", "rotation_period", float64(7*24*time.Hour))
			m.mustWrite("static-roles/x", map[string]any{"rotation_schedule": ""})
			m.wantStored("static-roles/x", "rotation_period", float64(100*365*24*time.Hour))
			m.mustWrite("static-roles/x", map[string]any{"rotation_period": "1h"})
			m.wantStored("static-roles/x", "rotation_period", float64(time.Hour))
		}},
		{"static: one slow role delays nobody (W47)", staticSlow},
	}
}

// static configures the mount and writes static role x of user app.
func (m *mount) static(fields map[string]any) *skippingClock {
	m.Helper()
	clock := m.rotatable()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	role := map[string]any{"username": "app"}
	for field, value := range fields {
		role[field] = value
	}
	m.mustWrite("static-roles/x", role)
	return clock
}

func (m *mount) staticKey() awssim.Credentials {
	m.Helper()
	data := m.mustRead("static-creds/x").data
	return awssim.Credentials{AccessKey: data["access_key"].(string), SecretKey: data["secret_key"].(string)}
}

// works reports whether AWS accepts a key.
func (m *mount) works(key awssim.Credentials) bool {
	client := sts.NewFromConfig(simtest.Config(m.endpoint, key))
	_, err := client.GetCallerIdentity(m.Context(), &sts.GetCallerIdentityInput{})
	return err == nil
}

// wantStatic checks that the stored key is a new one that works, and that the one
// before works too.
func (m *mount) wantStatic(before awssim.Credentials) {
	m.Helper()
	now := m.staticKey()
	if now == before || !m.works(now) || !m.works(before) {
		m.Errorf("key %s (works %v), before %s (works %v)", now.AccessKey, m.works(now), before.AccessKey, m.works(before))
	}
	m.wantStaticJournal(0)
}

func (m *mount) wantStaticJournal(count int) {
	m.Helper()
	left, err := m.storage.Storage.List(m.Context(), "journal/static-key/")
	m.must(err)
	if len(left) != count {
		m.Errorf("journal = %v", left)
	}
}

func staticLife(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "24h"})
	id := m.user("app").ID
	want := map[string]any{
		"name": "x", "id": id, "username": "app", "rotation_period": 86400, "rotation_schedule": "", "grace": nil,
		"key_adoption": "replace_inactive", "assume_role_arn": "", "assume_role_session_name": "", "external_id": "",
	}
	if diff := cmp.Diff(want, plain(m, m.mustRead("static-roles/x").data)); diff != "" {
		m.Errorf("role (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"keys": []any{"x"}}, plain(m, m.list("static-roles").data)); diff != "" {
		m.Errorf("list (-want +got):\n%s", diff)
	}
	creds := plain(m, m.mustRead("static-creds/x").data)
	made, err := time.Parse(time.RFC3339, creds["last_vault_rotation"].(string))
	m.must(err)
	if got := creds["expiration"]; got != made.Add(24*time.Hour).Format(time.RFC3339) || creds["rotation_period"] != 86400 || creds["ttl"].(int) < 86300 {
		m.Errorf("creds = %v", creds)
	}
	if !m.works(m.staticKey()) {
		m.Error("the key does not work")
	}
	clock.advance(time.Minute)
	if got := m.delete("static-roles/x"); got.status != http.StatusNoContent {
		m.Fatalf("delete: %d %s", got.status, got.error)
	}
	m.wantError(m.read("static-roles/x"), http.StatusNotFound)
	m.wantError(m.read("static-creds/x"), http.StatusNotFound)
	m.wantError(m.list("static-roles"), http.StatusNotFound)
	if keys := m.user("app").Keys; len(keys) != 1 {
		m.Errorf("keys = %v, want the one from before", keys)
	}
	if got := m.delete("static-roles/x"); got.status != http.StatusNoContent {
		m.Errorf("second delete: %d", got.status)
	}
}

func staticBadInput(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	for _, tc := range []struct {
		send  map[string]any
		words []string
	}{
		{map[string]any{"rotation_period": "1h"}, []string{"username"}},
		{map[string]any{"username": "app"}, []string{"rotation_period"}},
		{map[string]any{"username": "app", "rotation_period": 59}, []string{"rotation_period", "1m0s"}},
		{map[string]any{"username": "app", "rotation_period": 60, "rotation_schedule": "0 0 * * *"}, []string{"rotation_schedule"}},
		{map[string]any{"username": "app", "rotation_schedule": "daily"}, []string{"rotation_schedule"}},
		{map[string]any{"username": "app", "rotation_schedule": "0 0 30 2 *"}, []string{"rotation_schedule", "never"}},
		{map[string]any{"username": "app", "rotation_period": 60, "key_adoption": "all"}, []string{"key_adoption", "replace_oldest"}},
		{map[string]any{"username": "app", "rotation_period": 60, "grace": "soon"}, []string{"grace"}},
		{map[string]any{"username": "app", "rotation_period": 60, "external_id": "e"}, []string{"assume_role_arn"}},
		{map[string]any{"username": "nobody", "rotation_period": 60}, []string{"NoSuchEntity", "nobody"}},
	} {
		m.wantError(m.write("static-roles/new", tc.send), http.StatusBadRequest, tc.words...)
	}
	m.wantError(m.read("static-roles/new"), http.StatusNotFound)
	m.wantError(m.write("static-roles/x", map[string]any{"username": "other"}), http.StatusBadRequest, "cannot change")
	m.wantError(m.write("static-roles/x", map[string]any{"rotation_period": 5}), http.StatusBadRequest, "rotation_period")
}

func staticPeriod(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	first := m.staticKey()
	m.after(clock, 59*time.Minute)
	if m.staticKey() != first {
		m.Error("rotated too early")
	}
	m.after(clock, 2*time.Minute)
	m.wantStatic(first)
	second := m.staticKey()
	if got := m.mustRead("static-creds/x").data; got["previous_valid_until"] != got["expiration"] {
		m.Errorf("previous_valid_until = %v", got["previous_valid_until"])
	}
	m.after(clock, 61*time.Minute)
	m.wantStatic(second)
	if m.works(first) {
		m.Error("the key before the previous one still works")
	}
}

func staticGrace(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "24h", "grace": "1h"})
	first := m.staticKey()
	m.after(clock, 25*time.Hour)
	m.wantStatic(first)
	m.after(clock, 61*time.Minute)
	if m.works(first) || !m.works(m.staticKey()) {
		m.Error("the previous key works beyond its grace, or the current one does not")
	}
	if got := m.mustRead("static-creds/x").data["previous_valid_until"]; got != nil {
		m.Errorf("previous_valid_until = %v", got)
	}
	m.mustWrite("static-roles/x", map[string]any{"grace": "0"})
	second := m.staticKey()
	m.write("rotate-role/x", nil)
	if m.works(second) || !m.works(m.staticKey()) {
		m.Error("without grace the previous key works on, or the current one does not")
	}
}

func staticChangedPeriod(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "240h"})
	first := m.staticKey()
	clock.advance(2 * time.Hour)
	m.mustWrite("static-roles/x", map[string]any{"rotation_period": "1h"})
	m.backend.Cleanup(m.Context())
	m.reload()
	m.after(clock, 0)
	m.wantStatic(first)
	if got := plain(m, m.mustRead("static-roles/x").data)["rotation_period"]; got != 3600 {
		m.Errorf("rotation_period = %v", got) // W43
	}
}

// secondKey gives user app another key.
func (m *mount) secondKey() string {
	m.Helper()
	user := "app"
	out, err := m.iam().CreateAccessKey(m.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	m.must(err)
	return *out.AccessKey.AccessKeyId
}

func (m *mount) appKeys() (ids []string) {
	m.Helper()
	for _, key := range m.user("app").Keys {
		ids = append(ids, key.ID)
	}
	slices.Sort(ids)
	return ids
}

func staticAdoption(m *mount) {
	m.rotatable()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	first := m.sim.PutUser(m.admin.Account, "app", ec2Policy).AccessKey
	m.sim.Advance(10 * time.Second)
	second := m.secondKey()
	role := map[string]any{"username": "app", "rotation_period": "1h"}
	m.wantError(m.write("static-roles/x", role), http.StatusBadRequest, first, second, "active", "never used", "key_adoption=replace_oldest")
	m.wantError(m.write("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h", "key_adoption": "fail"}), http.StatusBadRequest, "two keys")
	if got := len(m.appKeys()); got != 2 {
		m.Errorf("%d keys", got)
	}
	user := "app"
	_, err := m.iam().UpdateAccessKey(m.Context(), &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &second, Status: types.StatusTypeInactive})
	m.must(err)
	m.mustWrite("static-roles/x", role)
	if keys := m.appKeys(); !slices.Contains(keys, first) || slices.Contains(keys, second) {
		m.Errorf("keys = %v, want the active one kept", keys)
	}
	m.delete("static-roles/x")
	m.sim.Advance(10 * time.Second)
	third := m.secondKey()
	m.mustWrite("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h", "key_adoption": "replace_oldest"})
	if keys := m.appKeys(); slices.Contains(keys, first) || !slices.Contains(keys, third) {
		m.Errorf("keys = %v, want the older one gone", keys)
	}
}

// deleteKeysBut deletes all other keys of user app, as a human would.
func (m *mount) deleteKeysBut(keep string) {
	m.Helper()
	user := "app"
	for _, id := range m.appKeys() {
		if id != keep {
			_, err := m.iam().DeleteAccessKey(m.Context(), &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
			m.must(err)
		}
	}
}

func staticForeign(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	stored := m.staticKey()
	m.deleteKeysBut(stored.AccessKey)
	m.sim.Advance(10 * time.Second)
	foreign := m.secondKey()
	m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, foreign, "somebody else")
	if keys := m.appKeys(); len(keys) != 2 || m.staticKey() != stored {
		m.Errorf("keys = %v", keys)
	}
	if got := m.mustRead("static-creds/x").data["last_rotation_error"]; !strings.Contains(got.(string), foreign) {
		m.Errorf("last_rotation_error = %v", got)
	}
}

func staticRefused(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.wantError(m.write("static-roles/y", map[string]any{"username": "app", "rotation_period": "1h"}), http.StatusBadRequest, `static role "x"`)
	m.wantError(m.write("static-roles/y", map[string]any{"username": m.admin.UserName, "rotation_period": "1h"}), http.StatusBadRequest, "root user of this mount")
	m.mustRead("creds/x")
	leased := slices.DeleteFunc(m.users(), func(name string) bool { return !strings.HasPrefix(name, "vault-") })[0]
	m.wantError(m.write("static-roles/y", map[string]any{"username": leased, "rotation_period": "1h"}), http.StatusBadRequest, "lease would delete it")
	m.mustWrite("config/root", map[string]any{"allowed_usernames": "svc-*"})
	m.wantError(m.write("static-roles/y", map[string]any{"username": "engine", "rotation_period": "1h"}), http.StatusBadRequest, "allowed_usernames", "svc-*")
	m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, "allowed_usernames")
	m.wantError(m.read("static-roles/y"), http.StatusNotFound)
}

func staticOtherAccount(m *mount) {
	clock := m.rotatable()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	other := m.sim.AddAccount("210987654321")
	m.sim.PutUser(other.Account, "app", ec2Policy)
	m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	withID := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + m.admin.Account + `:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"e1"}}}]}`
	arn := m.sim.PutRole(other.Account, "rotator", withID, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`)
	m.wantError(m.write("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h", "assume_role_arn": arn}), http.StatusBadRequest, "sts:AssumeRole")
	m.mustWrite("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h", "assume_role_arn": arn, "external_id": "e1"})
	first := m.staticKey()
	m.after(clock, 61*time.Minute)
	m.wantStatic(first)
	if keys := m.user("app").Keys; len(keys) != 1 {
		m.Errorf("the user of the root's account has keys %v", keys)
	}
	m.mustRead("creds/x") // the root client is still the root's (W36)
	m.wantError(m.delete("static-roles/x"), http.StatusNoContent)
	if keys := m.sim.State().Accounts[other.Account].Users["app"].Keys; len(keys) != 1 && len(keys) != 0 {
		m.Errorf("keys = %v", keys)
	}
}

func staticFailing(m *mount) {
	clock := m.static(map[string]any{"rotation_period": 0})
	for _, action := range []string{"iam:GetUser", "iam:ListAccessKeys", "iam:CreateAccessKey", "sts:GetCallerIdentity"} {
		for _, when := range []awssim.FaultTime{awssim.BeforeEffect, awssim.AfterEffect} {
			stored := m.staticKey()
			m.sim.Inject(awssim.Fault{Action: action, When: when, Kind: awssim.FaultError, Status: 500})
			m.wantError(m.write("rotate-role/x", nil), http.StatusServiceUnavailable)
			m.sim.ClearFaults()
			clock.advance(6 * time.Minute)
			m.tick()
			if m.staticKey() != stored || !m.works(stored) || len(m.appKeys()) > 2 {
				m.Errorf("%s %s: keys %v, stored %s", action, when, m.appKeys(), m.staticKey().AccessKey)
			}
			m.wantStaticJournal(0)
		}
	}
	m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Count: 1, When: awssim.AfterEffect, Kind: awssim.FaultReset})
	stored := m.staticKey()
	if got := m.write("rotate-role/x", nil); got.status != http.StatusNoContent {
		m.Fatalf("a lost answer costs the rotation: %s", got.error)
	}
	m.wantStatic(stored)
}

func staticStorage(m *mount) {
	clock := m.static(map[string]any{"rotation_period": 0})
	for _, f := range []storageFault{
		{verb: "put", prefix: "journal/", err: errors.New("disk")},
		{verb: "put", prefix: "static-creds/", err: errors.New("disk")},
		{verb: "put", prefix: "static-creds/", err: errors.New("disk"), after: true},
		{verb: "put", prefix: "static-roles/", err: errors.New("disk")},
	} {
		m.storage.set(f)
		m.write("rotate-role/x", nil)
		m.storage.set(storageFault{})
		clock.advance(6 * time.Minute)
		m.tick()
		if !m.works(m.staticKey()) {
			m.Errorf("%+v: the stored key does not work", f)
		}
		m.wantStaticJournal(0)
		if got := m.write("rotate-role/x", nil); got.status != http.StatusNoContent {
			m.Errorf("%+v: the next rotation fails: %s", f, got.error)
		}
	}
}

func staticFirstKeyLost(m *mount) {
	m.rotatable()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	m.storage.set(storageFault{verb: "put", prefix: "static-creds/", err: errors.New("disk")})
	m.wantError(m.write("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h"}), http.StatusInternalServerError, "disk")
	m.storage.set(storageFault{})
	m.wantError(m.read("static-roles/x"), http.StatusNotFound)
	m.wantStaticJournal(0)
	if keys := m.appKeys(); len(keys) != 1 {
		m.Errorf("keys = %v", keys)
	}
}

func staticRecreated(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.humanDeletes(m.user("app"))
	m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, "another one", "write it again")
	if got := m.mustRead("static-creds/x").data["last_rotation_error"]; got == "" {
		m.Error("the failure is not shown")
	}
}

func staticDeleteDenied(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.wantError(m.delete("static-roles/x"), http.StatusBadRequest, "iam:DeleteAccessKey")
	m.sim.ClearFaults()
	m.staticKey()
	if got := m.delete("static-roles/x"); got.status != http.StatusNoContent {
		m.Errorf("delete: %s", got.error)
	}
	if keys := m.appKeys(); len(keys) != 1 {
		m.Errorf("keys = %v", keys)
	}
}

func staticBuiltin(m *mount) {
	clock := m.rotatable()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	key := m.sim.PutUser(m.admin.Account, "app", ec2Policy)
	m.put("static-roles/x", map[string]any{"name": "x", "id": m.user("app").ID, "username": "app", "rotation_period": time.Hour})
	m.put("static-creds/x", map[string]any{"access_key": key.AccessKey, "secret_key": key.SecretKey})
	if m.staticKey().AccessKey != key.AccessKey {
		m.Error("the stored key is not read")
	}
	if got := m.mustRead("static-creds/x").data; got["expiration"] == nil || got["ttl"] == nil {
		m.Errorf("a key without expiration does not say when it will be rotated: %v", got)
	}
	m.after(clock, 0)
	if got := m.mustRead("static-creds/x").data["expiration"]; got == nil {
		m.Error("a key without expiration is not scheduled") // W37
	}
	m.after(clock, 61*time.Minute)
	m.wantStatic(awssim.Credentials{AccessKey: key.AccessKey, SecretKey: key.SecretKey})
}

// wantStored checks one field of a stored record.
func (m *mount) wantStored(key, field string, want any) {
	m.Helper()
	if got := m.stored(key)[field]; got != want {
		m.Errorf("%s of %s = %v, want %v", field, key, got, want)
	}
}

// stored is a record as it lies in the storage.
func (m *mount) stored(key string) (record map[string]any) {
	m.Helper()
	entry, err := m.storage.Storage.Get(m.Context(), key)
	m.must(err)
	m.must(json.Unmarshal(entry.Value, &record))
	return record
}

func staticSlow(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	first := m.staticKey()
	m.sim.PutUser(m.admin.Account, "slow", ec2Policy)
	m.mustWrite("static-roles/a-slow-one", map[string]any{"username": "slow", "rotation_period": "30m"}) // due first
	m.sim.Inject(awssim.Fault{Action: "iam:*", Target: "slow", Kind: awssim.FaultHang})
	clock.advance(61 * time.Minute)
	m.tick() // returns after five seconds: the slow one is still under way
	m.wantStatic(first)
	m.sim.ClearFaults()
}

// staticPreviousOfDeleted: once a new key is stored nobody remembers the key
// before the one that is gone, so it must not stay.
func staticPreviousOfDeleted(m *mount) {
	m.static(map[string]any{"rotation_period": 0})
	m.mustWrite("rotate-role/x", nil)
	user, stored := "app", m.staticKey()
	_, err := m.iam().DeleteAccessKey(m.Context(), &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &stored.AccessKey})
	m.must(err)
	m.mustWrite("rotate-role/x", nil)
	want := []string{m.staticKey().AccessKey}
	var got []string
	for _, key := range m.sim.State().Accounts[m.admin.Account].Users[user].Keys {
		got = append(got, key.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.Errorf("keys of the user: %s", diff)
	}
}
