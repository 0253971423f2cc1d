package backend_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/logical"
)

func failureScenarios() []scenario {
	return []scenario{
		{"failure: a write that hangs in storage does not hold the others", hangingWrite},
		{"failure: throttling is a 502 with a retry hint", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultThrottle})
			m.wantError(m.read("creds/x"), http.StatusBadGateway, "Throttling", "upstream rate limited", "etry")
			m.wantUsers(0)
		}},
		{"failure: who would wait too long for AWS is told at once, and nothing is begun", crowded},
		{"failure: one client's many reads hardly delay another's", takingTurns},
		{"failure: what AWS's throttling taught outlives the root key", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.slowed(5)
			m.mustWrite("config/root", map[string]any{"username_template": "vault-{{random 20}}"})
			ctx, cancel := context.WithTimeout(m.Context(), time.Second)
			defer cancel()
			m.wantError(m.request(ctx, logical.ReadOperation, "creds/x", nil), http.StatusBadGateway, "TooManyCalls")
		}},
		{"failure: an AWS outage is a 503", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.sim.Inject(awssim.Fault{Action: "*", Kind: awssim.FaultError, Status: 503, Code: "ServiceUnavailable"})
			m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, "CreateUser")
		}},
		{"failure: an answer that is cut off is a 503", func(m *mount) {
			m.configured().mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "engine", allPolicy)))
			m.mustWrite("roles/s", map[string]any{"credential_type": "session_token"})
			m.sim.Inject(awssim.Fault{Action: "sts:GetSessionToken", When: awssim.AfterEffect, Kind: awssim.FaultTruncate})
			m.wantError(m.read("sts/s"), http.StatusServiceUnavailable, "no answer of AWS")
		}},
		{"failure: a quota is a 400 that names it", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.sim.Configure(func(s *awssim.Settings) { s.MaxUsers = 1 })
			m.wantError(m.read("creds/x"), http.StatusBadRequest, "Error creating IAM user: LimitExceeded")
		}},
		{"failure: a user that AWS does not show is a 503, and goes", func(m *mount) {
			m.configured().mustWrite("config/root", map[string]any{"username_template": "Vault-{{random 20}}"})
			m.mustWrite("roles/x", plainUser())
			m.hurried()
			m.sim.Configure(func(s *awssim.Settings) { s.StaleReads, s.StaleLag = 1, awssim.Lag{Least: time.Hour, Most: time.Hour} })
			m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, "does not show the new user", "iam:PutUserPolicy")
			m.sim.Configure(func(s *awssim.Settings) { s.StaleReads = 0 })
			m.tick()
			m.wantUsers(0)
		}},
		{"failure: a lost reply costs time and not the answer", lostReplies},
		{"failure: every failing call of issuing leaves nothing", failingCalls},
		{"failure: a client that left leaves nothing", clientLeft},
		{"failure: no journal entry, no AWS call", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.storage.set(storageFault{verb: "put", prefix: "wal/", err: errors.New("disk full")})
			start := len(m.sim.Journal())
			m.wantError(m.read("creds/x"), http.StatusInternalServerError, "disk full")
			if calls := m.calls(start); len(calls) != 0 {
				m.Errorf("calls = %v", calls)
			}
		}},
		{"failure: a strike that fails or is unknown hands out nothing and leaves nothing", failingStrike},
		{"failure: an unreadable config/lease costs no user", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.storage.set(storageFault{verb: "get", prefix: "config/lease", err: errors.New("disk")})
			m.wantError(m.read("creds/x"), http.StatusInternalServerError, "config/lease")
			m.wantUsers(0)
		}},
		{"failure: a node that may not write has Vault forward the request", func(m *mount) {
			m.configured().mustWrite("roles/x", plainUser())
			m.storage.set(storageFault{verb: "put", prefix: "", err: logical.ErrReadOnly})
			req := &logical.Request{Operation: logical.ReadOperation, Path: "creds/x", Storage: m.storage}
			_, err := m.backend.HandleRequest(m.Context(), req)
			if err == nil || err.Error() != logical.ErrReadOnly.Error() {
				m.Errorf("error = %v, want Vault's own", err)
			}
		}},
		{"failure: what could not be destroyed at once goes at the next tick, and its entry with it", func(m *mount) {
			m.leaveUser()
			if r := m.records()[m.users()[0]]; r.State != lifecycle.Condemned || r.Role != "x" || !strings.Contains(r.LastError, "AccessDenied") {
				m.Errorf("record = %+v", r)
			}
			m.sim.ClearFaults()
			m.tick()
			m.wantUsers(0)
			if journal, records := m.journal(), m.records(); len(journal)+len(records) != 0 {
				m.Errorf("journal = %v, records = %v", journal, records)
			}
		}},
		{"rollback: an old entry is rolled back at a tick, a young one is not", rollback},
		{"rollback: an entry of the built-in engine", builtinEntry},
		{"rollback: an entry of another kind is left alone", func(m *mount) {
			m.configured().put("wal/other", map[string]any{"type": "rootcreds", "data": map[string]any{}, "created_at": 1})
			m.tick()
			if left := m.journal(); len(left) != 1 {
				m.Errorf("journal = %v", left)
			}
		}},
		{"rollback: a reload continues", func(m *mount) {
			m.leaveUser()
			m.ageJournal(6 * time.Minute)
			m.sim.ClearFaults()
			m.backend.Cleanup(m.Context())
			m.reload()
			m.tick()
			m.wantUsers(0)
		}},
	}
}

func lostReplies(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	for _, action := range []string{"iam:CreateUser", "iam:CreateAccessKey"} {
		for _, when := range []awssim.FaultTime{awssim.BeforeEffect, awssim.AfterEffect} {
			m.sim.Inject(awssim.Fault{Action: action, Count: 1, When: when, Kind: awssim.FaultReset})
			got := m.mustRead("creds/x")
			if user := m.onlyUser(); len(user.Keys) != 1 || user.Keys[0].ID != got.data["access_key"] {
				m.Errorf("%s %s: keys = %v, answered %v", action, when, user.Keys, got.data["access_key"])
			}
			if err := m.revoke(got.secret); err != nil {
				m.Errorf("revoke: %v", err)
			}
		}
	}
}

func failingCalls(m *mount) {
	m.configured().putGroupAndBoundary()
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy, "iam_groups": "devs"})
	for _, action := range []string{"iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:AddUserToGroup", "iam:CreateAccessKey"} {
		for _, when := range []awssim.FaultTime{awssim.BeforeEffect, awssim.AfterEffect} {
			m.sim.Inject(awssim.Fault{Action: action, When: when, Kind: awssim.FaultError, Status: 500})
			m.wantError(m.read("creds/x"), http.StatusServiceUnavailable, strings.TrimPrefix(action, "iam:"))
			m.sim.ClearFaults()
			m.wantUsers(0)
		}
	}
	m.ageJournal(31 * time.Minute)
	m.tick()
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

func clientLeft(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", When: awssim.AfterEffect, Kind: awssim.FaultHang})
	ctx, leave := context.WithCancel(m.Context())
	done := make(chan answer)
	go func() { done <- m.request(ctx, logical.ReadOperation, "creds/x", nil) }()
	m.await("the key is made", func() bool { return len(m.users()) == 1 && len(m.onlyUser().Keys) == 1 })
	leave()
	if got := <-done; got.status == http.StatusOK {
		m.Error("a credential was handed out to nobody")
	}
	m.sim.ClearFaults()
	m.await("the user is gone", func() bool { return len(m.users()) == 0 })
}

// await waits until a condition holds.
func (m *mount) await(what string, holds func() bool) {
	m.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			m.Fatalf("still not true: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func failingStrike(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	for _, f := range []storageFault{
		{verb: "delete", prefix: "wal/", err: errors.New("disk")},
		{verb: "delete", prefix: "wal/", err: errors.New("disk"), after: true},
	} {
		m.storage.set(f)
		m.wantError(m.read("creds/x"), http.StatusInternalServerError, "disk")
		m.storage.set(storageFault{})
		m.wantUsers(0)
	}
	m.ageJournal(31 * time.Minute)
	m.tick()
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

// leaveUser makes a user whose issuing failed and whose clean-up failed too.
func (m *mount) leaveUser() {
	m.Helper()
	m.configured().mustWrite("roles/x", plainUser())
	m.sim.Inject(
		awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
		awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
	)
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "Error creating access keys: AccessDenied")
	m.wantUsers(1)
}

func rollback(m *mount) {
	m.storage.set(storageFault{verb: "put", prefix: "users/", err: errors.New("disk")}) // no record takes it over
	m.leaveUser()
	m.sim.ClearFaults()
	m.storage.set(storageFault{})
	m.tick()
	m.wantUsers(1)
	m.ageJournal(6 * time.Minute)
	m.tick()
	m.wantUsers(0)
	if left := m.journal(); len(left) != 0 {
		m.Errorf("journal = %v", left)
	}
}

func builtinEntry(m *mount) {
	m.configured()
	name := "vault-token-terraform-deploy-1600000000-AbCdEfGhIjKlMnOpQrSt"
	m.sim.PutUser(m.admin.Account, name, ec2Policy)
	m.put("wal/old", map[string]any{"type": "user", "data": map[string]any{"UserName": name}, "created_at": time.Now().Add(-time.Second).Unix()})
	m.tick()
	m.wantUsers(1)
	m.ageJournal(6 * time.Minute)
	m.tick()
	m.wantUsers(0)
}

// TestAmbientForbidden: no tenant can use the server's own identity when the
// platform forbids it.
func TestAmbientForbidden(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "ambient")
	m := newMount(t, inProcess)
	m.options.Ambient = backend.AmbientForbidden
	m.reload()
	m.mustWrite("roles/x", plainUser())
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "-ambient-credentials=off", "access_key")
	m.configured().mustRead("creds/x")
}

// TestAmbientWarnings: temporary root credentials cannot mint tokens, and the
// writer of a role learns it at once.
func TestAmbientWarnings(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "ASIAAMBIENT")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "ambient")
	t.Setenv("AWS_SESSION_TOKEN", "token")
	m := newMount(t, inProcess)
	m.mustWrite("config/root", map[string]any{"region": "us-east-1", "sts_endpoint": m.endpoint, "iam_endpoint": m.endpoint})
	if got := m.mustRead("config/root").data["credential_source"]; got != "environment" {
		t.Errorf("credential_source = %v", got)
	}
	warnings := m.mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.wantWarning(warnings, "temporary", "environment", "assumed_role")
}

// TestStandbyHasNoWorker: only a node that owns storage rolls back.
func TestStandbyHasNoWorker(t *testing.T) {
	m := newMount(t, inProcess)
	m.leaveUser()
	m.ageJournal(6 * time.Minute)
	m.sim.ClearFaults()
	m.backend.Cleanup(t.Context())
	standby(m.system)
	m.reload()
	m.tick()
	m.wantUsers(1)
}

// TestPanicIsAnswered: the process serves all mounts, so a panic is an error.
func TestPanicIsAnswered(t *testing.T) {
	m := newMount(t, inProcess)
	_, err := m.backend.HandleRequest(t.Context(), &logical.Request{Operation: logical.ReadOperation, Path: "config/root"}) // no storage
	if err == nil || !strings.Contains(err.Error(), "internal error") {
		t.Errorf("error = %v", err)
	}
	if !strings.Contains(m.log.String(), "caught a panic") {
		t.Error("the log does not tell of the panic")
	}
}

// TestNoCredentials: without keys and without an identity of the server the
// answer says so, and what to do.
func TestNoCredentials(t *testing.T) {
	m := newMount(t, inProcess)
	m.mustWrite("roles/x", plainUser())
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "Error creating IAM user: NoCredentials: config/root holds no access_key", "Write access_key and secret_key to config/root")
	if left := m.journal(); len(left) != 0 {
		t.Errorf("journal = %v", left)
	}
}

// hangingWrite: a request waits for the record of its own only, and no longer
// than its client.
func hangingWrite(m *mount) {
	entered, release := make(chan struct{}), make(chan struct{})
	m.storage.set(storageFault{verb: "put", prefix: "role/x", wait: func() { close(entered); <-release }})
	role := map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy}
	done := make(chan answer)
	go func() { done <- m.write("roles/x", role) }()
	<-entered
	m.mustWrite("roles/y", role)
	left, leave := context.WithCancel(m.Context())
	leave()
	if got := m.request(left, logical.DeleteOperation, "roles/x", nil); got.error == "" {
		m.Errorf("delete = %+v", got)
	}
	close(release)
	if got := <-done; got.status != http.StatusNoContent {
		m.Errorf("write = %+v", got)
	}
}

// crowded: AWS has throttled until it is known to take about a call a second, so
// that the three of a user take longer than the request has.
func crowded(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.slowed(5)
	ctx, cancel := context.WithTimeout(m.Context(), time.Second)
	defer cancel()
	start := len(m.sim.Journal())
	m.storage.set(storageFault{verb: "put", prefix: "", err: errors.New("something is written")})
	m.wantError(m.request(ctx, logical.ReadOperation, "creds/x", nil), http.StatusBadGateway, "TooManyCalls", "retry in about", "upstream rate limited")
	if calls := m.calls(start); len(calls) != 0 {
		m.Errorf("calls = %v", calls)
	}
}

// slowed has AWS throttle some reads, each of which halves the rate.
func (m *mount) slowed(times int) {
	m.sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultThrottle, Count: times})
	for range times {
		m.wantError(m.read("creds/x"), http.StatusBadGateway, "Throttling", "upstream rate limited")
	}
}

func takingTurns(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.slowed(2) // 5 calls a second: 20 users take 12 seconds
	ctx, leave := context.WithCancel(m.Context())
	var many atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if m.requestAs(ctx, "one", logical.ReadOperation, "creds/x", nil).status == http.StatusOK {
				many.Add(1)
			}
		})
	}
	m.await("the first has had its turn", func() bool { return len(m.users()) >= 2 })
	got := m.requestAs(m.Context(), "other", logical.ReadOperation, "creds/x", nil)
	if before := many.Load(); got.status != http.StatusOK || before > 10 {
		m.Errorf("%d %s, after %d reads of somebody else", got.status, got.error, before)
	}
	leave()
	wg.Wait()
}
