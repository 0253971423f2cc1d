package governor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
)

// clock is the system clock; in a bubble its time passes at once.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// aws is an account's limit: a token bucket, and answers that take a while.
type aws struct {
	rate, burst   float64
	odd           float64       // the share of calls that are throttled whatever we do
	least, most   time.Duration // of an answer
	governor      *governor.Governor
	mu            sync.Mutex
	chance        *rand.Rand
	tokens        float64
	at            time.Time
	calls, denied int
	log           []sent
}

// sent is one attempt.
type sent struct {
	what string
	at   time.Time
	ok   bool
}

func newAWS(g *governor.Governor, rate, burst float64) *aws {
	return &aws{
		rate: rate, burst: burst, least: 60 * time.Millisecond, most: 150 * time.Millisecond,
		governor: g, chance: rand.New(rand.NewPCG(1, 2)), tokens: burst, at: time.Now(),
	}
}

var errThrottled = errors.New("Throttling")

// call makes a call as the SDK does: an attempt that is throttled is repeated
// twice, after up to one and up to two seconds.
func (a *aws) call(ctx context.Context, what string) error {
	for n := range 3 {
		done, err := a.governor.Call(ctx)
		if err != nil {
			return err
		}
		ok, latency, backoff := a.take(what)
		time.Sleep(latency)
		if ok {
			done(governor.Taken)
			return nil
		}
		done(governor.Throttled)
		if n < 2 {
			time.Sleep(time.Duration(backoff * float64(time.Second<<n)))
		}
	}
	return fmt.Errorf("%s: %w", what, errThrottled)
}

func (a *aws) take(what string) (ok bool, latency time.Duration, backoff float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.tokens = min(a.burst, a.tokens+now.Sub(a.at).Seconds()*a.rate)
	a.at = now
	if ok = (a.rate == 0 || a.tokens >= 1) && a.chance.Float64() >= a.odd; ok {
		a.tokens--
	} else {
		a.denied++
	}
	a.calls++
	a.log = append(a.log, sent{what, now, ok})
	return ok, a.least + time.Duration(a.chance.Int64N(int64(a.most-a.least)+1)), a.chance.Float64()
}

// issue makes a user: one call, then two side by side, all reserved before.
func (a *aws) issue(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Second)
	defer cancel()
	ctx, release, err := a.governor.Reserve(ctx, 3, patience)
	if err != nil {
		return err
	}
	defer release()
	if err := a.call(ctx, "CreateUser"); err != nil {
		return err
	}
	var wg sync.WaitGroup
	var errs [2]error
	for i, what := range []string{"PutUserPolicy", "CreateAccessKey"} {
		wg.Go(func() { errs[i] = a.call(ctx, what) })
	}
	wg.Wait()
	return errors.Join(errs[:]...)
}
