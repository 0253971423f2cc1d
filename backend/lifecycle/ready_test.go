package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

// prover is STS of one region, whose servers learn of a key one by one: it
// answers as the list says, and accepts the key from then on.
type prover struct {
	mu      sync.Mutex
	accepts []bool
	asked   int
}

// Identity implements lifecycle.Identifier.
func (p *prover) Identity(ctx context.Context) (lifecycle.Identity, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if ctx.Err() != nil {
		return lifecycle.Identity{}, ctx.Err()
	}
	if p.asked <= len(p.accepts) && !p.accepts[p.asked-1] {
		return lifecycle.Identity{}, errors.New("InvalidClientTokenId")
	}
	return lifecycle.Identity{}, nil
}

// TestAwaitReady: three times in a row, in every region, within the timeout.
func TestAwaitReady(t *testing.T) {
	never := make([]bool, 100)
	for _, tc := range []struct {
		name    string
		regions [][]bool
		timeout time.Duration
		ready   bool
		after   time.Duration
	}{
		{"known at once", [][]bool{nil}, 25 * time.Second, true, 2 * time.Second},
		{"known late", [][]bool{{false, false, false}}, 25 * time.Second, true, 5 * time.Second},
		{"server by server", [][]bool{{true, true, false, true, false}}, 25 * time.Second, true, 7 * time.Second},
		{"one region late", [][]bool{nil, {false, false}}, 25 * time.Second, true, 4 * time.Second},
		{"never", [][]bool{never}, 10 * time.Second, false, 10 * time.Second},
		{"no time", [][]bool{nil}, 0, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var provers []lifecycle.Identifier
				for _, accepts := range tc.regions {
					provers = append(provers, &prover{accepts: accepts})
				}
				start := time.Now()
				got := w.start().manager.AwaitReady(t.Context(), t.Context(), provers, tc.timeout)
				if got.Ready != tc.ready || time.Since(start) != tc.after || got.Ready != !got.At.IsZero() || got.Ready != (got.Why == "") {
					t.Errorf("%+v after %s, want ready %t after %s", got, time.Since(start), tc.ready, tc.after)
				}
			})
		})
	}
}

// TestAwaitReadyEnds: with the client and with the mount's life, within a second.
func TestAwaitReadyEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for _, who := range []string{"client", "mount"} {
			client, leave := context.WithCancel(t.Context())
			life, end := context.WithCancel(t.Context())
			time.AfterFunc(3500*time.Millisecond, map[string]func(){"client": leave, "mount": end}[who])
			start := time.Now()
			got := w.start().manager.AwaitReady(client, life, []lifecycle.Identifier{&prover{accepts: make([]bool, 100)}}, 25*time.Second)
			if took := time.Since(start); got.Ready || took > 4*time.Second || who == "mount" && !strings.Contains(got.Why, "reloaded") {
				t.Errorf("%s: %+v after %s", who, got, took)
			}
			leave()
			end()
		}
	})
}

// TestAwaitReadyIsBounded: twenty wait, others are answered at once; who has
// waited makes room.
func TestAwaitReadyIsBounded(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		m := w.start().manager
		var waiting sync.WaitGroup
		for range 20 {
			waiting.Go(func() {
				if got := m.AwaitReady(t.Context(), t.Context(), []lifecycle.Identifier{&prover{}}, 25*time.Second); !got.Ready {
					t.Errorf("one of twenty: %+v", got)
				}
			})
		}
		time.Sleep(time.Second)
		start := time.Now()
		if got := m.AwaitReady(t.Context(), t.Context(), []lifecycle.Identifier{&prover{}}, 25*time.Second); got.Ready || time.Since(start) != 0 {
			t.Errorf("the twenty-first: %+v after %s", got, time.Since(start))
		}
		waiting.Wait()
		if got := m.AwaitReady(t.Context(), t.Context(), []lifecycle.Identifier{&prover{}}, 25*time.Second); !got.Ready {
			t.Errorf("afterwards: %+v", got)
		}
	})
}
