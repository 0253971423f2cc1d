package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// wanted is what the roles ask for, as this process sees it.
func (p *process) wanted(ctx context.Context) ([]lifecycle.Pool, error) {
	if pools := p.pools.Load(); pools != nil {
		return (*pools)(ctx)
	}
	return nil, nil
}

// pool is a pool of a role.
func (p *process) pool(role, of string, size int) lifecycle.Pool {
	return lifecycle.Pool{
		Role: role, Of: of, Account: ourAccount, Size: size, MaxAge: 12 * time.Hour,
		Order: func(context.Context) (lifecycle.PoolOrder, error) {
			return lifecycle.PoolOrder{IAM: iam{p}, Spec: p.world.pooledSpec(role), Provers: p.provers}, nil
		},
	}
}

// pooledSpec is a user for a pool, under a name of its own.
func (w *world) pooledSpec(role string) lifecycle.UserSpec {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ordered++
	spec := plainSpec(fmt.Sprintf("vault-pool-%d", w.ordered))
	spec.TTL, spec.Bearer = 0, lifecycle.Bearer{Role: role, DisplayName: "pool"}
	return spec
}

func (p *process) provers(lifecycle.AccessKey) []lifecycle.Identifier {
	return []lifecycle.Identifier{keyProver{p}}
}

// keyProver asks STS of the account.
type keyProver struct{ *process }

// Identity implements lifecycle.Identifier.
func (p keyProver) Identity(ctx context.Context) (lifecycle.Identity, error) {
	return lifecycle.Identity{}, p.call(ctx, call{op: "sts:GetCallerIdentity"}, func() error { return nil })
}

// keeps has the process keep pools.
func (p *process) keeps(pools ...lifecycle.Pool) *process {
	return p.keepsWhat(func(context.Context) ([]lifecycle.Pool, error) { return pools, nil })
}

func (p *process) keepsWhat(pools lifecycle.Pools) *process {
	p.pools.Store(&pools)
	return p
}

// taker is who asks for a user from a pool.
func taker(role, of string) lifecycle.Taking {
	return lifecycle.Taking{
		Of: of, Account: ourAccount, TTL: leaseTTL,
		Bearer: lifecycle.Bearer{Role: role, EntityID: "entity", DisplayName: "token-a", RequestID: "request"},
	}
}

// take takes a user as a request would, and checks what comes with it.
func (p *process) take(ctx context.Context, t lifecycle.Taking) (lifecycle.PooledUser, bool, error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	ctx = context.WithValue(ctx, clientKey{}, leave)
	var out lifecycle.PooledUser
	var found bool
	err := lifecycle.Recovered(func() (err error) {
		out, found, err = p.manager.TakeUser(ctx, t)
		return err
	})
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead || !found {
		return lifecycle.PooledUser{}, false, err
	}
	if w.taken[out.Key.ID] {
		w.breach("key %s was handed out twice", out.Key.ID)
	}
	w.taken[out.Key.ID] = true
	w.issued[out.Name] = out.IssuedUser
	w.checkComplete(out.Spec, out.IssuedUser)
	if r := w.records[out.Name]; err != nil || r.State != lifecycle.Issued || r.Bearer != t.Bearer {
		w.breach("user %q was handed out of the pool (%v), and its record is %+v", out.Name, err, r)
	}
	return out, true, err
}

// fired reports whether a fault has met a call.
func (w *world) fired(f *fault) (fired bool) {
	w.locked(func() { fired = f.fired() })
	return fired
}

// exists reports whether a user is in AWS.
func (w *world) exists(user string) (exists bool) {
	w.locked(func() { exists = w.users[user] != nil })
	return exists
}

// mustTake takes a user that is there.
func (p *process) mustTake(t *testing.T, of lifecycle.Taking) lifecycle.PooledUser {
	t.Helper()
	out, found, err := p.take(t.Context(), of)
	if err != nil || !found {
		t.Fatalf("TakeUser: %t, %v", found, err)
	}
	return out
}

// states counts the users by the state of their record.
func (w *world) states() map[lifecycle.RecordState]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts := map[lifecycle.RecordState]int{}
	for _, r := range w.records {
		counts[r.State]++
	}
	return counts
}

func (w *world) mustBe(t *testing.T, want map[lifecycle.RecordState]int) {
	t.Helper()
	if diff := cmp.Diff(want, w.states()); diff != "" {
		t.Errorf("records by state (-want +got):\n%s", diff)
	}
	if users, records := w.left(); users != records {
		t.Errorf("%d users and %d records", users, records)
	}
}

// TestPool: users are made ahead of time and proven, handed out without a call of
// AWS, and made again; one from the pool is as one made for who asks.
func TestPool(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		_, stop := p.keeps(p.pool("deploy", "a", 3)).work(t.Context())
		defer stop()
		time.Sleep(30 * time.Second)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 3})
		for _, name := range w.inState(lifecycle.Pooled) {
			r := w.recordOf(name)
			if r.Process == "" || !r.Deadline.IsZero() || r.DisplayName != "pool" || r.Role != "deploy" {
				t.Errorf("record of %s in the pool: %+v", name, r)
			}
		}
		var calls int
		w.locked(func() { calls = len(w.calls) })
		began, out := time.Now(), p.mustTake(t, taker("deploy", "a"))
		if out.ReadyAt.IsZero() || time.Since(began) > 500*time.Millisecond {
			t.Errorf("ready at %s, after %s", out.ReadyAt, time.Since(began))
		}
		w.locked(func() {
			for _, c := range w.calls[calls:] {
				if !c.onStorage() {
					t.Errorf("taking called %s", c.op)
				}
			}
		})
		got := w.recordOf(out.Name)
		want := lifecycle.UserRecord{
			UserName: out.Name, State: lifecycle.Issued, Bearer: taker("deploy", "a").Bearer, NameUnique: true, Account: ourAccount,
			AccessKey: out.Key.ID, Policies: []string{"role"}, Made: got.Made, Issued: got.Issued, Deadline: got.Issued.Add(leaseTTL),
		}
		if diff := cmp.Diff(want, got); diff != "" || !got.Made.Before(got.Issued) {
			t.Errorf("record (-want +got):\n%s", diff)
		}
		time.Sleep(20 * time.Second)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 3, lifecycle.Issued: 1})
		if err := p.revoke(t.Context(), got); err != nil {
			t.Error(err)
		}
	})
}

// TestPoolIsEmpty: what cannot be had of a pool, and does not harm it.
func TestPoolIsEmpty(t *testing.T) {
	other := taker("deploy", "a")
	other.Account = "222222222222"
	unknown := taker("deploy", "a")
	unknown.Account = ""
	for name, of := range map[string]lifecycle.Taking{
		"another role": taker("other", "a"), "a role that was changed": taker("deploy", "b"),
		"another account": other, "an account that is not known": unknown,
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				_, stop := p.keeps(p.pool("deploy", "a", 1)).work(t.Context())
				defer stop()
				time.Sleep(30 * time.Second)
				if out, found, err := p.take(t.Context(), of); found || err != nil {
					t.Errorf("TakeUser: %v, %v", out.Name, err)
				}
				p.mustTake(t, taker("deploy", "a"))
				if out, found, err := p.take(t.Context(), taker("deploy", "a")); found || err != nil {
					t.Errorf("the second: %v, %v", out.Name, err)
				}
			})
		})
	}
}

// TestPoolIsProven: a user whose key STS does not know is not handed out.
func TestPoolIsProven(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		unknown := w.inject(fault{op: "sts:GetCallerIdentity", times: -1, how: refused})
		_, stop := p.keeps(p.pool("deploy", "a", 2)).work(t.Context())
		defer stop()
		time.Sleep(5 * time.Minute)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 2})
		if _, found, err := p.take(t.Context(), taker("deploy", "a")); found || err != nil || !w.fired(unknown) {
			t.Errorf("TakeUser: %t, %v", found, err)
		}
		w.heal()
		time.Sleep(16 * time.Minute)
		p.mustTake(t, taker("deploy", "a"))
		if made := w.count("iam:CreateUser"); made > 3 {
			t.Errorf("%d users were made", made)
		}
	})
}

// TestPoolThrownAway: what ends a pool, or some of its users, within minutes.
func TestPoolThrownAway(t *testing.T) {
	pooled := func(n int) map[lifecycle.RecordState]int {
		if n == 0 {
			return map[lifecycle.RecordState]int{}
		}
		return map[lifecycle.RecordState]int{lifecycle.Pooled: n}
	}
	for _, tc := range []struct {
		name  string
		then  func(t *testing.T, w *world, p *process)
		after time.Duration
		left  map[lifecycle.RecordState]int
		made  int // users in all
	}{
		{"nothing", func(*testing.T, *world, *process) {}, time.Minute, pooled(3), 3},
		{"no role asks for it", func(_ *testing.T, _ *world, p *process) { p.keeps() }, time.Minute, pooled(0), 3},
		{"the role was changed", func(_ *testing.T, _ *world, p *process) { p.keeps(p.pool("deploy", "b", 3)) }, time.Minute, pooled(3), 6},
		{"a smaller pool", func(_ *testing.T, _ *world, p *process) { p.keeps(p.pool("deploy", "a", 1)) }, time.Minute, pooled(1), 3},
		{"a larger pool", func(_ *testing.T, _ *world, p *process) { p.keeps(p.pool("deploy", "a", 20)) }, 2 * time.Minute, pooled(20), 20},
		{"another account, which keeps those of the first alive", func(_ *testing.T, w *world, p *process) {
			pool := p.pool("deploy", "a", 3)
			pool.Account = "222222222222"
			w.locked(func() { w.account, p.account = pool.Account, pool.Account })
			p.keeps(pool)
		}, time.Minute, map[lifecycle.RecordState]int{lifecycle.Condemned: 3, lifecycle.Pooled: 3}, 6},
		{"too old", func(*testing.T, *world, *process) { time.Sleep(12 * time.Hour) }, time.Minute, pooled(3), 6},
		{"the clock went back", func(_ *testing.T, w *world, _ *process) { w.clock.jump(-time.Hour) }, time.Minute, pooled(3), 6},
		{"draining", func(t *testing.T, _ *world, p *process) {
			if err := p.manager.ChangeState(t.Context(), func(s *lifecycle.MountState) { s.Draining = true }); err != nil {
				t.Error(err)
			}
			if _, found, err := p.take(t.Context(), taker("deploy", "a")); found || err != nil {
				t.Errorf("TakeUser: %t, %v", found, err)
			}
		}, time.Minute, pooled(0), 3},
		{"restored", func(t *testing.T, _ *world, p *process) {
			if err := p.manager.ChangeState(t.Context(), func(s *lifecycle.MountState) { s.Restored = "why" }); err != nil {
				t.Error(err)
			}
			if _, found, err := p.take(t.Context(), taker("deploy", "a")); found || err != nil {
				t.Errorf("TakeUser: %t, %v", found, err)
			}
			p.keeps()
		}, time.Minute, pooled(3), 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				_, stop := p.keeps(p.pool("deploy", "a", 3)).work(t.Context())
				defer stop()
				time.Sleep(30 * time.Second)
				w.mustBe(t, pooled(3))
				tc.then(t, w, p)
				p.manager.StirPools()
				time.Sleep(tc.after)
				w.mustBe(t, tc.left)
				if made := w.count("iam:CreateUser"); made != tc.made {
					t.Errorf("%d users were made, want %d", made, tc.made)
				}
				o, err := p.manager.Owed(t.Context())
				if err != nil || o.Pooled != tc.left[lifecycle.Pooled] || o.Done() != (o.Pooled == 0) {
					t.Errorf("Owed: %+v, %v", o, err)
				}
			})
		})
	}
}

// TestPoolEndsWhileFilled: a pool whose role loses it while the worker reads of it,
// or makes the first user, has nothing in stock yet, and ends within seconds
// nevertheless.
func TestPoolEndsWhileFilled(t *testing.T) {
	lose := func(p *process) { p.keeps().manager.PoolsChanged() }
	for name, keep := range map[string]func(*process){
		"while it is read": func(p *process) {
			p.keepsWhat(func(context.Context) ([]lifecycle.Pool, error) {
				lose(p)
				return []lifecycle.Pool{p.pool("deploy", "a", 1)}, nil
			})
		},
		"while a user is made": func(p *process) {
			pool := p.pool("deploy", "a", 1)
			order := pool.Order
			pool.Order = func(ctx context.Context) (lifecycle.PoolOrder, error) {
				lose(p)
				return order(ctx)
			}
			p.keeps(pool)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				keep(p)
				_, stop := p.work(t.Context())
				defer stop()
				time.Sleep(30 * time.Second)
				w.mustBe(t, map[lifecycle.RecordState]int{})
				if made := w.count("iam:CreateUser"); made != 1 {
					t.Errorf("%d users were made", made)
				}
			})
		})
	}
}

// TestPoolOfAnotherProcess: nobody has the keys of a process that is gone.
func TestPoolOfAnotherProcess(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first := w.start()
		_, stop := first.keeps(first.pool("deploy", "a", 3)).work(t.Context())
		time.Sleep(30 * time.Second)
		before := w.ourUsers()
		first.die()
		stop()
		second := w.start()
		_, stop = second.keeps(second.pool("deploy", "a", 2)).work(t.Context())
		defer stop()
		if _, found, err := second.take(t.Context(), taker("deploy", "a")); found || err != nil {
			t.Errorf("TakeUser: %t, %v", found, err)
		}
		time.Sleep(30 * time.Second)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 2})
		for _, name := range before {
			if w.exists(name) {
				t.Errorf("user %s of the first process is left", name)
			}
		}
	})
}

// TestPoolRecordCounts: what another process has done about a user in stock is
// believed, and not what memory says.
func TestPoolRecordCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		first, second := w.start(), w.start()
		_, stop := first.keeps(first.pool("deploy", "a", 1)).work(t.Context())
		time.Sleep(30 * time.Second)
		stop()
		w.deny("iam:DeleteUser")
		_, stop = second.work(t.Context())
		time.Sleep(5 * time.Second)
		stop()
		if _, found, err := first.take(t.Context(), taker("deploy", "a")); found || err != nil {
			t.Errorf("TakeUser: %t, %v", found, err)
		}
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Condemned: 1})
	})
}

// TestPoolOnce: however many take at once, each key is handed out once.
func TestPoolOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		_, stop := p.keeps(p.pool("deploy", "a", 5)).work(t.Context())
		time.Sleep(30 * time.Second)
		stop()
		var takers sync.WaitGroup
		for range 20 {
			takers.Go(func() { _, _, _ = p.take(t.Context(), taker("deploy", "a")) })
		}
		takers.Wait()
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Issued: 5})
		if len(w.taken) != 5 {
			t.Errorf("%d keys were handed out", len(w.taken))
		}
	})
}

// TestPoolChangesWhileTaken: a user that is being handed out when its role changes
// is handed out and stays, or is not and goes.
func TestPoolChangesWhileTaken(t *testing.T) {
	for _, op := range []string{"records:Record", "records:PutRecord"} {
		t.Run(op, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				_, stop := p.keeps(p.pool("deploy", "a", 1)).work(t.Context())
				defer stop()
				time.Sleep(30 * time.Second)
				w.inject(fault{op: op, how: slow, delay: 5 * time.Second})
				w.locked(func() {
					w.onCall[op] = func() { p.keeps(); p.manager.StirPools() }
				})
				out, found, err := p.take(t.Context(), taker("deploy", "a"))
				time.Sleep(3 * time.Minute)
				if err != nil || found != w.exists(out.Name) {
					t.Errorf("TakeUser: %q, %t, %v; users %v", out.Name, found, err, w.ourUsers())
				}
			})
		})
	}
}

// TestPoolCounts: users in the pool count against the limits; one that is taken
// counts once. A pool that a limit keeps small is no error.
func TestPoolCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		pool := p.pool("deploy", "a", 5)
		order := pool.Order
		pool.Order = func(ctx context.Context) (lifecycle.PoolOrder, error) {
			o, err := order(ctx)
			o.Spec.Caps = lifecycle.Caps{Role: 3}
			return o, err
		}
		_, stop := p.keeps(pool).work(t.Context())
		defer stop()
		time.Sleep(2 * time.Minute)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 3})
		p.mustTake(t, taker("deploy", "a"))
		spec := plainSpec("vault-a")
		spec.Bearer.Role, spec.Caps = "deploy", lifecycle.Caps{Role: 3}
		capped := (*lifecycle.CapError)(nil)
		if _, err := p.issue(t.Context(), spec); !errors.As(err, &capped) {
			t.Errorf("IssueUser: %v", err)
		}
		time.Sleep(3 * time.Minute)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 2, lifecycle.Issued: 1})
		if lines := w.log.lines(t, "warn"); len(lines) != 0 {
			t.Errorf("warnings: %v", lines)
		}
	})
}

// TestPoolSharesOut: a mount has so many users ahead of time and no more, each
// role in turn.
func TestPoolSharesOut(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		var pools []lifecycle.Pool
		for i := range 6 {
			pools = append(pools, p.pool(fmt.Sprintf("role-%d", i), "a", lifecycle.MaxPool+5))
		}
		_, stop := p.keeps(pools...).work(t.Context())
		defer stop()
		time.Sleep(20 * time.Second)
		of := map[string]int{}
		w.locked(func() {
			for _, r := range w.records {
				of[r.Role]++
			}
		})
		for role, n := range of {
			if n > of["role-0"]+2 {
				t.Errorf("%s has %d users, and role-0 %d", role, n, of["role-0"])
			}
		}
		time.Sleep(10 * time.Minute)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: lifecycle.MaxPoolMount})
	})
}

// TestPoolBacksOff: a role whose users cannot be made is tried later and later,
// and keeps the others from nothing.
func TestPoolBacksOff(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.missing["gone"] = true
		p := w.start()
		broken := p.pool("broken", "a", 3)
		broken.Order = func(context.Context) (lifecycle.PoolOrder, error) {
			o := lifecycle.PoolOrder{IAM: iam{p}, Spec: w.pooledSpec("broken"), Provers: p.provers}
			o.Spec.PolicyARNs = []string{"gone"}
			return o, nil
		}
		_, stop := p.keeps(broken, p.pool("deploy", "a", 2)).work(t.Context())
		defer stop()
		time.Sleep(2 * time.Hour)
		w.mustBe(t, map[lifecycle.RecordState]int{lifecycle.Pooled: 2})
		if made := w.count("iam:CreateUser"); made < 8 || made > 22 {
			t.Errorf("%d users were begun in two hours", made)
		}
	})
}

// TestPoolTakenUnderMishaps has each call of taking a user go wrong in turn and in
// each way: it is handed out once or never, and whatever was not is destroyed.
func TestPoolTakenUnderMishaps(t *testing.T) {
	for _, f := range everyMishap {
		t.Run(f.name(), func(t *testing.T) {
			for f.nth = 0; takenUnder(t, f); f.nth++ {
			}
		})
	}
}

func takenUnder(t *testing.T, f fault) (fired bool) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		_, stop := p.keeps(p.pool("deploy", "a", 2)).work(t.Context())
		time.Sleep(30 * time.Second)
		injected := w.inject(f)
		first, _, err := p.take(t.Context(), taker("deploy", "a"))
		fired = w.fired(injected)
		w.heal()
		second, _, secondErr := p.take(t.Context(), taker("deploy", "a"))
		p.keeps()
		time.Sleep(20 * time.Minute)
		stop()
		want := map[lifecycle.RecordState]int{}
		if len(w.taken) > 0 {
			want[lifecycle.Issued] = len(w.taken)
		}
		if diff := cmp.Diff(want, w.states()); diff != "" && !p.isDead() {
			t.Errorf("records by state (-want +got):\n%s", diff)
		}
		w.locked(func() { w.state.ClockJump = "" })
		w.settle(t.Context())
		w.mustBeSettled(t)
		if t.Failed() || len(w.breaches()) != 0 {
			t.Logf("with %v; taken: %q, %v; then %q, %v", injected, first.Name, err, second.Name, secondErr)
		}
	})
	return fired
}

// TestPoolFilledUnderMishaps has each call of refilling, proving and throwing away
// go wrong in turn and in each way. At every moment each user is written down, and
// in the end none is left that nobody was given.
func TestPoolFilledUnderMishaps(t *testing.T) {
	for _, f := range everyMishap {
		t.Run(f.name(), func(t *testing.T) {
			for f.nth = 0; filledUnder(t, f); f.nth++ {
			}
		})
	}
}

func filledUnder(t *testing.T, f fault) (fired bool) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		injected := w.inject(f)
		_, stop := p.keeps(p.pool("deploy", "a", 1)).work(t.Context())
		time.Sleep(90 * time.Second)
		_, _, _ = p.take(t.Context(), taker("deploy", "a"))
		p.keeps(p.pool("deploy", "b", 1))
		time.Sleep(90 * time.Second)
		fired = w.fired(injected)
		stop()
		w.locked(func() { w.state.ClockJump = "" })
		w.settle(t.Context())
		w.mustBeSettled(t)
		if t.Failed() || len(w.breaches()) != 0 {
			t.Logf("with %v; calls: %q", injected, w.called())
		}
	})
	return fired
}
