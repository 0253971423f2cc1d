package governor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/governor"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestThrottledReads: what becomes of users that are asked for at once, at three
// calls each, and of the single read of another client five seconds later.
func TestThrottledReads(t *testing.T) {
	for _, tc := range []struct {
		name        string
		reads       int
		rate, burst float64       // of the account; 0: no limit
		least       int           // reads that succeed
		share       float64       // of the attempts that may be throttled
		within      time.Duration // all that succeed
	}{
		{"15 a second, 30 at once", 200, 15, 30, 195, 0.10, 42 * time.Second},
		{"15 a second, 60 at once", 200, 15, 60, 195, 0.10, 42 * time.Second},
		{"600 a second", 2000, 600, 600, 1990, 0.10, 20 * time.Second},
		{"no limit", 200, 0, 0, 200, 0, 2 * time.Second},
		{"no limit, a few reads of a fresh mount", 3, 0, 0, 3, 0, 310 * time.Millisecond},
		{"more than the time allows", 400, 15, 30, 200, 0.10, 50 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAWS(governor.New(clock{}), tc.rate, tc.burst)
				var others time.Duration
				var wg sync.WaitGroup
				wg.Go(func() {
					time.Sleep(5 * time.Second)
					others = a.mustIssue(t, "other")
				})
				succeeded, last := a.reads(t, tc.reads)
				wg.Wait()
				if share := float64(a.denied) / float64(a.calls); succeeded < tc.least || share > tc.share || last > tc.within {
					t.Errorf("%d succeeded, the last after %s; %.1f %% throttled", succeeded, last, 100*share)
				}
				if others > 2*time.Second {
					t.Errorf("the other client's read took %s", others)
				}
			})
		})
	}
}

// TestOddThrottling: calls that are throttled now and then, as others in the account
// cause it, do not bring the rate down to a few calls a second.
func TestOddThrottling(t *testing.T) {
	// by the share that is throttled, the calls a second at the least
	for odd, least := range map[float64]int{0.003: 200, 0.0125: 60, 0.03: 12} {
		t.Run(fmt.Sprint(odd), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAWS(governor.New(clock{}), 500, 500)
				a.odd = odd
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				var wg sync.WaitGroup
				for range 32 {
					wg.Go(func() {
						for ctx.Err() == nil {
							if a.issue(governor.For(ctx, governor.Issue, "one"), 42*time.Second) != nil {
								time.Sleep(time.Second)
							}
						}
					})
				}
				wg.Wait()
				if rate := a.calls / 600; rate < least {
					t.Errorf("%d calls a second, want %d", rate, least)
				}
			})
		})
	}
}

// reads issues users at once and returns how many succeeded, and when the last
// of these did. Each of the others is told why.
func (a *aws) reads(t *testing.T, n int) (succeeded int, last time.Duration) {
	start := time.Now()
	errs, took := make([]error, n), make([]time.Duration, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = a.issue(governor.For(t.Context(), governor.Issue, "one"), 42*time.Second)
			took[i] = time.Since(start)
		})
	}
	wg.Wait()
	for i, err := range errs {
		refusal := (*governor.Refusal)(nil)
		switch {
		case err == nil:
			succeeded, last = succeeded+1, max(last, took[i])
		case !errors.As(err, &refusal) && !errors.Is(err, errThrottled):
			t.Errorf("read %d: %v", i, err)
		}
	}
	return succeeded, last
}

func (a *aws) mustIssue(t *testing.T, entity string) time.Duration {
	start := time.Now()
	if err := a.issue(governor.For(t.Context(), governor.Issue, entity), 42*time.Second); err != nil {
		t.Errorf("read of %q: %v", entity, err)
	}
	return time.Since(start)
}

// exhausted returns a governor of which nothing is to be had for some seconds.
func exhausted(t *testing.T) *governor.Governor {
	t.Helper()
	g := governor.New(clock{})
	_, _, err := g.Reserve(t.Context(), 100, time.Second)
	if err == nil {
		t.Fatal("100 calls were to be had at once")
	}
	for range 25 {
		if _, _, err := g.Reserve(t.Context(), 4, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// order is what was admitted, in order.
type order struct {
	mu   sync.Mutex
	what []string
	wg   sync.WaitGroup
}

// reserve asks for a call and notes when it is admitted; it returns when the
// request is in its queue.
func (o *order) reserve(t *testing.T, g *governor.Governor, class governor.Class, entity, name string) {
	o.wg.Go(func() {
		_, _, err := g.Reserve(governor.For(t.Context(), class, entity), 1, time.Minute)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.what = append(o.what, name)
	})
	synctest.Wait()
}

// TestOrder: classes go in their order (G2), entities of one take turns (G3).
// Refills, which wait for more than a token, are TestRefillSpares's.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o := exhausted(t), &order{}
		classes := []governor.Class{governor.KillKey, governor.Revoke, governor.Issue, governor.Rotate, governor.Tidy}
		for _, class := range slices.Backward(classes) {
			for n := range 3 {
				o.reserve(t, g, class, "a", fmt.Sprint(class, " a", n))
			}
			o.reserve(t, g, class, "b", fmt.Sprint(class, " b"))
		}
		o.wg.Wait()
		var want []string
		for _, class := range classes {
			want = append(want, fmt.Sprint(class, " a0"), fmt.Sprint(class, " b"), fmt.Sprint(class, " a1"), fmt.Sprint(class, " a2"))
		}
		if diff := cmp.Diff(want, o.what); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

// TestRefillSpares: refills leave half a second's calls to the requests that come
// in a burst, and keep none of them waiting for their own turn.
func TestRefillSpares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governor.New(clock{})
		refill, end := context.WithCancel(governor.For(t.Context(), governor.Refill, ""))
		admitted := 0
		for range 10 {
			go func() {
				if _, _, err := g.Reserve(refill, 3, time.Minute); err == nil {
					admitted++
				}
			}()
			synctest.Wait()
		}
		if admitted != 4 { // 20, 17, 14 and 11 of 20 were there
			t.Errorf("%d refills were admitted at once", admitted)
		}
		for range 8 {
			_, _, err := g.Reserve(t.Context(), 1, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		if _, _, err := g.Reserve(t.Context(), 1, time.Minute); err != nil || time.Since(began) > 60*time.Millisecond {
			t.Errorf("a request waited %s behind refills: %v", time.Since(began), err)
		}
		end()
		synctest.Wait()
	})
}

// TestBegun: a request that needs more calls than it reserved goes before those
// of its class that have not begun.
func TestBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, o := governor.New(clock{}), &order{}
		ctx, release, err := g.Reserve(t.Context(), 20, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		for range 20 {
			mustCall(ctx, t, g)(governor.Lost)
		}
		o.reserve(t, g, governor.Issue, "", "new")
		o.wg.Go(func() {
			mustCall(ctx, t, g)(governor.Lost)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.what = append(o.what, "begun")
		})
		o.wg.Wait()
		if diff := cmp.Diff([]string{"begun", "new"}, o.what); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func mustCall(ctx context.Context, t *testing.T, g *governor.Governor) func(governor.Outcome) {
	t.Helper()
	done, err := g.Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// TestRefusal: what cannot have its turn in time is refused at once (G5), and
// says when to come again.
func TestRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governor.New(clock{})
		for range 3 { // AWS takes about 3.75 a second: it throttled at 5
			mustCall(t.Context(), t, g)(governor.Throttled)
			time.Sleep(time.Second)
		}
		began := time.Now()
		_, _, err := g.Reserve(t.Context(), 50, 10*time.Second)
		refusal := (*governor.Refusal)(nil)
		if !errors.As(err, &refusal) || time.Since(began) != 0 {
			t.Fatalf("Reserve after %s: %v", time.Since(began), err)
		}
		want := "AWS takes about 4 calls a second of this account now, and 0 wait before these: retry in about 13s"
		if refusal.Error() != want {
			t.Errorf("text: %s", refusal)
		}
		if _, _, err := g.Reserve(t.Context(), 50, 20*time.Second); err != nil {
			t.Errorf("50 calls within 20 s: %v", err)
		}
	})
}

// full returns a governor of 2.5 calls a second that has all 4 in flight that it may.
func full(t *testing.T) (g *governor.Governor, done func()) {
	t.Helper()
	g = governor.New(clock{})
	for range 3 {
		mustCall(t.Context(), t, g)(governor.Throttled)
		time.Sleep(time.Second)
	}
	var answer []func(governor.Outcome)
	for range 4 {
		answer = append(answer, mustCall(t.Context(), t, g))
		time.Sleep(time.Second)
	}
	return g, func() {
		for _, done := range answer {
			done(governor.Taken)
		}
	}
}

// TestG4NeverSent: a call that was admitted and whose time is up before it may be
// sent can be had by another.
func TestG4NeverSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, done := full(t)
		defer done()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := g.Call(ctx); err == nil {
			t.Fatal("it was sent")
		}
		for n := range 2 { // of 2.5
			if _, _, err := g.Reserve(t.Context(), 1, time.Millisecond); err != nil {
				t.Errorf("request %d: %v", n, err)
			}
		}
	})
}

// TestLeaveTogether: of those whose time is up at the same instant none is granted
// what another gives back, and all are told the same.
func TestLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, done := full(t)
		defer done()
		ctx, cancel := context.WithTimeout(t.Context(), 10100*time.Millisecond)
		defer cancel()
		told := make(chan string, 60)
		for range cap(told) {
			go func() {
				_, err := g.Call(ctx)
				told <- fmt.Sprint(err)
			}()
		}
		synctest.Wait()
		for range len(told) {
			<-told // refused at once
		}
		<-ctx.Done()
		synctest.Wait()
		want := "AWS takes about 4 calls a second of this account now, and 0 wait before these: retry in about 1s"
		for range len(told) {
			if got := <-told; got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
		}
	})
}

// TestBounded: a queue that is full refuses at once, however patient one is, and
// does not keep the classes before it out.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := exhausted(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		errs := make(chan error, 5001)
		for range 5001 {
			go func() {
				_, _, err := g.Reserve(ctx, 1, time.Hour)
				errs <- err
			}()
		}
		synctest.Wait()
		refusal := (*governor.Refusal)(nil)
		if err := <-errs; !errors.As(err, &refusal) || len(errs) != 0 {
			t.Errorf("%v, and %d more", err, len(errs))
		}
		if _, _, err := g.Reserve(governor.For(ctx, governor.KillKey, ""), 1, time.Second); err != nil {
			t.Errorf("a key cannot be killed: %v", err)
		}
	})
}

// TestG1Rate: whatever asks, in any span no more is admitted than the bucket, the
// rate over the span and one request (G1).
func TestG1Rate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 60).Draw(rt, "sizes")
		pauses := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 50, 300, 10_000}), len(sizes), len(sizes)).Draw(rt, "pauses")
		synctest.Test(t, func(t *testing.T) {
			g := governor.New(clock{})
			type admission struct {
				at    time.Time
				calls int
			}
			var mu sync.Mutex
			var all []admission
			var wg sync.WaitGroup
			for i, calls := range sizes {
				time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
				wg.Go(func() {
					if _, _, err := g.Reserve(t.Context(), calls, time.Hour); err != nil {
						rt.Errorf("Reserve: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					all = append(all, admission{time.Now(), calls})
				})
			}
			wg.Wait()
			slices.SortFunc(all, func(a, b admission) int { return a.at.Compare(b.at) })
			for i := range all {
				calls := 0
				for _, a := range all[i:] {
					calls += a.calls
					if most := 20 + 20*a.at.Sub(all[i].at).Seconds() + 12; float64(calls) > most {
						rt.Errorf("%d calls in %s", calls, a.at.Sub(all[i].at))
						return
					}
				}
			}
		})
	})
}

// TestG4GivesBack: what a request has not used can be had by the next.
func TestG4GivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := governor.New(clock{}), time.Now()
		for range 10 {
			ctx, release, err := g.Reserve(t.Context(), 20, time.Second)
			if err != nil {
				t.Fatal(err)
			}
			mustCall(ctx, t, g)(governor.Lost)
			release()
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("10 calls took %s", took)
		}
	})
}

// TestG4GivesBackOnce: what was given back is had by one only.
func TestG4GivesBackOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := governor.New(clock{})
		_, release, err := g.Reserve(t.Context(), 5, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := g.Reserve(t.Context(), 15, time.Second); err != nil {
			t.Fatal(err)
		}
		release()
		release()
		if _, _, err := g.Reserve(t.Context(), 10, time.Millisecond); err == nil {
			t.Error("25 of 20 calls were to be had at once")
		}
	})
}

// TestG4NothingIsLost: requests that are cancelled, end early, lose answers or are
// throttled give back what they held; afterwards the governor is as good as before.
func TestG4NothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type request struct{ class, calls, used, patience, leaves int }
		requests := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) request {
			return request{
				class: rapid.IntRange(0, 5).Draw(rt, "class"), calls: rapid.IntRange(1, 5).Draw(rt, "calls"), used: rapid.IntRange(0, 7).Draw(rt, "used"),
				patience: rapid.IntRange(1, 5000).Draw(rt, "patience"), leaves: rapid.IntRange(1, 5000).Draw(rt, "leaves"),
			}
		}), 1, 80).Draw(rt, "requests")
		synctest.Test(t, func(t *testing.T) {
			g := governor.New(clock{})
			var wg sync.WaitGroup
			for i, r := range requests {
				wg.Go(func() {
					ctx, leave := context.WithCancel(governor.For(t.Context(), governor.Class(r.class), fmt.Sprint(i%3)))
					time.AfterFunc(time.Duration(r.leaves)*time.Millisecond, leave)
					defer leave()
					ctx, release, err := g.Reserve(ctx, r.calls, time.Duration(r.patience)*time.Millisecond)
					if err != nil {
						return
					}
					defer release()
					for n := range r.used {
						done, err := g.Call(ctx)
						if err != nil {
							return
						}
						time.Sleep(50 * time.Millisecond)
						done(governor.Outcome((i + n) % 3))
					}
				})
			}
			wg.Wait()
			time.Sleep(20 * time.Second) // the rate is 1 a second at least: the bucket is full again
			began := time.Now()
			for range 4 { // as many as may be under way at the least
				ctx, release, err := g.Reserve(t.Context(), 1, 5*time.Second)
				if err != nil {
					rt.Errorf("Reserve: %v", err)
					return
				}
				defer release()
				_ = mustCall(ctx, t, g)
			}
			if time.Since(began) > 4*time.Second {
				rt.Errorf("four calls took %s", time.Since(began))
			}
		})
	})
}
