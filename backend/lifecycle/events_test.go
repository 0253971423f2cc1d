package lifecycle_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// loudness is at which level each event is logged; "" for one that is only
// counted. docs/observability.md has the same table.
var loudness = map[lifecycle.What]string{
	lifecycle.WasIssued:     "debug",
	lifecycle.WasRefused:    "debug",
	lifecycle.WasRevoked:    "debug",
	lifecycle.WasCondemned:  "debug",
	lifecycle.WasDeferred:   "warn",
	lifecycle.WasOverdue:    "warn",
	lifecycle.WasDestroyed:  "info",
	lifecycle.WasRolledBack: "info",
	lifecycle.WasTidied:     "info",
	lifecycle.WasRotated:    "info",
	lifecycle.WasNotRotated: "",
}

// events are the log lines that tell of events, with all their fields but time
// and logger.
func (l *logs) events(t *testing.T) []map[string]string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	told := []map[string]string{}
	for text := range strings.Lines(l.text.String()) {
		var line map[string]string
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if line["event"] != "" {
			delete(line, "@timestamp")
			delete(line, "@module")
			told = append(told, line)
		}
	}
	return told
}

// TestEventTable: every event is logged at its level, with the same fields, and
// counted.
func TestEventTable(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		manager := w.start().manager
		var want []map[string]string
		for what, level := range loudness {
			manager.Tell(lifecycle.Event{
				What: what, Type: "iam_user", Bearer: lifecycle.Bearer{Role: "deploy", EntityID: "e-1", DisplayName: "not told", RequestID: "r-1"},
				User: "vault-a", AccessKey: "AKIA-one", Reason: "why", Err: errors.New("how"),
			})
			if got := manager.Happened(func(c lifecycle.Counted) bool {
				return c == lifecycle.Counted{What: what, Type: "iam_user", Reason: "why"}
			}); got != 1 {
				t.Errorf("%s is counted %d times", what, got)
			}
			if level == "" {
				continue
			}
			want = append(want, map[string]string{
				"@level": level, "event": string(what), "type": "iam_user", "role": "deploy", "entity_id": "e-1", "request_id": "r-1",
				"user": "vault-a", "access_key_id": "AKIA-one", "reason": "why", "error": "how",
			})
		}
		got := w.log.events(t)
		for _, line := range got {
			delete(line, "@message")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestDocumentedEvents compares the page with the table.
func TestDocumentedEvents(t *testing.T) {
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	for what, level := range loudness {
		if level == "" {
			level = "not logged"
		}
		if row := fmt.Sprintf("| `%s` | %s |", what, level); !strings.Contains(string(page), row) {
			t.Errorf("docs/observability.md has no row %q", row)
		}
	}
}

// TestEvents: what is told of users as they come and go.
func TestEvents(t *testing.T) {
	user := func(level, event, message string, more ...string) map[string]string {
		line := map[string]string{"@level": level, "event": event, "@message": message, "type": "iam_user", "user": "vault-a", "role": "deploy", "access_key_id": "AKIA-one"}
		for i := 0; i < len(more); i += 2 {
			if line[more[i]] = more[i+1]; more[i+1] == "" {
				delete(line, more[i])
			}
		}
		return line
	}
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, w *world)
		want []map[string]string
	}{
		{
			name: "revoked",
			do: func(t *testing.T, w *world) {
				if err := w.start().revoke(t.Context(), w.recordUser("vault-a", time.Hour)); err != nil {
					t.Fatal(err)
				}
			},
			want: []map[string]string{
				user("debug", "condemned", "condemned a user", "reason", "its lease was revoked"),
				user("debug", "revoked", "revoked a user"),
			},
		}, {
			name: "revoked while AWS refuses, and destroyed by the worker",
			do: func(t *testing.T, w *world) {
				w.deny("iam:DeleteUser")
				if err := w.start().revoke(t.Context(), w.recordUser("vault-a", time.Hour)); err == nil {
					t.Fatal("revoked")
				}
				w.heal()
				w.passes(t.Context(), 2)
			},
			want: []map[string]string{
				user("debug", "condemned", "condemned a user", "reason", "its lease was revoked"),
				user("warn", "deferred", "a user is left to the worker", "error", `destroy user "vault-a": its access keys are deleted, but: AccessDenied: no (iam:DeleteUser, request id req-1)`),
				user("info", "destroyed", "destroyed a user", "reason", "its lease was revoked"),
			},
		}, {
			name: "outlived its lease",
			do: func(t *testing.T, w *world) {
				w.recordUser("vault-a", -lifecycle.DeadlineGrace)
				w.passes(t.Context(), 2)
			},
			want: []map[string]string{
				user("warn", "overdue", "a user outlived its lease and is destroyed", "reason", "it outlived its lease"),
				user("debug", "condemned", "condemned a user", "reason", "it outlived its lease"),
				user("info", "destroyed", "destroyed a user", "reason", "it outlived its lease"),
			},
		}, {
			name: "rolled back",
			do: func(t *testing.T, w *world) {
				w.announce("vault-a", time.Hour, plainSpec("vault-a"))
				w.put("vault-a", keyOnly())
				delete(w.issued, "vault-a")
				w.passes(t.Context(), 1)
			},
			want: []map[string]string{
				user("info", "rolled_back", "rolled back a user whose issuing did not finish", "role", "", "access_key_id", ""),
			},
		}, {
			name: "issuing failed",
			do: func(t *testing.T, w *world) {
				w.deny("iam:PutUserPolicy")
				spec := plainSpec("vault-a")
				spec.Bearer = lifecycle.Bearer{Role: "deploy", EntityID: "e-1", RequestID: "r-1"}
				if _, err := w.start().issue(t.Context(), spec); err == nil {
					t.Fatal("issued")
				}
			},
			want: []map[string]string{
				user("info", "destroyed", "destroyed a user", "reason", "issuing it failed", "entity_id", "e-1", "request_id", "r-1", "access_key_id", ""),
			},
		}, {
			name: "forgotten by an operator's word",
			do: func(t *testing.T, w *world) {
				w.recordUser("vault-a", time.Hour)
				delete(w.users, "vault-a")
				if err := w.start().manager.ForgetUser(t.Context(), "vault-a", lifecycle.ReasonTold); err != nil {
					t.Fatal(err)
				}
			},
			want: []map[string]string{
				user("info", "tidied", "tidied up a user", "role", "", "access_key_id", "", "reason", "an operator had it forgotten"),
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				tc.do(t, w)
				if diff := cmp.Diff(tc.want, w.log.events(t)); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestStanding: what the metrics tell of users, as the worker goes on.
func TestStanding(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.recordUser("vault-a", time.Hour)
		w.recordUser("vault-b", -time.Minute)
		w.deny("iam:DeleteUser")
		p := w.start()
		if err := p.revoke(t.Context(), w.recordUser("vault-c", time.Hour)); err == nil {
			t.Fatal("revoked")
		}
		condemned := w.recordOf("vault-c").Since
		announced := w.clock.Now().Add(-time.Hour)
		w.announce("vault-d", time.Hour, plainSpec("vault-d"))
		w.put("vault-d", keyOnly())
		w.locked(func() { delete(w.issued, "vault-d") })
		if got := p.manager.Standing(); got.Complete {
			t.Error("complete before the worker has read the records")
		}
		_, stop := p.work(t.Context())
		time.Sleep(time.Second)
		got := p.manager.Standing()
		stop()
		if late := got.OldestUndone.Sub(announced); late < 0 || late > time.Second {
			t.Errorf("oldest rollback at %s, want %s", got.OldestUndone, announced)
		}
		got.OldestUndone = time.Time{}
		want := lifecycle.Standing{Complete: true, Issued: 2, Condemned: 1, Overdue: 1, OldestCondemned: condemned, Undone: 1, Known: true}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("standing (-want +got):\n%s", diff)
		}
		w.heal()
		_, stop = p.work(t.Context())
		time.Sleep(30 * time.Minute)
		stop()
		if got := p.manager.Standing(); got.Undone != 0 || got.Condemned != 0 || !got.OldestCondemned.IsZero() {
			t.Errorf("afterwards: %+v", got)
		}
	})
}
