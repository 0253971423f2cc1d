package backend_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/hashicorp/vault/sdk/logical"
)

// staticDefectScenarios are known defects of the existing engines around static
// roles; the numbers are those of docs/compatibility.md.
func staticDefectScenarios() []scenario {
	return []scenario{
		{"static: a rotation that failed is tried again, also after a restart (W37)", staticTriedAgain},
		{"static: a delete ends the previous key too, and says so of nothing else (W40)", func(m *mount) {
			m.static(map[string]any{"rotation_period": 0})
			first := m.staticKey()
			m.sim.Advance(10 * time.Second)
			m.mustRotateStatic()
			m.wantStatic(first)
			m.wantError(m.delete("static-roles/x"), http.StatusNoContent)
			if keys := m.appKeys(); slices.Contains(keys, first.AccessKey) || len(keys) != 0 {
				m.Errorf("keys = %v", keys)
			}
		}},
		{"static: a delete during a rotation leaves no zombie (W41, W44)", staticDeleteDuringRotation},
		{"static: a role whose key is lost gets another, and can be updated before (W44)", staticLostKey},
		{"static: two updates at once lose nothing of each other (W45)", staticTwoUpdates},
		{"static: AWS that does not answer holds nobody else up (W46)", staticHungAWS},
		{"static: rotated by schedule, in UTC (W51)", func(m *mount) {
			clock := m.rotatable()
			at := clock.Now().UTC().Add(3 * time.Hour).Truncate(time.Hour)
			m.mustWrite("config/root", m.rootConfig(m.admin))
			m.sim.PutUser(m.admin.Account, "app", ec2Policy)
			m.mustWrite("static-roles/x", map[string]any{"username": "app", "rotation_schedule": at.Format("0 15 * * *")})
			first := m.staticKey()
			if got, want := m.mustRead("static-creds/x").data["expiration"], at.Format(time.RFC3339); got != want {
				m.Errorf("expiration = %v, want %s", got, want)
			}
			m.after(clock, at.Sub(clock.Now())-time.Minute)
			if m.staticKey() != first {
				m.Error("rotated too early")
			}
			m.after(clock, 2*time.Minute)
			m.wantStatic(first)
		}},
		{"static: what its writer can mend is a 400 (W50)", staticMendable},
		{"static: the root key is nobody's static key (W64)", staticRootKey},
		{"static: the root user's own older key does not make room (W64)", func(m *mount) {
			m.rotatable()
			m.mustWrite("config/root", m.rootConfig(m.admin))
			older := m.sim.PutUser(m.admin.Account, "app", iamPolicy)
			m.sim.Advance(10 * time.Second)
			m.mustWrite("static-roles/x", map[string]any{"username": "app", "rotation_period": "1h"})
			m.mustWrite("config/root", m.rootConfig(older))
			m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, "root key of this mount", older.AccessKey)
			if !m.works(older) || !m.works(m.staticKey()) {
				m.Error("a key that is in use is gone")
			}
		}},
	}
}

func (m *mount) mustRotateStatic() {
	m.Helper()
	if got := m.write("rotate-role/x", nil); got.status != http.StatusNoContent {
		m.Fatalf("rotate-role: %d %s", got.status, got.error)
	}
}

func staticTriedAgain(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	first := m.staticKey()
	denied := awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"}
	m.sim.Inject(denied)
	m.after(clock, 61*time.Minute)
	if m.staticKey() != first {
		m.Error("rotated although AWS refused")
	}
	m.sim.ClearFaults()
	m.backend.Cleanup(m.Context())
	m.reload()
	m.after(clock, 0)
	m.wantStatic(first)
	second := m.staticKey()
	m.sim.Inject(denied)
	m.after(clock, 61*time.Minute)
	m.sim.ClearFaults()
	m.after(clock, 16*time.Minute) // the worker waits a quarter of an hour at most
	m.wantStatic(second)
}

// throughGate has the mount's IAM calls pass a gate.
func (m *mount) throughGate() *gate {
	m.Helper()
	g := newGate(m)
	m.mustWrite("config/root", map[string]any{"iam_endpoint": g.url})
	return g
}

func staticDeleteDuringRotation(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	g := m.throughGate()
	g.shut()
	rotated, updated, deleted := make(chan answer, 1), make(chan answer, 1), make(chan answer, 1)
	go func() { rotated <- m.write("rotate-role/x", nil) }()
	g.mustWait(m)
	go func() { updated <- m.write("static-roles/x", map[string]any{"rotation_period": "2h"}) }()
	go func() { deleted <- m.delete("static-roles/x") }()
	g.open()
	m.wantError(<-rotated, http.StatusNoContent)
	// The update comes before the delete, or finds the role gone and misses its
	// username; neither is a failure of ours.
	if got := <-updated; got.status != http.StatusOK && got.status != http.StatusBadRequest {
		m.Errorf("update: %d %s", got.status, got.error)
	}
	m.wantError(<-deleted, http.StatusNoContent)
	m.after(clock, 2*time.Hour)
	m.wantError(m.read("static-roles/x"), http.StatusNotFound)
	m.wantError(m.read("static-creds/x"), http.StatusNotFound)
	if keys := m.appKeys(); len(keys) != 0 {
		m.Errorf("keys = %v", keys)
	}
	m.wantStaticJournal(0)
}

func staticLostKey(m *mount) {
	clock := m.static(map[string]any{"rotation_period": "1h"})
	user, lost := "app", m.staticKey().AccessKey
	_, err := m.iam().DeleteAccessKey(m.Context(), &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &lost})
	m.must(err)
	m.must(m.storage.Storage.Delete(m.Context(), "static-creds/x"))
	m.wantError(m.read("static-creds/x"), http.StatusNotFound)
	m.mustWrite("static-roles/x", map[string]any{"rotation_period": "2h"})
	m.after(clock, 0)
	if !m.works(m.staticKey()) {
		m.Error("the key does not work")
	}
}

func staticTwoUpdates(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	meet := make(chan struct{}) // a write that is about to happen waits for the other, if that can come
	m.storage.set(storageFault{verb: "put", prefix: "static-roles/x", wait: func() {
		select {
		case meet <- struct{}{}:
		case <-meet:
		case <-time.After(10 * time.Millisecond):
		}
	}})
	for i := 1; i <= 5; i++ {
		var both sync.WaitGroup
		both.Go(func() { m.write("static-roles/x", map[string]any{"rotation_period": 60 * i}) })
		both.Go(func() { m.write("static-roles/x", map[string]any{"grace": fmt.Sprint(i)}) })
		both.Wait()
		if got := plain(m, m.mustRead("static-roles/x").data); got["rotation_period"] != 60*i || got["grace"] != i {
			m.Fatalf("after %d updates of each: period %v, grace %v", i, got["rotation_period"], got["grace"])
		}
	}
}

func staticHungAWS(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.sim.PutUser(m.admin.Account, "slow", ec2Policy)
	g := m.throughGate()
	g.shut()
	done := make(chan answer, 2)
	go func() {
		done <- m.write("static-roles/slow", map[string]any{"username": "slow", "rotation_period": "1h"})
	}()
	go func() { done <- m.delete("static-roles/x") }()
	g.mustWait(m)
	g.mustWait(m)
	m.mustRead("roles/y")
	m.mustWrite("roles/z", plainUser())
	m.mustRead("sts/y")
	m.mustRead("static-creds/x")
	g.open()
	for range 2 {
		if got := <-done; got.status >= http.StatusBadRequest {
			m.Errorf("%d %s", got.status, got.error)
		}
	}
}

func staticMendable(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.sim.Inject(awssim.Fault{Action: "iam:GetUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.wantError(m.write("static-roles/y", map[string]any{"username": "app", "rotation_period": "1h"}), http.StatusBadRequest, "AccessDenied", "iam:GetUser")
	m.sim.ClearFaults()
	m.wantError(m.write("static-roles/y", map[string]any{"username": "app", "rotation_period": 1}), http.StatusBadRequest, "rotation_period")
	m.wantError(m.write("static-roles/y", map[string]any{"username": "nobody", "rotation_period": "1h"}), http.StatusBadRequest, "NoSuchEntity")
}

func staticRootKey(m *mount) {
	m.static(map[string]any{"rotation_period": "1h", "grace": "0"})
	stored := m.staticKey()
	m.mustWrite("config/root", m.rootConfig(stored))
	m.wantError(m.rotate(), http.StatusBadRequest, stored.AccessKey, `static role "x"`)
	user, document := "app", iamPolicy
	_, err := m.iam().PutUserPolicy(m.Context(), &iam.PutUserPolicyInput{UserName: &user, PolicyName: &user, PolicyDocument: &document})
	m.must(err)
	m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, "root key of this mount", stored.AccessKey)
	m.wantError(m.delete("static-roles/x"), http.StatusBadRequest, "root key of this mount", stored.AccessKey)
	if !m.works(stored) {
		m.Error("the root key is gone")
	}
}

// leaving makes a request whose client leaves while AWS keeps it waiting.
func (m *mount) leaving(op logical.Operation, path string, data map[string]any, g *gate) answer {
	m.Helper()
	ctx, leave := context.WithCancel(m.Context())
	defer leave()
	done := make(chan answer, 1)
	go func() { done <- m.request(ctx, op, path, data) }()
	g.mustWait(m)
	leave()
	select {
	case got := <-done:
		return got
	case <-time.After(10 * time.Second): // less than an AWS call may take
		m.Fatalf("%s %s goes on without its client", op, path)
		return answer{}
	}
}
