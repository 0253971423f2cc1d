package lifecycle

import (
	"sync"
	"time"
)

// Standing is how the mount's users stand, as far as this process knows without
// asking storage or AWS.
type Standing struct {
	// Complete says that every record has been read since the start; until then,
	// and on a node whose worker does not run, the numbers of users say nothing.
	Complete                     bool
	Announced, Issued, Condemned int
	Pooled                       int
	Overdue, Unreadable          int
	OldestCondemned              time.Time // zero if there is none

	// Undone are the rollbacks that are due and not done.
	Undone       int
	OldestUndone time.Time

	AwaitingReady int // credentials whose propagation is waited for

	// Known says that the state below is.
	Known                    bool
	Draining, Held, Restored bool
}

// Standing tells how the mount's users stand.
func (m *Manager) Standing() Standing {
	s := m.index.standing()
	s.Overdue = len(m.index.past(m.clock.Now()))
	s.Undone, s.OldestUndone = m.undone.oldest()
	s.AwaitingReady = int(m.waiting.Load())
	state, known := m.state.known()
	held, _ := m.heldDeadlines(state, m.clock.Now())
	s.Known, s.Draining, s.Held, s.Restored = known, state.Draining, held != "", state.Restored != ""
	return s
}

func (x *index) standing() (s Standing) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, user := range x.users {
		switch user.state {
		case Pooled:
			s.Pooled++
		case Issued:
			s.Issued++
		case announced:
			s.Announced++
		case Condemned:
			s.Condemned++
			s.OldestCondemned = earlier(s.OldestCondemned, user.since)
		}
	}
	s.Unreadable, s.Complete = len(x.unreadable), x.roster.Complete()
	return s
}

// earlier is the earlier of two times; zero stands for none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// undone are the journal entries whose rollback is due and not done, and when
// their users were announced. The zero value is empty and ready to use.
type undone struct {
	mu      sync.Mutex
	entries map[EntryID]time.Time
}

func (u *undone) add(e Entry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.entries == nil {
		u.entries = make(map[EntryID]time.Time)
	}
	u.entries[e.ID] = e.announcedAt()
}

func (u *undone) remove(id EntryID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.entries, id)
}

// keep forgets the entries that are not in the journal any more.
func (u *undone) keep(ids []EntryID) {
	there := make(map[EntryID]bool, len(ids))
	for _, id := range ids {
		there[id] = true
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for id := range u.entries {
		if !there[id] {
			delete(u.entries, id)
		}
	}
}

func (u *undone) oldest() (n int, since time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, at := range u.entries {
		since = earlier(since, at)
	}
	return len(u.entries), since
}
