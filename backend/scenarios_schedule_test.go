package backend_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/rotation"
)

func scheduleScenarios() []scenario {
	return []scenario{
		{"rotation: bad input is a 400 that says what is wrong", scheduleBadInput},
		{"rotation: by period, once each time, a manual one counts", rotationPeriod},
		{"rotation: by schedule, in UTC", rotationSchedule},
		{"rotation: sending the same again does not put it off", func(m *mount) {
			clock := m.rotatable()
			m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
			clock.advance(50 * time.Minute)
			m.mustWrite("config/root", map[string]any{"rotation_period": 3600})
			m.wantRotationAfter(clock, 11*time.Minute)
		}},
		{"rotation: a window that was missed waits for the next time", rotationWindow},
		{"rotation: a failure is shown and tried again", rotationFailure},
		{"rotation: a node that dies right after it leaves nothing due", rotationThenDeath},
		{"rotation: disabled, it waits", func(m *mount) {
			clock := m.rotatable()
			m.mustWrite("config/root", map[string]any{"rotation_period": "1h", "disable_automated_rotation": true})
			m.wantNoRotationAfter(clock, 2*time.Hour)
			m.mustWrite("config/root", map[string]any{"disable_automated_rotation": false})
			m.wantNoRotationAfter(clock, 59*time.Minute)
			m.wantRotationAfter(clock, 2*time.Minute)
		}},
		{"rotation: a schedule without keys is told", func(m *mount) {
			m.wantWarning(m.mustWrite("config/root", map[string]any{"rotation_period": "1h"}), "no access_key")
		}},
	}
}

// after lets time pass and has the worker look.
func (m *mount) after(clock *skippingClock, d time.Duration) {
	m.Helper()
	clock.advance(d)
	m.tick()
	m.tick() // a rotation that takes longer than a tick may wait is over by then
}

func (m *mount) wantRotationAfter(clock *skippingClock, d time.Duration) {
	m.Helper()
	before := m.rootKey()
	m.after(clock, d)
	if m.rootKey() == before {
		m.Errorf("no rotation after %s: %v", d, m.mustRead("config/root").data)
	}
	m.wantRootKey()
}

func (m *mount) wantNoRotationAfter(clock *skippingClock, d time.Duration) {
	m.Helper()
	before := m.rootKey()
	m.after(clock, d)
	if m.rootKey() != before {
		m.Errorf("a rotation after %s", d)
	}
}

func scheduleBadInput(m *mount) {
	m.rotatable()
	for _, tc := range []struct {
		send map[string]any
		word string
	}{
		{map[string]any{"rotation_schedule": "0 0 * * *", "rotation_period": 60}, "mutually exclusive"},
		{map[string]any{"rotation_schedule": "soon"}, "failed to parse provided rotation_schedule"},
		{map[string]any{"rotation_schedule": "0 0 30 2 *"}, "never comes"},
		{map[string]any{"rotation_schedule": "0 0 0 * * *"}, "failed to parse provided rotation_schedule"},
		{map[string]any{"rotation_period": 60, "rotation_window": 3600}, "rotation_window does not apply to period"},
		{map[string]any{"rotation_window": 3600}, "cannot use rotation_window without rotation_schedule"},
		{map[string]any{"rotation_schedule": "0 0 * * *", "rotation_window": 3599}, "rotation_window"},
		{map[string]any{"rotation_period": 9}, "rotation_period"},
		{map[string]any{"rotation_period": "often"}, "rotation_period"},
	} {
		m.wantError(m.write("config/root", tc.send), http.StatusBadRequest, tc.word)
	}
	m.mustWrite("config/root", map[string]any{"rotation_period": 60})
	m.wantError(m.write("config/root", map[string]any{"rotation_schedule": "0 0 * * *"}), http.StatusBadRequest, "mutually exclusive", "rotation_period=0")
	m.mustWrite("config/root", map[string]any{"rotation_schedule": "0 0 * * *", "rotation_period": 0})
	m.mustWrite("config/root", map[string]any{"rotation_window": "2h"}) // the schedule need not be sent again (W68)
}

func rotationPeriod(m *mount) {
	clock := m.rotatable()
	m.mustWrite("config/root", map[string]any{"rotation_period": "24h"})
	m.wantNoRotationAfter(clock, 23*time.Hour)
	m.wantRotationAfter(clock, 2*time.Hour)
	m.wantNoRotationAfter(clock, time.Hour)
	if got := m.rotate(); got.status != http.StatusOK {
		m.Fatalf("rotate-root: %s", got.error)
	}
	m.wantNoRotationAfter(clock, 23*time.Hour+30*time.Minute)
	m.wantRotationAfter(clock, time.Hour)
	data := m.mustRead("config/root").data
	last, next := data["last_vault_rotation"].(string), data["next_vault_rotation"].(string)
	at, err := time.Parse(time.RFC3339, last)
	m.must(err)
	if want := at.Add(24 * time.Hour).Format(time.RFC3339); next != want {
		m.Errorf("last %s, next %s, want %s", last, next, want)
	}
}

func rotationSchedule(m *mount) {
	clock := m.rotatable()
	at := clock.Now().UTC().Add(3 * time.Hour).Truncate(time.Hour)
	m.mustWrite("config/root", map[string]any{"rotation_schedule": at.Format("0 15 * * *")})
	if got, want := m.mustRead("config/root").data["next_vault_rotation"], at.Format(time.RFC3339); got != want {
		m.Errorf("next = %v, want %s", got, want)
	}
	m.wantNoRotationAfter(clock, at.Sub(clock.Now())-time.Minute)
	m.wantRotationAfter(clock, 2*time.Minute)
	m.wantNoRotationAfter(clock, 23*time.Hour)
}

func rotationWindow(m *mount) {
	clock := m.rotatable()
	at := clock.Now().UTC().Add(3 * time.Hour).Truncate(time.Hour)
	m.mustWrite("config/root", map[string]any{"rotation_schedule": at.Format("0 15 * * *"), "rotation_window": "1h"})
	m.wantNoRotationAfter(clock, 5*time.Hour)
	if got := m.mustRead("config/root").data["last_rotation_error"]; !strings.Contains(got.(string), "window") {
		m.Errorf("last_rotation_error = %v", got)
	}
	m.wantRotationAfter(clock, at.Add(24*time.Hour+time.Minute).Sub(clock.Now()))
}

func rotationFailure(m *mount) {
	clock := m.rotatable()
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.wantNoRotationAfter(clock, 61*time.Minute)
	if got := m.mustRead("config/root").data["last_rotation_error"]; !strings.Contains(got.(string), "AccessDenied") {
		m.Errorf("last_rotation_error = %v", got)
	}
	m.sim.ClearFaults()
	m.wantRotationAfter(clock, time.Minute)
	if got := m.mustRead("config/root").data["last_rotation_error"]; got != "" {
		m.Errorf("last_rotation_error = %v", got)
	}
}

// rotationManager is a server that has one.
type rotationManager struct {
	*logical.StaticSystemView
	jobs    []*rotation.RotationJobConfigureRequest
	ended   int
	idle    bool // the last job was ended
	refusal error
}

func (s *rotationManager) RegisterRotationJob(_ context.Context, job *rotation.RotationJobConfigureRequest) (string, error) {
	s.jobs, s.idle = append(s.jobs, job), false
	return "job", s.refusal
}

// RegisterRotationJobWithResponse is what the sdk calls across the plugin boundary.
func (s *rotationManager) RegisterRotationJobWithResponse(ctx context.Context, job *rotation.RotationJobConfigureRequest) (*rotation.RotationInfo, error) {
	id, err := s.RegisterRotationJob(ctx, job)
	return &rotation.RotationInfo{RotationID: id}, err
}

func (s *rotationManager) DeregisterRotationJob(context.Context, *rotation.RotationJobDeregisterRequest) error {
	s.ended, s.idle = s.ended+1, true
	return nil
}

// TestRotationManager: where the server rotates, the engine does not.
func TestRotationManager(t *testing.T) { onBoth(t, rotationByManager) }

func rotationByManager(t *testing.T, load loader) {
	m := newMount(t, load)
	manager := &rotationManager{StaticSystemView: m.system}
	m.view = manager
	clock := m.rotatable()
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	if len(manager.jobs) != 1 || manager.jobs[0].RotationPeriod != time.Hour || manager.jobs[0].ReqPath != "config/root" {
		t.Errorf("jobs = %+v", manager.jobs)
	}
	m.wantNoRotationAfter(clock, 2*time.Hour)
	m.mustWrite("config/root", map[string]any{"rotation_period": 0})
	if manager.ended != 1 {
		t.Errorf("deregistered %d times", manager.ended)
	}
	manager.refusal = errors.New("no such policy")
	m.wantError(m.write("config/root", map[string]any{"rotation_period": "1h"}), http.StatusBadRequest, "error registering rotation job", "no such policy")
	if got := m.mustRead("config/root").data["rotation_period"]; got != float64(0) {
		t.Errorf("a refused schedule is stored: %v", got)
	}
}

// rotationThenDeath has a node die after it stored the new root key, while AWS
// is asked to delete the old one. The next node must not rotate once more.
func rotationThenDeath(m *mount) {
	clock := m.rotatable()
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	before := m.rootKey()
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultHang, Count: 1})
	clock.advance(61 * time.Minute)
	dying := m.backend
	ticked := make(chan error)
	go func() {
		_, err := dying.HandleRequest(m.Context(), &logical.Request{Operation: logical.RollbackOperation, Storage: m.storage})
		ticked <- err
	}()
	m.await("the old key is being deleted", func() bool { return slices.Contains(m.calls(0), "iam:DeleteAccessKey") })
	m.reload()
	m.tick()
	m.tick()
	stored := m.rootKey()
	if stored == before {
		m.Error("the key is not rotated")
	}
	made := 0
	for _, action := range m.calls(0) {
		if action == "iam:CreateAccessKey" {
			made++
		}
	}
	if made != 1 {
		m.Errorf("%d keys were made for one rotation", made)
	}
	m.must(<-ticked)
}
