package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// TestL6Deadlines: each operation has one of its own, all far below the age at
// which entries are rolled back.
func TestL6Deadlines(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(ctx context.Context, w *world)
		op   string
		want time.Duration
	}{
		{
			name: "issue",
			run:  func(ctx context.Context, w *world) { _, _ = w.start().issue(ctx, plainSpec("vault-a")) },
			op:   "iam:CreateAccessKey",
			want: 50 * time.Second,
		}, {
			name: "journal of an issue",
			run:  func(ctx context.Context, w *world) { _, _ = w.start().issue(ctx, plainSpec("vault-a")) },
			op:   "journal:Strike",
			want: 50 * time.Second,
		}, {
			name: "clean-up",
			run: func(ctx context.Context, w *world) {
				w.deny("iam:PutUserPolicy")
				_, _ = w.start().issue(ctx, plainSpec("vault-a"))
			},
			op:   "iam:DeleteUser",
			want: 15 * time.Second,
		}, {
			name: "revoke",
			run: func(ctx context.Context, w *world) {
				w.put("vault-a", keyOnly())
				_ = w.start().revoke(ctx, w.leased("vault-a"))
			},
			op:   "iam:DeleteUser",
			want: 80 * time.Second,
		}, {
			name: "rollback of one entry",
			run: func(ctx context.Context, w *world) {
				w.announce("vault-a", time.Hour, plainSpec("vault-a"))
				w.put("vault-a", keyOnly())
				w.pass(ctx, w.start())
			},
			op:   "iam:DeleteUser",
			want: 30 * time.Second,
		}, {
			name: "listing the journal",
			run:  func(ctx context.Context, w *world) { w.pass(ctx, w.start()) },
			op:   "journal:Entries",
			want: 30 * time.Second,
		}, {
			name: "session",
			run: func(ctx context.Context, w *world) {
				_, _ = lifecycle.Mint(ctx, func(ctx context.Context) (lifecycle.Session, error) {
					w.deadlines["sts:AssumeRole"], _ = ctx.Deadline()
					return lifecycle.Session{}, nil
				})
			},
			op:   "sts:AssumeRole",
			want: 50 * time.Second,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.instant = true
				start := time.Now()
				tc.run(t.Context(), w)
				if got := w.deadlines[tc.op].Sub(start); got != tc.want {
					t.Errorf("the deadline is after %s, want %s", got, tc.want)
				}
				if tc.want > lifecycle.RollbackMinAge/2 {
					t.Errorf("%s is not far below %s", tc.want, lifecycle.RollbackMinAge)
				}
			})
		})
	}
}

// TestL6HungCalls: AWS and storage may stay silent for ever; requests do not.
func TestL6HungCalls(t *testing.T) {
	for _, tc := range []struct {
		name   string
		faults []fault
		want   time.Duration // at most
	}{
		{"one call", []fault{{op: "iam:CreateAccessKey", times: -1, how: hang}}, 51 * time.Second},
		{"all calls after CreateUser", []fault{{nth: 2, times: -1, how: hang}}, 66 * time.Second},
		{"AWS is busy for ever", []fault{{op: "iam:CreateAccessKey", times: -1, how: refused, err: someErrors["busy"]}}, 51 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				for _, f := range tc.faults {
					w.inject(f)
				}
				start := time.Now()
				if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); err == nil {
					t.Error("IssueUser succeeded")
				}
				if took := time.Since(start); took > tc.want {
					t.Errorf("IssueUser took %s, want %s at most", took, tc.want)
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}

// TestL6TheClientLeaves: at whatever call that happens, the request ends within
// a second and what it made is removed all the same.
func TestL6TheClientLeaves(t *testing.T) {
	for _, how := range []mishap{cancelled, cancelledAfter} {
		t.Run(string(how), func(t *testing.T) {
			for n, met := 0, true; met; n++ {
				inWorld(t, func(t *testing.T, w *world) {
					f := w.inject(fault{nth: n, how: how})
					start := time.Now()
					_, err := w.start().issue(t.Context(), richSpec("vault-a"))
					if met = f.fired(); !met {
						return
					}
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v: IssueUser: %v, want %v", f, err, context.Canceled)
					}
					if took := time.Since(start); took > time.Second {
						t.Errorf("%v: IssueUser took %s", f, took)
					}
					if diff := cmp.Diff([]string{}, w.ourUsers()); diff != "" {
						t.Errorf("%v: users left:\n%s", f, diff)
					}
				})
			}
		})
	}
}

// TestL6TheClientLeavesAWait: the waits between tries end with the request.
func TestL6TheClientLeavesAWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		w.inject(fault{op: "iam:CreateUser", times: -1, how: refused, err: someErrors["busy"]})
		start := time.Now()
		if _, err := w.start().issue(ctx, plainSpec("vault-a")); err == nil {
			t.Error("IssueUser succeeded")
		}
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("IssueUser took %s, its client was gone after 10s", took)
		}
		w.mustBeSettled(t)
	})
}

// TestL6Overdue: a request that took too long by the wall clock hands nothing
// out, whatever call the time went by in; another node may have rolled its user
// back meanwhile.
func TestL6Overdue(t *testing.T) {
	for n, met := 0, true; met; n++ {
		inWorld(t, func(t *testing.T, w *world) {
			f := w.inject(fault{nth: n, how: jump, delay: 10 * time.Minute})
			_, err := w.start().issue(t.Context(), richSpec("vault-a"))
			if met = f.fired(); !met || w.looking(f.met) {
				return
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v: IssueUser: %v, want %v", f, err, context.DeadlineExceeded)
			}
			if f.met.op != "journal:Strike" && !w.condemnedBeforeStrike() {
				t.Errorf("%v: the entry was struck before the user was condemned: %q", f, w.called())
			}
			if diff := cmp.Diff([]string{}, w.ourUsers()); diff != "" {
				t.Errorf("%v: users left:\n%s", f, diff)
			}
			w.settle(t.Context())
			w.mustBeSettled(t)
		})
	}
}

// condemnedBeforeStrike reports whether the record was written twice, issued and
// condemned, before the entry was struck, if there was any.
func (w *world) condemnedBeforeStrike() bool {
	ops := w.called()
	recorded := slices.DeleteFunc(slices.Clone(ops[:slices.Index(ops, "journal:Strike")]), func(op string) bool { return op != "records:PutRecord" })
	return len(recorded) != 1
}

// TestL6OverdueAfterSleep: a machine that was asleep has a monotonic clock that
// stood still, so contexts have not ended. It runs outside of a bubble, in
// which there is no monotonic clock.
func TestL6OverdueAfterSleep(t *testing.T) {
	w := newWorld()
	w.instant = true
	w.inject(fault{op: "iam:CreateAccessKey", how: jump, delay: 10 * time.Minute})
	if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("IssueUser: %v, want %v", err, context.DeadlineExceeded)
	}
	w.mustBeSettled(t)
	w.mustHold(t)
}
