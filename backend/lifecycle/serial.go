package lifecycle

import (
	"context"
	"sync"
	"time"
)

// serialFor is how long a mount makes its calls one after the other once AWS was
// not up to calls side by side on one user.
const serialFor = 10 * time.Minute

// serial says until when. The zero value is never.
type serial struct {
	mu    sync.Mutex
	until time.Time
}

func (s *serial) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = now.Add(serialFor)
}

func (s *serial) at(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until)
}

// inParallel makes the calls on a new user side by side, or in turn after a
// conflict; in turn the first error ends it.
func (m *Manager) inParallel(calls ...func() error) error {
	if !m.serial.at(m.clock.Now()) {
		return sideBySide(calls...)
	}
	for _, call := range calls {
		if err := sideBySide(call); err != nil {
			return err
		}
	}
	return nil
}

// settleNoting is settle; it notes a conflict that passed: a policy or group that
// does not exist is none.
func (m *Manager) settleNoting(ctx context.Context, p patience, call func() error) error {
	conflicted := false
	err := m.settle(ctx, p, func() error {
		err := call()
		conflicted = conflicted || err != nil && p.passes(err)
		return err
	})
	if conflicted && (err == nil || isBusy(err)) {
		m.serial.begin(m.clock.Now())
	}
	return err
}
