package lifecycle

import (
	"context"
	"errors"
	"fmt"
)

// Connect returns IAM as the mount's root credentials reach it. It is asked for
// each entry, since the root config may change between two.
type Connect func(ctx context.Context) (Users, error)

// rollbacks is the worker's duty over the journal of dynamic users.
func (m *Manager) rollbacks(connect Connect) Duty {
	return Duty{
		Name: "rollback",
		Items: func(ctx context.Context) ([]EntryID, error) {
			ids, err := m.journal.Entries(ctx)
			if err == nil {
				m.undone.keep(ids)
			}
			return ids, err
		},
		Attend: func(ctx context.Context, id EntryID) error { return m.rollBackEntry(ctx, connect, id) },
	}
}

// rollBackEntry destroys the user that an old entry announces and strikes the
// entry. Entries that are young, being issued by this process, of another kind
// or struck meanwhile are left alone.
func (m *Manager) rollBackEntry(ctx context.Context, connect Connect, id EntryID) error {
	ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
	defer cancel()
	e, unlock, err := m.loadDue(ctx, id)
	if errors.Is(err, ErrNotOurs) || errors.Is(err, ErrNoEntry) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load journal entry: %w", err)
	}
	defer unlock()
	m.undone.add(e)
	iam, err := connect(ctx)
	if err != nil {
		return fmt.Errorf("roll back user %q: %w", e.Intent.UserName, err)
	}
	return m.rollBack(ctx, iam, e)
}

// loadDue reads an entry and locks its user, or returns ErrNoEntry for one that
// is not due. It reads twice: a request that ends between the first reading and
// the taking of the lock (L11) has struck its entry by the second.
func (m *Manager) loadDue(ctx context.Context, id EntryID) (e Entry, unlock func(), err error) {
	if e, err = m.journal.Load(ctx, id); err != nil {
		return e, nil, err
	}
	if !m.rollbackDue(ctx, e) {
		return e, nil, ErrNoEntry
	}
	if unlock = m.users.Try(e.Intent.UserName); unlock == nil {
		return e, nil, ErrNoEntry
	}
	if e, err = m.journal.Load(ctx, id); err != nil {
		unlock()
		return e, nil, err
	}
	return e, unlock, nil
}

// rollbackDue reports whether an entry is old enough. A mount that is being
// drained makes no more users, so nobody is waiting for any of them.
func (m *Manager) rollbackDue(ctx context.Context, e Entry) bool {
	if m.overdue(e.RecordedAt, RollbackMinAge) {
		return true
	}
	s, err := m.State(ctx)
	return err == nil && s.Draining
}

func (m *Manager) rollBack(ctx context.Context, iam Users, e Entry) error {
	if err := m.journal.Reassert(ctx, e); err != nil {
		return fmt.Errorf("roll back user %q: %w", e.Intent.UserName, err)
	}
	err := m.DestroyUser(ctx, iam, Doomed{
		Name:        e.Intent.UserName,
		Account:     e.Intent.Account,
		Born:        e.announcedAt(),
		Unconfirmed: true, // the entry does not tell how far the request came
		NameUnique:  e.Intent.NameUnique,
	})
	if err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	m.tellOf(WasRolledBack, UserRecord{UserName: e.Intent.UserName}, nil)
	if e.Intent.Resent && !m.overdue(e.announcedAt(), announcedGoneAge) {
		return nil // another CreateUser of ours may still be under way
	}
	// The entry of a user that has a record was never struck, so its key was
	// never handed out: both go.
	if err := m.dropRecord(ctx, e.Intent.UserName); err != nil {
		return err
	}
	if err := m.journal.Strike(ctx, e.ID); err != nil {
		return err
	}
	m.undone.remove(e.ID)
	return nil
}
