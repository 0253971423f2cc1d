package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// announceThree writes three old entries, of users that exist.
func (w *world) announceThree() []string {
	names := []string{"vault-a", "vault-b", "vault-c"}
	for _, name := range names {
		w.announce(name, time.Hour, plainSpec(name))
		w.put(name, allParts())
		delete(w.issued, name)
	}
	return names
}

// TestWorkerOneBadEntryDelaysNobody: the others are rolled back in the same pass.
func TestWorkerOneBadEntryDelaysNobody(t *testing.T) {
	for _, how := range []mishap{refused, unavailable, hang, panics} {
		for _, op := range []string{"iam:ListAccessKeys", "iam:DeleteAccessKey", "iam:DeleteUser", "journal:Load", "journal:Reassert", "journal:Strike"} {
			t.Run(string(how)+" at "+op, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					names := w.announceThree()
					w.inject(fault{op: op, user: names[0], times: -1, how: how})
					worker, stop := w.start().work(t.Context())
					worker.Wake(t.Context())
					want := names[:1]
					if op == "journal:Strike" {
						want = []string{} // the user is gone, only its entry is left
					}
					if diff := cmp.Diff(want, w.ourUsers()); diff != "" {
						t.Errorf("users (-want +got):\n%s", diff)
					}
					if diff := cmp.Diff([]lifecycle.EntryID{"wal-001"}, w.journalled()); diff != "" {
						t.Errorf("entries (-want +got):\n%s", diff)
					}
					stop()
					w.settle(t.Context())
					w.mustBeSettled(t)
				})
			})
		}
	}
}

// TestWorkerBacksOff: an entry that fails is tried again after 10 s, and later
// and later, up to 15 minutes; a pass comes once a minute.
func TestWorkerBacksOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.instant = true
		w.announceThree()
		p := w.start()
		start := time.Now()
		tried := []time.Duration{}
		worker := lifecycle.NewWorker(p.manager, func(context.Context) (lifecycle.Users, error) {
			tried = append(tried, time.Since(start))
			return nil, fmt.Errorf("root config is broken")
		})
		ctx, cancel := context.WithCancel(t.Context())
		worker.Start(ctx)
		time.Sleep(61 * time.Minute)
		cancel()
		worker.Wait(t.Context())
		want := []time.Duration{}
		for _, minute := range []int{0, 1, 2, 3, 5, 8, 14, 25, 40, 55} {
			want = append(want, slices.Repeat([]time.Duration{time.Duration(minute) * time.Minute}, 3)...)
		}
		if diff := cmp.Diff(want, tried); diff != "" {
			t.Errorf("tries (-want +got):\n%s", diff)
		}
		if got := w.log.lines(t, "warn"); len(got) != 3 {
			t.Errorf("warnings %+v, want one per entry", got)
		}
	})
}

// TestWorkerLogsOncePerChange: the same error is logged once, although each of
// AWS's answers has a request id of its own.
func TestWorkerLogsOncePerChange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announce("vault-a", time.Hour, plainSpec("vault-a"))
		w.put("vault-a", keyOnly())
		delete(w.issued, "vault-a")
		w.deny("iam:DeleteUser")
		_, stop := w.start().work(t.Context())
		defer stop()
		time.Sleep(20 * time.Minute)
		mustLog(t, w, "warn", "AccessDenied")

		w.heal()
		w.inject(fault{op: "iam:ListAccessKeys", times: -1, how: refused, err: &awserr.Error{Op: "iam:ListAccessKeys", Kind: awserr.Throttled, Code: "Throttling"}})
		time.Sleep(time.Hour)
		mustLog(t, w, "warn", "AccessDenied", "Throttling")

		w.heal()
		time.Sleep(20 * time.Minute)
		mustLog(t, w, "warn", "AccessDenied", "Throttling")
		mustLog(t, w, "error")
		w.mustBeSettled(t)
	})
}

// TestWorkerLogsAFailingPassOnce: the same goes for the pass as a whole.
func TestWorkerLogsAFailingPassOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, stop := w.start().work(t.Context())
		defer stop()
		w.inject(fault{op: "journal:Entries", times: -1, how: refused})
		time.Sleep(20 * time.Minute)
		mustLog(t, w, "error", "storage: refused")
		w.heal()
		time.Sleep(20 * time.Minute)
		w.inject(fault{op: "journal:Entries", times: -1, how: refused})
		time.Sleep(20 * time.Minute)
		mustLog(t, w, "error", "storage: refused", "storage: refused")
	})
}

// mustLog compares the lines at a level, of which each must contain its part.
func mustLog(t *testing.T, w *world, level string, parts ...string) {
	t.Helper()
	lines := w.log.lines(t, level)
	if len(lines) != len(parts) {
		t.Fatalf("%d lines at %s, want %d: %+v", len(lines), level, len(parts), lines)
	}
	for i, part := range parts {
		if !strings.Contains(lines[i].Error+lines[i].Message, part) {
			t.Errorf("line %+v does not say %q", lines[i], part)
		}
	}
}

// TestWorkerSurvivesAPanic: the pass that panics is logged with its stack, and
// the next one does the work.
func TestWorkerSurvivesAPanic(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announceThree()
		w.inject(fault{op: "journal:Entries", how: panics})
		_, stop := w.start().work(t.Context())
		time.Sleep(3 * time.Minute)
		stop()
		w.mustBeSettled(t)
		mustLog(t, w, "error", "internal error", "caught a panic")
	})
}

// TestWorkerConnects: root credentials are asked for per entry, and where there
// are none nothing is done.
func TestWorkerConnects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announceThree()
		p := w.start()
		var connected atomic.Int32
		worker := lifecycle.NewWorker(p.manager, func(context.Context) (lifecycle.Users, error) {
			if connected.Add(1) == 2 {
				return nil, fmt.Errorf("no root config")
			}
			return iam{p}, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		worker.Start(ctx)
		worker.Wake(ctx)
		if diff := cmp.Diff([]string{"vault-b"}, w.ourUsers()); diff != "" || connected.Load() != 3 {
			t.Errorf("asked %d times for credentials, want 3; users (-want +got):\n%s", connected.Load(), diff)
		}
		time.Sleep(2 * time.Minute)
		w.mustBeSettled(t)
		cancel()
		worker.Wait(t.Context())
	})
}

// TestWorkerLeavesOtherEntriesAlone: entries of another kind, and such as are
// gone by the time they are read, are no matter for the log.
func TestWorkerLeavesOtherEntriesAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announce(foreignKind, time.Hour, plainSpec(foreignKind))
		w.announce("vault-a", time.Hour, plainSpec("vault-a"))
		w.put("vault-a", keyOnly())
		delete(w.issued, "vault-a")
		w.inject(fault{op: "journal:Load", user: "vault-a", how: refused, err: lifecycle.ErrNoEntry})
		w.settle(t.Context())
		w.mustBeSettled(t)
		if len(w.entries) != 1 {
			t.Errorf("entries %v, want the one of another kind", w.entries)
		}
		mustLog(t, w, "warn")
		mustLog(t, w, "error")
	})
}

// TestWorkerWake: Wake returns when a pass is over, or when its own time is up;
// the pass goes on then.
func TestWorkerWake(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		worker, stop := w.start().work(t.Context())
		time.Sleep(time.Second) // the first pass is over
		w.announceThree()
		worker.Wake(t.Context())
		w.mustBeSettled(t)

		w.announceThree()
		w.inject(fault{op: "journal:Entries", how: slow, delay: 20 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		worker.Wake(ctx)
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("Wake took %s, want 5s", waited)
		}
		if got := len(w.ourUsers()); got != 3 {
			t.Errorf("%d users, want 3: the pass is not there yet", got)
		}
		time.Sleep(25 * time.Second)
		w.mustBeSettled(t)
		stop()
		worker.Wake(t.Context()) // returns: the worker has ended
	})
}

// TestWorkerWakeAndStir: where somebody waits and something has changed during a
// pass, one follows at once and another soon.
func TestWorkerWakeAndStir(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		worker, stop := p.work(t.Context())
		defer stop()
		for range 20 {
			time.Sleep(time.Second)
			w.inject(fault{op: "journal:Entries", how: slow, delay: 10 * time.Second})
			begun := w.listings()
			for range 2 {
				go worker.Wake(t.Context())
				time.Sleep(time.Second)
			}
			p.manager.StirPools()
			time.Sleep(20 * time.Second)
			if got := w.listings() - begun; got != 3 {
				t.Fatalf("%d passes, want 3", got)
			}
		}
	})
}

// TestWorkerNeverStarted: there is nothing to wait for, and it stays so.
func TestWorkerNeverStarted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		worker := lifecycle.NewWorker(p.manager, p.connect)
		worker.Wait(t.Context())
		worker.Start(t.Context())
		worker.Wake(t.Context())
		if diff := cmp.Diff([]call(nil), w.calls, cmp.AllowUnexported(call{})); diff != "" {
			t.Errorf("calls:\n%s", diff)
		}
	})
}

// listings is how often the journal was listed.
func (w *world) listings() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.op == "journal:Entries" {
			n++
		}
	}
	return n
}

// TestWorkerStartsOnce: a second Start is no second worker.
func TestWorkerStartsOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		worker, stop := w.start().work(t.Context())
		worker.Start(t.Context())
		time.Sleep(150 * time.Second)
		stop()
		if got := w.listings(); got != 3 {
			t.Errorf("the journal was listed %d times in 150s, want 3", got)
		}
	})
}

// TestWorkerStops: within a second of the end of its context, whatever it is
// doing, and without a word.
func TestWorkerStops(t *testing.T) {
	for _, op := range []string{"", "journal:Entries", "journal:Load", "journal:Reassert", "iam:ListAccessKeys", "iam:DeleteUser", "journal:Strike"} {
		t.Run("hung at "+op, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.announceThree()
				if op != "" {
					w.inject(fault{op: op, how: hang})
				}
				_, stop := w.start().work(t.Context())
				time.Sleep(10 * time.Second)
				start := time.Now()
				stop()
				if took := time.Since(start); took > time.Second {
					t.Errorf("the worker ended after %s", took)
				}
				mustLog(t, w, "warn")
				mustLog(t, w, "error")
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}

// TestWorkerWaitEndsWithItsContext: Cleanup waits no longer than it may.
func TestWorkerWaitEndsWithItsContext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		worker, stop := w.start().work(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		worker.Wait(ctx)
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("Wait took %s, want 1s", waited)
		}
		stop()
	})
}
