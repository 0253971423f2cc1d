package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// announce writes a journal entry of some age, as a process would have that died.
func (w *world) announce(name string, age time.Duration, spec lifecycle.UserSpec) lifecycle.EntryID {
	at := w.clock.Now().Add(-age)
	return w.write(lifecycle.Entry{
		Intent:     lifecycle.UserIntent{UserName: name, NameUnique: spec.NameUnique, IssuedAt: at, Account: ourAccount},
		RecordedAt: at.Truncate(time.Second),
	})
}

// pass has a worker do one pass.
func (w *world) pass(ctx context.Context, p *process) {
	worker, stop := p.work(ctx)
	worker.Wake(ctx) // the pass that starts with the worker, and one more
	stop()
}

// TestL5UnconfirmedUsers: a user that AWS never told us it made is destroyed
// only if it is provably ours. Else nothing is deleted, its entry stays, and the
// log names it.
func TestL5UnconfirmedUsers(t *testing.T) {
	const age = 10 * time.Minute
	for _, tc := range []struct {
		name string
		spec lifecycle.UserSpec
		made time.Duration // before now
		deny string
		want []string // calls to AWS
		left bool
	}{
		{
			name: "a name of our own randomness",
			spec: plainSpec("vault-a"),
			made: age,
			want: []string{"iam:ListAccessKeys", "iam:DeleteUser"},
		}, {
			name: "a common name, made when it was announced",
			spec: commonSpec("vault-a"),
			made: age,
			want: []string{"sts:GetCallerIdentity", "iam:GetUser", "iam:ListAccessKeys", "iam:DeleteUser"},
		}, {
			name: "a common name, made before it was announced",
			spec: commonSpec("vault-a"),
			made: age + 2*time.Second,
			want: []string{"sts:GetCallerIdentity", "iam:GetUser"},
			left: true,
		}, {
			name: "a common name, and GetUser is denied",
			spec: commonSpec("vault-a"),
			made: age,
			deny: "iam:GetUser",
			want: []string{"sts:GetCallerIdentity", "iam:GetUser"},
			left: true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id := w.announce("vault-a", age, tc.spec)
				w.putForeign("vault-a", time.Now().Add(-tc.made))
				if tc.deny != "" {
					w.deny(tc.deny)
				}
				w.pass(t.Context(), w.start())
				w.mustHaveLeft(t, id, tc.left)
				if diff := cmp.Diff(tc.want, withoutParts(w.called())); diff != "" {
					t.Errorf("calls to AWS (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// withoutParts leaves the calls that matter for whose a user is.
func withoutParts(ops []string) []string {
	var out []string
	for _, op := range ops {
		switch op {
		case "sts:GetCallerIdentity", "iam:GetUser", "iam:ListAccessKeys", "iam:DeleteUser":
			out = append(out, op)
		}
	}
	return out
}

// mustHaveLeft compares the user and its entry with whether they are to stay,
// and asks for a warning that names the user if so.
func (w *world) mustHaveLeft(t *testing.T, id lifecycle.EntryID, left bool) {
	t.Helper()
	wantEntries, wantWarnings := []lifecycle.EntryID{}, 0
	if left {
		wantEntries, wantWarnings = append(wantEntries, id), 1
	}
	if diff := cmp.Diff(wantEntries, w.journalled()); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if left {
		w.mustBeUntouched(t)
	} else if w.users["vault-a"] != nil {
		t.Error("the user is still there")
	}
	warnings := w.log.lines(t, "warn")
	if len(warnings) != wantWarnings {
		t.Errorf("warnings %+v, want %d", warnings, wantWarnings)
	}
	for _, warning := range warnings {
		if !strings.Contains(warning.Error, `"vault-a"`) {
			t.Errorf("warning %+v does not name the user", warning)
		}
	}
}

// mustBeUntouched wants the user of putForeign as it was.
func (w *world) mustBeUntouched(t *testing.T) {
	t.Helper()
	u := w.users["vault-a"]
	if u == nil {
		t.Fatal("the user is gone")
	}
	if diff := cmp.Diff(allParts(), u.parts()); diff != "" {
		t.Errorf("parts (-before +after):\n%s", diff)
	}
}

// TestL5TakenNames: a user that was there before is neither adopted nor touched,
// whatever its name, and the entry is struck.
func TestL5TakenNames(t *testing.T) {
	for _, spec := range []lifecycle.UserSpec{plainSpec("vault-a"), commonSpec("vault-a")} {
		inWorld(t, func(t *testing.T, w *world) {
			w.putForeign("vault-a", time.Now())
			_, err := w.start().issue(t.Context(), spec)
			if !errors.Is(err, awserr.Exists) {
				t.Errorf("IssueUser: %v, want %q", err, awserr.Exists)
			}
			if diff := cmp.Diff([]string{"journal:Record", "iam:CreateUser", "journal:Strike"}, w.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			w.settle(t.Context())
			w.mustBeSettled(t)
			w.mustBeUntouched(t)
		})
	}
}

// TestL5LostUnderACommonName: after a lost CreateUser the request itself judges
// whose the user is, as the rollback does.
func TestL5LostUnderACommonName(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.putForeign("vault-a", time.Now().Add(-time.Minute))
		w.inject(fault{op: "iam:CreateUser", how: unavailable})
		if _, err := w.start().issue(t.Context(), commonSpec("vault-a")); !errors.Is(err, awserr.Unavailable) {
			t.Errorf("IssueUser: %v, want %q", err, awserr.Unavailable)
		}
		w.mustHaveLeft(t, "wal-001", true)
	})
}

// TestL7RollbackWaits: an entry without a user is struck after half an hour, and
// one whose CreateUser was sent again stays as long, although a user turned up.
func TestL7RollbackWaits(t *testing.T) {
	for _, tc := range []struct {
		name   string
		resent bool
		exists bool
		want   time.Duration // age at which the entry is gone
	}{
		{name: "the user is there", exists: true, want: 10 * time.Minute},
		{name: "no user", want: 31 * time.Minute},
		{name: "the user is there, and another may come", exists: true, resent: true, want: 31 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id := w.announce("vault-a", 10*time.Minute, plainSpec("vault-a"))
				e := w.entries[id]
				e.Intent.Resent = tc.resent
				w.entries[id] = e
				if tc.exists {
					w.putForeign("vault-a", time.Now())
				}
				for age := 10 * time.Minute; ; age += 7 * time.Minute {
					w.pass(t.Context(), w.start())
					gone := len(w.journalled()) == 0
					if w.users["vault-a"] != nil {
						t.Fatal("the user is still there")
					}
					if want := age >= tc.want; gone != want {
						t.Fatalf("at the age of %s the entry is gone: %t, want %t", age, gone, want)
					}
					if gone {
						return
					}
					time.Sleep(7 * time.Minute)
				}
			})
		})
	}
}

// TestRollbackAge: entries are left alone until they are five minutes old.
func TestRollbackAge(t *testing.T) {
	for _, tc := range []struct {
		age  time.Duration
		want int // calls of DeleteUser
	}{
		{lifecycle.RollbackMinAge - time.Second, 0},
		{lifecycle.RollbackMinAge + 2*time.Second, 1},
	} {
		inWorld(t, func(t *testing.T, w *world) {
			w.instant = true
			w.announce("vault-a", tc.age, plainSpec("vault-a"))
			w.put("vault-a", lifecycle.Parts{})
			w.pass(t.Context(), w.start())
			if got := w.count("iam:DeleteUser"); got != tc.want {
				t.Errorf("at the age of %s DeleteUser was called %d times, want %d", tc.age, got, tc.want)
			}
		})
	}
}

// TestL11NamesBeingIssuedAreLeftAlone: however old the entry looks.
func TestL11NamesBeingIssuedAreLeftAlone(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault fault
	}{
		{"while the request waits for AWS", fault{op: "iam:CreateAccessKey", how: slow, delay: 10 * time.Second}},
		{"while it waits for the journal", fault{op: "journal:Strike", how: slow, delay: 10 * time.Second}},
		{"and commits while the entry is read", fault{op: "journal:Load", how: slow, delay: 10 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.skew = time.Hour
				w.inject(tc.fault)
				p := w.start()
				if _, err := p.manager.State(t.Context()); err != nil {
					t.Error(err)
				}
				issued := make(chan error)
				go func() {
					_, err := p.issue(t.Context(), plainSpec("vault-a"))
					issued <- err
				}()
				time.Sleep(50 * time.Millisecond) // it is journalled by now
				_, stop := p.work(t.Context())
				if err := <-issued; err != nil {
					t.Errorf("IssueUser: %v", err)
				}
				time.Sleep(time.Hour)
				stop()
				w.mustBeSettled(t)
				if got := w.count("iam:DeleteAccessKey"); got != 0 {
					t.Errorf("%d keys were deleted", got)
				}
			})
		})
	}
}

// TestL12NothingIsDestroyedWithoutAWrite: a node that may not write its storage
// any more does not act on what it has read.
func TestL12NothingIsDestroyedWithoutAWrite(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announce("vault-a", time.Hour, plainSpec("vault-a"))
		w.put("vault-a", allParts())
		w.inject(fault{op: "journal:Reassert", times: -1, how: refused})
		w.pass(t.Context(), w.start())
		if diff := cmp.Diff([]string{"journal:Reassert"}, w.called()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		delete(w.issued, "vault-a")
		w.settle(t.Context())
		w.mustBeSettled(t)
	})
}

// TestBuiltInEntries: an entry of the built-in engine tells the name only. Its
// user is destroyed if it is not older than the entry, whose time stands for
// that of the announcement.
func TestBuiltInEntries(t *testing.T) {
	for _, made := range []time.Duration{time.Hour, 2 * time.Hour} {
		inWorld(t, func(t *testing.T, w *world) {
			w.write(lifecycle.Entry{
				Intent:     lifecycle.UserIntent{UserName: "vault-a"},
				RecordedAt: w.clock.Now().Add(-time.Hour),
			})
			w.putForeign("vault-a", time.Now().Add(-made))
			w.pass(t.Context(), w.start())
			if got, want := w.users["vault-a"] == nil, made == time.Hour; got != want {
				t.Errorf("a user made %s ago is gone: %t, want %t", made, got, want)
			}
		})
	}
}
