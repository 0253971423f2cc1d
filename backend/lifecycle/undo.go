package lifecycle

import (
	"context"
	"errors"
)

// abandon removes what a failed request made. It runs on a context of its own,
// since the request may have ended.
func (m *Manager) abandon(ctx context.Context, iam Users, a attempt) {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	left := UserRecord{UserName: a.entry.Intent.UserName, Bearer: a.bearer, AccessKey: a.record.AccessKey, Reason: reasonFailed}
	err := Recovered(func() error { return m.undo(ctx, iam, a) })
	switch {
	case err != nil:
		m.tellOf(WasDeferred, left, err)
	case a.confirmed:
		m.tellOf(WasDestroyed, left, nil)
	}
}

// undo destroys the user of an attempt. The entry is struck only when nothing
// can be left: no user was made, or it was destroyed and no CreateUser can still
// be under way. Otherwise it stays, and the worker owes the removal.
func (m *Manager) undo(ctx context.Context, iam Users, a attempt) error {
	if a.recorded {
		return m.undoRecorded(ctx, iam, a)
	}
	if a.confirmed || a.lost {
		if err := m.DestroyUser(ctx, iam, a.doomed()); err != nil {
			return errors.Join(err, m.handOver(ctx, a, err))
		}
	}
	if a.lost {
		return nil
	}
	return m.journal.Strike(ctx, a.entry.ID)
}

// handOver condemns a user that could not be destroyed at once: the worker tries
// it again in its next pass, where the entry waits for its age. The entry stays
// as well, for the built-in engine, should the mount move back. A user that AWS
// never confirmed is the entry's alone.
func (m *Manager) handOver(ctx context.Context, a attempt, cause error) error {
	if !a.confirmed {
		return nil
	}
	i := a.entry.Intent
	r := UserRecord{UserName: i.UserName, NameUnique: i.NameUnique, Resent: i.Resent, Account: a.account, Bearer: a.bearer, Issued: i.IssuedAt, Entry: a.entry.ID}
	r = r.condemned(m.clock.Now(), reasonFailed).tried(m.clock.Now())
	r.LastError = cause.Error()
	return m.writeRecord(ctx, r)
}

// undoRecorded is undo of a user whose record may have been written: the record
// is condemned, so that whatever fails from here on is the worker's. Only where
// that cannot be written does the entry, which then still stands or is written
// again, owe the removal.
func (m *Manager) undoRecorded(ctx context.Context, iam Users, a attempt) error {
	r := a.record.condemned(m.clock.Now(), reasonFailed)
	r.Entry = a.entry.ID
	if err := Recovered(func() error { return m.writeRecord(ctx, r) }); err != nil {
		unwritten := Recovered(func() error { return m.journal.Reassert(ctx, a.entry) })
		return errors.Join(err, unwritten, m.DestroyUser(ctx, iam, a.doomed()))
	}
	return m.destroyRecorded(ctx, connectedTo(iam), r)
}

func (a attempt) doomed() Doomed {
	return Doomed{
		Name:        a.entry.Intent.UserName,
		Account:     a.account,
		Born:        a.entry.announcedAt(),
		Unconfirmed: !a.confirmed,
		NameUnique:  a.entry.Intent.NameUnique,
	}
}
