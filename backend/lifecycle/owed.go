package lifecycle

import "context"

// Owed is what the mount still has to do, and what keeps it from that.
type Owed struct {
	Users      int // that live, by record or because they are being made
	Intents    int // journal entries of dynamic users
	Condemned  int
	Pooled     int // made ahead of time
	Overdue    int // users past their deadline, within the grace or beyond
	Unreadable int // records that cannot be decoded
	Held       string
	Complete   bool // every record has been read since the start
}

// Done reports whether nothing is owed: Vault may wipe the storage.
func (o Owed) Done() bool {
	return o.Complete && o.Intents+o.Condemned+o.Pooled+o.Overdue+o.Unreadable == 0
}

// Owed counts what is owed now.
func (m *Manager) Owed(ctx context.Context) (o Owed, err error) {
	s, err := m.State(ctx)
	if err != nil {
		return o, err
	}
	known, err := m.journal.Entries(ctx)
	if err != nil {
		return o, err
	}
	o = m.index.owed()
	o.Intents = len(known)
	o.Overdue = len(m.index.past(m.clock.Now()))
	o.Held, _ = m.heldDeadlines(s, m.clock.Now())
	return o, nil
}

func (x *index) owed() (o Owed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.users {
		switch s.state {
		case Condemned:
			o.Condemned++
		case Pooled:
			o.Pooled++
		}
	}
	o.Users, o.Unreadable, o.Complete = len(x.users), len(x.unreadable), x.roster.Complete()
	return o
}
