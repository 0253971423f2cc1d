package lifecycle

import (
	"context"
	"time"
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
	if m.prove(ctx, timeout, provers...) != nil {
		return Readiness{Why: notReady(life, timeout)}
	}
	return Readiness{Ready: true, At: m.clock.Now().UTC()}
}

func notReady(life context.Context, timeout time.Duration) string {
	if life.Err() != nil {
		return "the mount was reloaded during the wait"
	}
	return "STS did not accept it three times in a row within propagation_timeout (" + timeout.String() + ")"
}
