package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Taking is a request for a user from a pool.
type Taking struct {
	Of      string // as in Pool
	Account string // that the root credentials act in; "": not known, and nothing is taken
	Bearer  Bearer
	TTL     time.Duration // of the lease
}

// TakeUser hands out a user that was made ahead of time; false where there is
// none. It calls AWS for nothing.
//
// Its record is rewritten as issued before anybody learns the key. On error
// nothing is handed out, and the user is condemned, unless nothing was written.
//
// Invariant: a user is handed out once; whatever comes between is the worker's.
func (m *Manager) TakeUser(ctx context.Context, t Taking) (PooledUser, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, takeDeadline)
	defer cancel()
	if s, err := m.State(ctx); err != nil || s.Draining || s.Restored != "" || t.Account == "" {
		return PooledUser{}, false, err
	}
	for ctx.Err() == nil {
		u := m.stock.take(t.Bearer.Role, t.Of, t.Account, m.clock.Now())
		if u == nil {
			return PooledUser{}, false, nil
		}
		given, err := m.give(ctx, t, u)
		if given || err != nil {
			m.StirPools()
		}
		if err != nil {
			return PooledUser{}, false, fmt.Errorf("take user %q from the pool: %w", u.Name, err)
		}
		if given {
			return u.PooledUser, true, nil
		}
	}
	return PooledUser{}, false, ctx.Err()
}

// give rewrites the record of a user that was taken. It is false for one whose
// record says that it is not to be had any more.
func (m *Manager) give(ctx context.Context, t Taking, u *pooled) (bool, error) {
	unlock, err := m.users.Lock(ctx, u.Name)
	if err != nil {
		m.stock.putBack(u)
		return false, err
	}
	defer unlock()
	var r UserRecord
	err = Recovered(func() (err error) {
		r, err = m.records.Record(ctx, u.Name)
		return err
	})
	switch {
	case err != nil && !errors.Is(err, ErrNoRecord):
		m.stock.putBack(u)
		return false, err
	case err != nil || r.State != Pooled || r.Process != m.process:
		m.stock.drop(u.Name)
		return false, nil
	}
	now := m.clock.Now().UTC()
	r.State, r.Process, r.Bearer = Issued, "", t.Bearer
	r.Made, r.Issued, r.Deadline = r.Issued, now, now.Add(t.TTL)
	if err := Recovered(func() error { return m.writeRecord(ctx, r) }); err != nil {
		m.discard(ctx, r)
		return false, err
	}
	m.stock.drop(u.Name)
	return true, nil
}

// discard condemns a user whose record may have been rewritten, or leaves that to
// the worker. The caller holds the user's lock.
func (m *Manager) discard(ctx context.Context, r UserRecord) {
	m.stock.spoil(r.UserName)
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	r = r.condemned(m.clock.Now(), reasonFailed)
	if err := Recovered(func() error { return m.writeRecord(ctx, r) }); err != nil {
		m.tellOf(WasDeferred, r, err)
		return
	}
	m.stock.settled(r.UserName)
}
