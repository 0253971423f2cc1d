package lifecycle

import (
	"context"
	"time"
)

// How the propagation of a new key is proven: STS accepts it so often in a row,
// asked at a fixed period, since its servers learn of a key one by one.
const (
	readyProofs = 3
	readyEvery  = time.Second
)

// MaxPropagation is the longest wait for a new key to be known: below Vault's
// request limit of 90 s and the 60 s after which clients leave, with issuing.
const MaxPropagation = 25 * time.Second

// maxWaiting is how many credentials of a mount wait at once.
const maxWaiting = 20

// Readiness is what is known of a key that is handed out.
type Readiness struct {
	Ready bool
	At    time.Time // when STS had accepted it so often; zero if not Ready
	Why   string    // it is not Ready
}

// AwaitReady waits until STS accepts a new key in every region that the provers
// ask, timeout at most. It never fails: a key that is not known to be ready is
// handed out with the reason. The wait ends early with ctx, and with life, the
// context of the mount's own work.
//
// Invariant: the user is recorded and its entry struck before the wait begins.
func (m *Manager) AwaitReady(ctx, life context.Context, provers []Identifier, timeout time.Duration) Readiness {
	if m.waiting.Add(1) > maxWaiting {
		m.waiting.Add(-1)
		return Readiness{Why: "too many credentials of this mount are being waited for"}
	}
	defer m.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(life, cancel)()
	at := m.untilReady(ctx, provers)
	if at.IsZero() {
		return Readiness{Why: notReady(life, timeout)}
	}
	return Readiness{Ready: true, At: at}
}

// untilReady waits until STS has accepted a key so often in a row, and returns
// when that was; zero if ctx ended before.
func (m *Manager) untilReady(ctx context.Context, provers []Identifier) (at time.Time) {
	for accepted := 0; ; {
		if accepted++; !m.accepted(ctx, provers) {
			accepted = 0
		}
		if accepted == readyProofs {
			return m.clock.Now().UTC()
		}
		if m.clock.Sleep(ctx, readyEvery) != nil {
			return time.Time{}
		}
	}
}

func notReady(life context.Context, timeout time.Duration) string {
	if life.Err() != nil {
		return "the mount was reloaded during the wait"
	}
	return "STS did not accept it three times in a row within propagation_timeout (" + timeout.String() + ")"
}

// accepted reports whether STS accepts the key in every region.
func (m *Manager) accepted(ctx context.Context, provers []Identifier) bool {
	calls := make([]func() error, len(provers))
	for i, prover := range provers {
		calls[i] = func() error {
			_, err := prover.Identity(ctx)
			return err
		}
	}
	return sideBySide(calls...) == nil
}
