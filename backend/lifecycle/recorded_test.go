package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// locked runs what touches the world while a worker does, too.
func (w *world) locked(touch func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	touch()
}

// left is how many users and records there are.
func (w *world) left() (users, records int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.users), len(w.records)
}

// recordOf is a user's record.
func (w *world) recordOf(user string) lifecycle.UserRecord {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[user]
}

// recorded writes the record of a user that was issued two hours ago and whose
// lease ends after ttl, and makes the user.
func (w *world) recordUser(name string, ttl time.Duration) lifecycle.UserRecord {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(name, keyOnly())
	delete(w.issued, name)
	r := lifecycle.UserRecord{
		UserName: name, State: lifecycle.Issued, NameUnique: true, Account: ourAccount, AccessKey: "AKIA-one",
		Bearer: lifecycle.Bearer{Role: "deploy"}, Issued: w.clock.Now().Add(-2 * time.Hour), Deadline: w.clock.Now().Add(ttl),
	}
	w.records[name] = r
	return r
}

// passes has a new process's worker do n passes, a minute apart.
func (w *world) passes(ctx context.Context, n int) {
	_, stop := w.start().work(ctx)
	time.Sleep(time.Duration(n) * time.Minute)
	stop()
}

// TestL2RecordBeforeStrike: the record is durable before the entry is struck.
func TestL2RecordBeforeStrike(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); err != nil {
			t.Fatal(err)
		}
		ops := w.called()
		if put, struck := slices.Index(ops, "records:PutRecord"), slices.Index(ops, "journal:Strike"); put < 0 || put > struck {
			t.Errorf("calls: %q", ops)
		}
		want := lifecycle.UserRecord{
			UserName: "vault-a", State: lifecycle.Issued, NameUnique: true, Account: ourAccount, AccessKey: "AKIA1", Policies: []string{"role"},
			Issued: w.records["vault-a"].Issued, Deadline: w.clock.Now().UTC().Add(leaseTTL),
		}
		got := w.records["vault-a"]
		if late := want.Deadline.Sub(got.Deadline); late < 0 || late > time.Second {
			t.Errorf("the deadline is %s before the answer plus the lease", late)
		}
		want.Deadline = got.Deadline
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("record (-want +got):\n%s", diff)
		}
	})
}

// TestL9RevokeCondemnsFirst: the record is condemned before AWS is called; where
// that cannot be written, AWS is not called.
func TestL9RevokeCondemnsFirst(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", time.Hour)
		w.inject(fault{op: "records:PutRecord", how: refused})
		if err := w.start().revoke(t.Context(), r); err == nil {
			t.Error("a revoke that could not be written down succeeded")
		}
		if err := w.start().revoke(t.Context(), r); err != nil {
			t.Error(err)
		}
		want := []string{"records:PutRecord", "records:PutRecord", "iam:DeleteAccessKey", "iam:DeleteUser", "records:DeleteRecord"}
		if diff := cmp.Diff(want, w.called()); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}

// TestL9RevokedUsersGo has each call of a revoke go wrong in turn and in each
// way. Whatever Vault does with the lease afterwards, a user that was condemned
// is destroyed by the worker.
func TestL9RevokedUsersGo(t *testing.T) {
	for _, f := range everyMishap {
		t.Run(f.name(), func(t *testing.T) {
			for f.nth = 0; revokeUnder(t, f); f.nth++ {
			}
		})
	}
}

func revokeUnder(t *testing.T, f fault) (fired bool) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", 200*time.Hour)
		injected := w.inject(f)
		err := lifecycle.Recovered(func() error { return w.start().revoke(t.Context(), r) })
		fired = injected.fired()
		if w.records["vault-a"].State == lifecycle.Issued && w.users["vault-a"] != nil {
			if err == nil {
				t.Errorf("%v: RevokeUser succeeded and condemned nothing", injected)
			}
			w.heal()
			_ = w.start().revoke(t.Context(), r) // Vault tries again
		}
		w.state.ClockJump = ""
		w.settle(t.Context())
		if len(w.users)+len(w.records) != 0 {
			t.Errorf("%v: users %v and records %v are left; RevokeUser: %v", injected, w.users, w.records, err)
		}
	})
	return fired
}

// TestL9KeysAreNamedDeleted: what is left of a user whose key is gone is harmless,
// and its record and the error say so.
func TestL9KeysAreNamedDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", time.Hour)
		w.deny("iam:DeleteUser")
		err := w.start().revoke(t.Context(), r)
		if err == nil || !strings.Contains(err.Error(), "its access keys are deleted, but") {
			t.Errorf("RevokeUser: %v", err)
		}
		got := w.records["vault-a"]
		if !got.KeyDeleted || got.State != lifecycle.Condemned || got.Tries != 1 || !strings.Contains(got.LastError, "iam:DeleteUser") {
			t.Errorf("record: %+v", got)
		}
		w.mustHaveKeys(t, "vault-a")
		w.heal()
		w.passes(t.Context(), 2)
		if len(w.users)+len(w.records) != 0 {
			t.Error("the worker left it")
		}
	})
}

// TestL9BackOff: a condemned user that AWS does not let go is tried later and
// later, also by one process after the other.
func TestL9BackOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", 200*time.Hour)
		w.deny("iam:DeleteAccessKey")
		_ = w.start().revoke(t.Context(), r)
		w.passes(t.Context(), 60)
		w.passes(t.Context(), 60)
		if n := w.count("iam:DeleteAccessKey"); n < 10 || n > 20 {
			t.Errorf("%d tries in two hours", n)
		}
	})
}

// TestL9ClockWasAhead: a next try that a clock wrote which was hours ahead is not
// waited for.
func TestL9ClockWasAhead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", 200*time.Hour)
		r.State, r.NextTry = lifecycle.Condemned, w.clock.Now().Add(3*time.Hour)
		w.records["vault-a"] = r
		w.start()
		w.passes(t.Context(), 2)
		if n := w.count("iam:DeleteAccessKey"); n == 0 {
			t.Error("the user waits for the clock")
		}
	})
}

// TestL10Renew: the record has the new deadline before the lease does; a user
// that is condemned is not renewed; a lease without a record gets one.
func TestL10Renew(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		known := w.recordUser("vault-a", time.Hour)
		known.Deadline = w.clock.Now().Add(5 * time.Hour)
		if err := p.manager.RenewUser(t.Context(), known); err != nil || !w.records["vault-a"].Deadline.Equal(known.Deadline) {
			t.Errorf("RenewUser: %v; deadline %s, want %s", err, w.records["vault-a"].Deadline, known.Deadline)
		}
		w.inject(fault{op: "records:PutRecord", how: refused})
		if err := p.manager.RenewUser(t.Context(), known); err == nil {
			t.Error("a renewal that was not written down succeeded")
		}
		delete(w.records, "vault-a")
		w.issued["vault-a"] = lifecycle.IssuedUser{} // a lease names it
		if err := p.manager.RenewUser(t.Context(), known); err != nil || w.records["vault-a"].State != lifecycle.Issued {
			t.Errorf("RenewUser of a user without a record: %v, %+v", err, w.records["vault-a"])
		}
		w.deny("iam:DeleteUser")
		_ = p.revoke(t.Context(), known)
		if err := p.manager.RenewUser(t.Context(), known); !errors.Is(err, lifecycle.ErrCondemned) {
			t.Errorf("RenewUser of a condemned user: %v", err)
		}
	})
}

// TestDeadline: a user that outlived its lease by the grace is destroyed; not
// before, and not if it was renewed.
func TestDeadline(t *testing.T) {
	for _, tc := range []struct {
		name string
		ttl  time.Duration
		left bool
	}{
		{"past deadline and grace", -61 * time.Minute, false},
		{"within the grace", -50 * time.Minute, true},
		{"leased", time.Hour, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.recordUser("vault-a", tc.ttl)
				w.passes(t.Context(), 3)
				if left := w.users["vault-a"] != nil; left != tc.left {
					t.Errorf("the user is there: %t, want %t", left, tc.left)
				}
			})
		})
	}
}

// TestL12NoWriteNoCall: a node that may no longer write destroys nobody, by
// whatever record.
func TestL12NoWriteNoCall(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.recordUser("vault-a", -2*time.Hour)
		condemned := w.recordUser("vault-b", time.Hour)
		condemned.State = lifecycle.Condemned
		w.records["vault-b"] = condemned
		w.inject(fault{op: "records:PutRecord", times: -1, how: refused})
		w.passes(t.Context(), 5)
		if len(w.users) != 2 {
			t.Errorf("users left: %v", w.users)
		}
	})
}

// TestL13ManyDue: more than twenty and a tenth of the users falling due at once
// tell of a wrong clock; nobody is destroyed by deadline until an operator says
// so. Condemned users still go.
func TestL13ManyDue(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 21 {
			w.recordUser(fmt.Sprintf("vault-due-%d", i), -2*time.Hour)
		}
		r := w.recordUser("vault-condemned", time.Hour)
		r.State = lifecycle.Condemned
		w.records["vault-condemned"] = r
		p := w.start()
		_, stop := p.work(t.Context())
		time.Sleep(3 * time.Minute)
		if users, _ := w.left(); users != 21 {
			t.Errorf("%d users are left, want 21", users)
		}
		if errs := w.log.lines(t, "error"); len(errs) != 1 || !strings.Contains(errs[0].Message, "confirm_deadlines") {
			t.Errorf("errors logged: %+v", errs)
		}
		if err := p.manager.ConfirmDeadlines(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(3 * time.Minute)
		stop()
		if len(w.users) != 0 {
			t.Errorf("%d users are left after the operator's word", len(w.users))
		}
	})
}

// TestL13ClockJumps: after a jump of the wall clock deadlines are not believed.
func TestL13ClockJumps(t *testing.T) {
	for _, tc := range []struct {
		jump time.Duration
		left bool
	}{{-10 * time.Minute, true}, {61 * time.Minute, true}, {30 * time.Second, false}} {
		t.Run(tc.jump.String(), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				_, stop := p.work(t.Context())
				time.Sleep(90 * time.Second)
				w.clock.jump(tc.jump)
				w.recordUser("vault-a", -3*time.Hour)
				time.Sleep(3 * time.Minute)
				stop()
				if left := w.users["vault-a"] != nil; left != tc.left {
					t.Errorf("the user is there: %t, want %t; state %+v", left, tc.left, w.state)
				}
			})
		})
	}
}

// TestL13ClockJumpsInAPass: before the worker goes by deadlines, and after that.
func TestL13ClockJumpsInAPass(t *testing.T) {
	for name, add := range map[string]func(w *world, worker *lifecycle.Worker){
		"before": func(w *world, _ *lifecycle.Worker) {
			w.inject(fault{op: "journal:Entries", how: jump, delay: 3 * time.Hour})
		},
		"after": func(w *world, worker *lifecycle.Worker) {
			jump := sync.OnceFunc(func() { w.clock.jump(3 * time.Hour) })
			worker.Add(lifecycle.Duty{Name: "jump", Items: func(context.Context) ([]lifecycle.EntryID, error) { jump(); return nil, nil }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.recordUser("vault-a", 0)
				p := w.start()
				worker := lifecycle.NewWorker(p.manager, p.connect)
				add(w, worker)
				ctx, stop := context.WithCancel(t.Context())
				worker.Start(ctx)
				time.Sleep(5 * time.Minute)
				stop()
				worker.Wait(t.Context())
				if w.users["vault-a"] == nil || w.state.ClockJump == "" {
					t.Errorf("users %v, state %+v", w.users, w.state)
				}
			})
		})
	}
}

// TestL13ClockBackOverARestart: a clock that went back while the mount was down
// is noticed by the time of the last start.
func TestL13ClockBackOverARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.passes(t.Context(), 1)
		w.clock.jump(-time.Hour)
		w.recordUser("vault-a", -3*time.Hour)
		w.passes(t.Context(), 3)
		if w.users["vault-a"] == nil || w.state.ClockJump == "" {
			t.Errorf("users %v, state %+v", w.users, w.state)
		}
	})
}

// TestIncarnations: each process that may write is one.
func TestIncarnations(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var owner string
		for n := 1; n <= 3; n++ {
			s, err := w.start().manager.State(t.Context())
			if err != nil || s.Incarnation != n || len(s.Owner) != 26 || owner != "" && s.Owner != owner {
				t.Errorf("incarnation %d: %+v, %v", n, s, err)
			}
			owner = s.Owner
		}
	})
}

// TestDraining: no new users; what is under way is rolled back whatever its age;
// users past their deadline go without grace.
func TestDraining(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.recordUser("vault-lost", -time.Minute)
		w.recordUser("vault-leased", time.Hour)
		w.announce("vault-announced", time.Minute, plainSpec("vault-announced"))
		w.put("vault-announced", keyOnly())
		p := w.start()
		if err := p.manager.ChangeState(t.Context(), func(s *lifecycle.MountState) { s.Draining = true }); err != nil {
			t.Fatal(err)
		}
		if _, err := p.issue(t.Context(), plainSpec("vault-a")); !errors.Is(err, lifecycle.ErrDraining) {
			t.Errorf("IssueUser: %v", err)
		}
		w.passes(t.Context(), 3)
		if diff := cmp.Diff([]string{"vault-leased"}, w.ourUsers()); diff != "" || len(w.entries) != 0 {
			t.Errorf("users (-want +got):\n%s\nentries %v", diff, w.entries)
		}
	})
}

// TestCaps: a limit on live users counts what is recorded and what is under way.
func TestCaps(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.recordUser("vault-old", time.Hour)
		p := w.start()
		_, stop := p.work(t.Context())
		defer stop()
		time.Sleep(time.Minute)
		spec := func(name, role string) lifecycle.UserSpec {
			s := plainSpec(name)
			s.Bearer.Role, s.Caps = role, lifecycle.Caps{Role: 2, Mount: 3}
			return s
		}
		for _, tc := range []struct{ name, role, want string }{
			{"vault-a", "deploy", ""},
			{"vault-b", "deploy", `role "deploy"`},
			{"vault-c", "other", ""},
			{"vault-d", "third", "this mount"},
		} {
			_, err := p.issue(t.Context(), spec(tc.name, tc.role))
			var capped *lifecycle.CapError
			if errors.As(err, &capped); tc.want == "" && err != nil || tc.want != "" && (capped == nil || capped.Of != tc.want) {
				t.Errorf("%s: %v, want a cap of %q", tc.name, err, tc.want)
			}
		}
		if err := p.revoke(t.Context(), w.recordOf("vault-a")); err != nil {
			t.Error(err)
		}
		if _, err := p.issue(t.Context(), spec("vault-e", "deploy")); err != nil {
			t.Errorf("after a revoke: %v", err)
		}
	})
}

// TestIndexIsRebuilt: after a restart the index is that of storage, by which keys
// are looked up; a record that was changed elsewhere is noticed.
func TestIndexIsRebuilt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 30 {
			r := w.recordUser(fmt.Sprintf("vault-%02d", i), time.Hour)
			r.AccessKey = fmt.Sprintf("AKIA-%02d", i)
			w.records[r.UserName] = r
		}
		p := w.start()
		if p.manager.RecordsKnown() {
			t.Error("the records are known before they are read")
		}
		_, stop := p.work(t.Context())
		defer stop()
		time.Sleep(30 * time.Second)
		if user, known := p.manager.UserOfKey("AKIA-17"); user != "vault-17" || !known || !p.manager.RecordsKnown() {
			t.Errorf("UserOfKey: %q, %t", user, known)
		}
		w.locked(func() {
			delete(w.users, "vault-17")
			delete(w.records, "vault-17")
		})
		time.Sleep(time.Minute)
		if _, known := p.manager.UserOfKey("AKIA-17"); known || len(p.manager.UsersOfRole("deploy")) != 29 {
			t.Error("a record that is gone is still in the index")
		}
	})
}

// TestL10DeadlineReadsTheRecord: a user that is renewed while the worker is busy
// with others that fell due is not ended by what was due before.
func TestL10DeadlineReadsTheRecord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for i := range 9 {
			w.recordUser(fmt.Sprintf("vault-%d", i), -2*time.Hour)
		}
		w.inject(fault{op: "iam:DeleteAccessKey", times: 8, how: slow, delay: 20 * time.Second})
		p := w.start()
		_, stop := p.work(t.Context())
		time.Sleep(10 * time.Second)
		r := w.recordOf("vault-8")
		r.Deadline = w.clock.Now().Add(time.Hour)
		if err := p.manager.RenewUser(t.Context(), r); err != nil {
			t.Error(err)
		}
		time.Sleep(20 * time.Minute)
		stop()
		if diff := cmp.Diff([]string{"vault-8"}, w.ourUsers()); diff != "" {
			t.Errorf("users (-want +left):\n%s", diff)
		}
	})
}

// TestCapsUnderWay: users that are being made at the same time count.
func TestCapsUnderWay(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		var capped atomic.Int32
		var requests sync.WaitGroup
		for i := range 10 {
			spec := plainSpec(fmt.Sprintf("vault-%d", i))
			spec.Caps.Mount = 3
			requests.Go(func() {
				if _, err := p.issue(t.Context(), spec); err != nil {
					capped.Add(1)
				}
			})
		}
		requests.Wait()
		if got := len(w.ourUsers()); got != 3 || capped.Load() != 7 {
			t.Errorf("%d users made, %d refused", got, capped.Load())
		}
	})
}

// TestL7LostReplyToDeleteUser: that a young user is gone is not believed after a
// DeleteUser whose effect is unknown; when the user is old, its lease can be
// revoked, and nothing is left of it.
func TestL7LostReplyToDeleteUser(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		out, err := p.issue(t.Context(), plainSpec("vault-a"))
		if err != nil {
			t.Fatal(err)
		}
		leased := w.recordOf(out.Name)
		w.inject(fault{op: "iam:DeleteUser", how: lost})
		if err := p.revoke(t.Context(), leased); !errors.Is(err, awserr.Unavailable) {
			t.Errorf("the first revoke: %v", err)
		}
		if err := p.revoke(t.Context(), leased); !errors.Is(err, awserr.NotFound) {
			t.Errorf("the second revoke: %v", err)
		}
		if r := w.records[out.Name]; r.State != lifecycle.Condemned {
			t.Errorf("record: %+v", r)
		}
		time.Sleep(6 * time.Minute)
		if err := p.revoke(t.Context(), leased); err != nil {
			t.Errorf("the third revoke: %v", err)
		}
		w.mustBeSettled(t)
	})
}

// TestL7TheWorkerWasFaster: a lease whose young user the worker has destroyed
// already is revoked; one of a process that does not know waits.
func TestL7TheWorkerWasFaster(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		_, stop := p.work(t.Context())
		defer stop()
		out, err := p.issue(t.Context(), plainSpec("vault-a"))
		if err != nil {
			t.Fatal(err)
		}
		leased := w.recordOf(out.Name)
		w.inject(fault{op: "iam:DeleteUser", how: refused})
		if err := p.revoke(t.Context(), leased); err == nil {
			t.Error("the first revoke succeeded")
		}
		time.Sleep(2 * time.Minute)
		if users, records := w.left(); users+records != 0 {
			t.Errorf("%d users, %d records", users, records)
		}
		if err := w.start().revoke(t.Context(), leased); !errors.Is(err, awserr.NotFound) {
			t.Errorf("revoke by another process: %v", err)
		}
		if err := p.revoke(t.Context(), leased); err != nil {
			t.Errorf("revoke: %v", err)
		}
		if _, err := p.issue(t.Context(), plainSpec("vault-a")); err != nil {
			t.Errorf("the name again: %v", err)
		}
	})
}
