package lifecycle

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// DeadlineGrace is how long after its deadline an issued user is left alone:
// Vault ends leases late when it was down, and clocks differ.
const DeadlineGrace = time.Hour

// How many records may fall due at once before deadlines are not believed (L13):
// that many lost leases rather tell of a wrong clock or of restored storage.
const (
	mostDue      = 20
	mostDueShare = 10 // percent of all records
)

// grace is none while the mount is being drained: Vault may wipe its storage soon.
func (m *Manager) grace() time.Duration {
	if s, _ := m.state.known(); s.Draining {
		return 0
	}
	return DeadlineGrace
}

// forwardJump is the jump of the clock after which deadlines are not believed.
const forwardJump = time.Hour

// deadlineDuty condemns users that outlived their lease by the grace, so that a
// lost lease cannot leave a key alive for ever. The next pass destroys them.
func (m *Manager) deadlineDuty(connect Connect) Duty {
	return Duty{
		Name:   "deadline",
		AtOnce: condemnedAtOnce,
		Items:  m.pastDeadline,
		Attend: func(ctx context.Context, user EntryID) error {
			return m.attendRecord(ctx, string(user), func(ctx context.Context, r UserRecord) error {
				return m.endOverdue(ctx, connect, r)
			})
		},
	}
}

// endOverdue condemns and destroys a user whose deadline and grace have passed.
// The record is read under the user's lock, so a renewal counts (L10).
func (m *Manager) endOverdue(ctx context.Context, connect Connect, r UserRecord) error {
	now := m.clock.Now()
	if r.State != Issued || r.Deadline.IsZero() || now.Before(r.Deadline.Add(m.grace())) {
		return nil
	}
	r = r.condemned(now, reasonLost)
	m.tellOf(WasOverdue, r, nil)
	err := m.destroyRecorded(ctx, connect, r)
	if err == nil {
		m.tellOf(WasDestroyed, r, nil)
	}
	return err // which the worker logs
}

// pastDeadline lists the users that outlived their lease by the grace, or none
// while deadlines are not believed. The time that it goes by is read before the
// clock is watched, so that no jump comes between the two.
func (m *Manager) pastDeadline(ctx context.Context) ([]EntryID, error) {
	now := m.clock.Now()
	if err := m.watchClock(ctx); err != nil {
		return nil, err
	}
	s, err := m.State(ctx)
	if err != nil || !m.index.complete() {
		return nil, err
	}
	held, due := m.heldDeadlines(s, now)
	m.brake.note(m, held)
	if held != "" {
		return nil, nil
	}
	return due, nil
}

// heldDeadlines says why no user is destroyed by its deadline now, or "", and
// which are due.
func (m *Manager) heldDeadlines(s MountState, now time.Time) (held string, due []EntryID) {
	due = m.index.past(now.Add(-m.grace()))
	switch {
	case s.Restored != "":
		return s.Restored, due
	case s.ClockJump != "":
		return s.ClockJump, due
	}
	unconfirmed := len(due) - len(m.index.past(s.Confirmed.Add(-m.grace())))
	all := m.index.count(func(s standing) bool { return s.state != announced })
	if unconfirmed > max(mostDue, all*mostDueShare/100) {
		return fmt.Sprintf("%d of %d users are past their deadline at once, more than a wrong clock or lost leases should make", unconfirmed, all), due
	}
	return "", due
}

// ConfirmDeadlines is an operator's word that clock and deadlines are right.
func (m *Manager) ConfirmDeadlines(ctx context.Context) error {
	return m.ChangeState(ctx, func(s *MountState) {
		s.ClockJump, s.Confirmed = "", m.clock.Now().UTC()
	})
}

// brake tells the log when deadlines stop being believed, and when they are again.
type brake struct {
	mu   sync.Mutex
	held string
}

func (b *brake) note(m *Manager, held string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if (held == "") == (b.held == "") {
		return
	}
	b.held = held
	if held == "" {
		m.log.Info("users are destroyed by their deadline again")
		return
	}
	m.log.Error("no user is destroyed by its deadline until an operator writes tidy confirm_deadlines=true", "reason", held)
}

// watchClock notices a wall clock that jumped since it was watched last. The worker
// watches it at both ends of a pass, which are passEvery apart at most, and before it
// goes by deadlines: a pass is shorter than forwardJump. A jump that could not be
// written down is one the next time, too.
func (m *Manager) watchClock(ctx context.Context) error {
	now := m.clock.Now().Round(0)
	if passed := now.Sub(m.watched); !m.watched.IsZero() && (passed < -clockTolerance || passed > passEvery+forwardJump) {
		if err := m.jumped(ctx, now); err != nil {
			return err
		}
	}
	m.watched = now
	return nil
}

func (m *Manager) jumped(ctx context.Context, now time.Time) error {
	return m.ChangeState(ctx, func(s *MountState) {
		s.ClockJump = fmt.Sprintf("the clock jumped from %s to %s", m.watched.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	})
}
