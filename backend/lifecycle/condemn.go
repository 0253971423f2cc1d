package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Why users are condemned.
const (
	reasonRevoked = "its lease was revoked"
	reasonFailed  = "issuing it failed"
	reasonLost    = "it outlived its lease"
	reasonLeft    = "its client had left before it was ready"
)

// RevokeUser ends an issued user for good: it condemns the user durably, then
// destroys it (L9). known is what the lease knows; where there is a record, that
// counts. An error is answered until the user is gone; the worker goes on trying
// whatever the caller does about it.
func (m *Manager) RevokeUser(ctx context.Context, connect Connect, known UserRecord) error {
	ctx, cancel := context.WithTimeout(ctx, revokeDeadline)
	defer cancel()
	unlock, err := m.users.Lock(ctx, known.UserName)
	if err != nil {
		return fmt.Errorf("revoke user %q: %w", known.UserName, err)
	}
	defer unlock()
	r := known
	if stored, err := m.records.Record(ctx, known.UserName); err == nil {
		r = stored // one that cannot be read must not keep a user alive
	}
	if err := m.Halted(ctx); errors.Is(err, ErrRestored) {
		m.log.Warn("a user is revoked although storage seems to have been restored", "user", r.UserName, "reason", err)
	}
	return m.toldAs(WasRevoked, r, func() error {
		return m.destroyRecorded(ctx, connect, r.condemned(m.clock.Now(), reasonRevoked))
	})
}

// toldAs destroys, and tells how that ended.
func (m *Manager) toldAs(what What, r UserRecord, destroy func() error) error {
	err := destroy()
	if err != nil {
		what = WasDeferred
	}
	m.tellOf(what, r, err)
	return err
}

// AbandonUser ends an issued user whose client has left, so that nobody can learn
// its key. What cannot be done at once is the worker's.
func (m *Manager) AbandonUser(ctx context.Context, connect Connect, name string) {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	unlock, err := m.users.Lock(ctx, name)
	if err != nil {
		return // its deadline will end it
	}
	defer unlock()
	r, err := m.records.Record(ctx, name)
	if err != nil {
		m.tellOf(WasDeferred, UserRecord{UserName: name, Reason: reasonLeft}, err)
		return
	}
	r = r.condemned(m.clock.Now(), reasonLeft)
	_ = m.toldAs(WasDestroyed, r, func() error { return m.destroyRecorded(ctx, connect, r) }) // what fails is the worker's
}

// RenewUser writes the new deadline of an issued user, before the lease is
// prolonged (L10). known is what the lease knows, with that deadline; it becomes
// the record of a user that has none. A condemned user is ErrCondemned.
func (m *Manager) RenewUser(ctx context.Context, known UserRecord) error {
	unlock, err := m.users.Lock(ctx, known.UserName)
	if err != nil {
		return fmt.Errorf("renew user %q: %w", known.UserName, err)
	}
	defer unlock()
	r, err := m.records.Record(ctx, known.UserName)
	switch {
	case errors.Is(err, ErrNoRecord):
		r = known
		r.State = Issued
	case err != nil:
		return fmt.Errorf("renew user %q: %w", known.UserName, err)
	case r.State == Condemned:
		return fmt.Errorf("renew user %q: %w: %s", known.UserName, ErrCondemned, r.Reason)
	}
	r.Deadline = known.Deadline
	return m.writeRecord(ctx, r)
}

// destroyRecorded destroys a condemned user; its record goes last. The record is
// written before AWS is called, so that a node that may no longer write never
// acts on what it has read (L12). The caller holds the user's lock.
func (m *Manager) destroyRecorded(ctx context.Context, connect Connect, r UserRecord) error {
	r = r.tried(m.clock.Now())
	if err := m.writeRecord(ctx, r); err != nil {
		return fmt.Errorf("condemn user %q: %w", r.UserName, err)
	}
	if r.Tries == 1 {
		m.tellOf(WasCondemned, r, nil)
	}
	err := Recovered(func() error {
		iam, err := connect(ctx)
		if err != nil {
			return fmt.Errorf("destroy user %q: %w", r.UserName, err)
		}
		return m.DestroyUser(ctx, iam, r.doomed())
	})
	if err != nil {
		m.noteFailure(ctx, r, err)
		return err
	}
	return m.forget(ctx, r)
}

// noteFailure writes down why a user is still there, for the operator who reads
// its record. That it cannot be written changes nothing.
func (m *Manager) noteFailure(ctx context.Context, r UserRecord, cause error) {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	r.LastError = cause.Error()
	r.KeyDeleted = r.KeyDeleted || errors.Is(cause, errKeysDeleted)
	if err := m.writeRecord(ctx, r); err != nil {
		m.log.Warn("why a user could not be destroyed is not in its record", "user", r.UserName, "error", err)
	}
}

// forget drops the record of a user that is gone. While another CreateUser of
// ours may still be under way, the record stays, and the worker looks again.
func (m *Manager) forget(ctx context.Context, r UserRecord) error {
	if !r.Resent || m.overdue(r.Issued, announcedGoneAge) {
		return m.bury(ctx, r)
	}
	r.KeyDeleted, r.LastError, r.NextTry = true, "", r.Issued.Add(announcedGoneAge)
	return m.writeRecord(ctx, r)
}

// bury drops what is written down of a user that is gone.
func (m *Manager) bury(ctx context.Context, r UserRecord) error {
	if r.Entry != "" {
		if err := m.journal.Strike(ctx, r.Entry); err != nil {
			return fmt.Errorf("strike journal entry of user %q: %w", r.UserName, err)
		}
	}
	return m.dropRecord(ctx, r.UserName)
}

// condemnedAtOnce is how many condemned users the worker destroys side by side.
const condemnedAtOnce = 8

// condemnedDuty destroys condemned users until they are gone, those whose key
// may live first.
func (m *Manager) condemnedDuty(connect Connect) Duty {
	return Duty{
		Name:   "condemned",
		AtOnce: condemnedAtOnce,
		Items:  func(context.Context) ([]EntryID, error) { return m.index.condemned(), nil },
		Attend: func(ctx context.Context, user EntryID) error {
			return m.attendRecord(ctx, string(user), func(ctx context.Context, r UserRecord) error {
				return m.destroyDue(ctx, connect, r)
			})
		},
	}
}

// attendRecord has something done about the record of a user that nobody else
// is busy with, under its lock and the worker's deadline.
func (m *Manager) attendRecord(ctx context.Context, user string, attend func(context.Context, UserRecord) error) error {
	ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
	defer cancel()
	unlock := m.users.Try(user)
	if unlock == nil {
		return nil
	}
	defer unlock()
	r, err := m.records.Record(ctx, user)
	if errors.Is(err, ErrNoRecord) {
		m.index.drop(user)
		return nil
	}
	if err != nil {
		return fmt.Errorf("read record of user %q: %w", user, err)
	}
	return attend(ctx, r)
}

// waits reports whether the time of a next try is still to come. One that is
// further away than any wait was written by a clock that was ahead.
func (m *Manager) waits(next time.Time) bool {
	left := next.Sub(m.clock.Now())
	return 0 < left && left <= announcedGoneAge
}

func (m *Manager) destroyDue(ctx context.Context, connect Connect, r UserRecord) error {
	if r.State != Condemned || m.waits(r.NextTry) {
		return nil
	}
	err := m.destroyRecorded(ctx, connect, r)
	if err == nil {
		m.tellOf(WasDestroyed, r, nil)
	}
	return err
}
