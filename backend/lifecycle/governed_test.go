package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// limit is an account that takes 15 calls a second, and 30 at once, behind the
// governor of a mount.
type limit struct {
	governor *governor.Governor

	mu     sync.Mutex
	chance *rand.Rand
	tokens float64
	at     time.Time
	taken  []attempted
	denied int
}

// attempted is an attempt that AWS took.
type attempted struct {
	call
	at time.Time
}

const limitRate, limitBurst = 15.0, 30.0

func (w *world) limited() *limit {
	w.limit = &limit{governor: governor.New(w.clock), chance: rand.New(rand.NewPCG(1, 2)), tokens: limitBurst, at: time.Now()}
	return w.limit
}

// send makes a call as the SDK does: an attempt that is throttled is repeated
// twice, after up to one and up to two seconds.
func (l *limit) send(ctx context.Context, c call, effect func() error) error {
	err := error(nil)
	for n := range 3 {
		done, callErr := l.governor.Call(ctx)
		if callErr != nil {
			return l.refusal(c, callErr)
		}
		if l.take(c) {
			err = effect()
			done(governor.Taken)
			return err
		}
		time.Sleep(20 * time.Millisecond)
		done(governor.Throttled)
		err = l.refusal(c, errors.New("Throttling"))
		if n < 2 {
			time.Sleep(l.backoff(n))
		}
	}
	return err
}

func (l *limit) refusal(c call, cause error) error {
	return &awserr.Error{Op: c.op, Kind: awserr.Throttled, Cause: cause}
}

func (l *limit) take(c call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.tokens = min(limitBurst, l.tokens+now.Sub(l.at).Seconds()*limitRate)
	l.at = now
	if l.tokens < 1 {
		l.denied++
		return false
	}
	l.tokens--
	l.taken = append(l.taken, attempted{c, now})
	return true
}

func (l *limit) backoff(n int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Duration(l.chance.Float64() * float64(time.Second<<n))
}

// share is how much of the attempts was throttled.
func (l *limit) share() float64 { return float64(l.denied) / float64(l.denied+len(l.taken)) }

// times are those at which AWS took calls of an operation, in order.
func (l *limit) times(op string) (at []time.Time) {
	for _, a := range l.taken {
		if a.op == op {
			at = append(at, a.at)
		}
	}
	return at
}

// TestThrottledReads: of 200 reads at once, on an account that takes 15 calls a
// second, nearly all get their user, and nothing is left of the others.
func TestThrottledReads(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		l, p := w.limited(), w.start()
		errs := make([]error, 200)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = p.issue(t.Context(), plainSpec(fmt.Sprintf("vault-%03d", i))) })
		}
		wg.Wait()
		errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
		for _, err := range errs {
			if !errors.Is(err, awserr.Throttled) {
				t.Errorf("not a refusal that says why: %v", err)
			}
		}
		if len(errs) > 5 || l.share() >= 0.10 {
			t.Errorf("%d reads failed, and %.1f %% of the attempts were throttled", len(errs), 100*l.share())
		}
		if len(w.users) != 200-len(errs) {
			t.Errorf("%d users, %d reads failed", len(w.users), len(errs))
		}
		t.Logf("%d of 200 failed, %.1f %% throttled", len(errs), 100*l.share())
	})
}

// TestMassRevoke: when 300 leases end at once every key is dead before the first
// user is deleted, and all users are gone about as soon as the account allows.
func TestMassRevoke(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const leases = 300
		revoked := make([]lifecycle.UserRecord, leases)
		for i := range revoked {
			revoked[i] = w.recordUser(fmt.Sprintf("vault-%03d", i), time.Hour)
			revoked[i].Policies = []string{"role"}
			w.records[revoked[i].UserName] = revoked[i]
			w.users[revoked[i].UserName].inline["role"] = true
		}
		l, p, begun := w.limited(), w.start(), time.Now()
		var wg sync.WaitGroup
		for _, r := range revoked {
			wg.Go(func() {
				if err := p.revoke(t.Context(), r); err != nil {
					t.Errorf("revoke %s: %v", r.UserName, err)
				}
			})
		}
		wg.Wait()
		keys, users := l.times("iam:DeleteAccessKey"), l.times("iam:DeleteUser")
		if len(keys) != leases || len(users) != leases || keys[leases-1].After(users[0]) {
			t.Errorf("%d keys and %d users deleted, the last key %s after the first user", len(keys), len(users), keys[len(keys)-1].Sub(users[0]))
		}
		ideal := time.Duration((float64(len(l.taken)) - limitBurst) / limitRate * float64(time.Second))
		if took := time.Since(begun); took > ideal*13/10 || len(w.users)+len(w.records) != 0 {
			t.Errorf("it took %s, %s would do; left: %d users, %d records", took, ideal, len(w.users), len(w.records))
		}
		t.Logf("keys dead after %s, users gone after %s, ideally %s; %.1f %% throttled", keys[leases-1].Sub(begun), time.Since(begun), ideal, 100*l.share())
	})
}

// TestReservesAllCalls: what a user takes is reserved before the first call.
func TestReservesAllCalls(t *testing.T) {
	for name, spec := range map[string]lifecycle.UserSpec{"plain": plainSpec("vault-a"), "rich": richSpec("vault-a")} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				if _, err := w.start().issue(t.Context(), spec); err != nil {
					t.Fatal(err)
				}
				made := len(slices.DeleteFunc(w.called(), func(op string) bool { return !strings.HasPrefix(op, "iam:") }))
				if diff := cmp.Diff([]int{made}, w.reserved); diff != "" {
					t.Errorf("calls made and reserved (-made +reserved):\n%s", diff)
				}
			})
		})
	}
}

// TestRefusedBeforeTheJournal: a request that would wait too long has written
// down nothing and called nobody.
func TestRefusedBeforeTheJournal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.crowded = &awserr.Error{Kind: awserr.Throttled, Code: awserr.TooManyCalls}
		if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); !errors.Is(err, awserr.Throttled) {
			t.Errorf("IssueUser: %v", err)
		}
		if calls := w.called(); len(calls) != 0 {
			t.Errorf("calls: %q", calls)
		}
	})
}

// TestL9CrowdedRevoke: a revoke whose turn does not come has condemned its user,
// and its key is dead; the worker goes on when there is room.
func TestL9CrowdedRevoke(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.recordUser("vault-a", 200*time.Hour)
		w.crowded = &awserr.Error{Kind: awserr.Throttled, Code: awserr.TooManyCalls}
		if err := w.start().revoke(t.Context(), r); !errors.Is(err, awserr.Throttled) {
			t.Errorf("RevokeUser: %v", err)
		}
		if got := w.records["vault-a"]; got.State != lifecycle.Condemned || !got.KeyDeleted {
			t.Errorf("record: %+v", got)
		}
		w.crowded = nil
		w.passes(t.Context(), 2)
		if len(w.users)+len(w.records) != 0 {
			t.Error("the worker left it")
		}
	})
}
