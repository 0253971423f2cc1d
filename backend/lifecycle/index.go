package lifecycle

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
	"unique"
)

// index is what the worker needs of all records, in memory: built in the
// background after start, kept by our own writes, and verified a slice at a time.
// No request waits for it. The zero value is empty and ready to use.
type index struct {
	mu         sync.Mutex
	users      map[string]standing
	ofRole     map[unique.Handle[string]]int // how many of users each role has
	roster     Roster
	unreadable map[string]bool
}

// standing is what the index keeps of a record. A mount may have 100,000, so it
// shares what many have in common.
type standing struct {
	state      RecordState
	role       unique.Handle[string]
	accessKey  string
	deadline   time.Time
	keyDeleted bool
	since      time.Time // it is condemned
}

// announced is the standing of a user that is being made and has no record yet.
const announced RecordState = "announced"

func (x *index) put(r UserRecord) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.set(r.UserName, standing{sharedState(r.State), unique.Make(r.Role), r.AccessKey, r.Deadline, r.KeyDeleted, r.Since})
	x.roster.Read(r.UserName)
	delete(x.unreadable, r.UserName)
}

// sharedState is the state in the text of our constants.
func sharedState(s RecordState) RecordState {
	for _, known := range []RecordState{Issued, Condemned} {
		if s == known {
			return known
		}
	}
	return s
}

// set puts the standing of a user in place of what it was. The caller holds mu.
func (x *index) set(user string, s standing) {
	if x.users == nil {
		x.users, x.ofRole = make(map[string]standing), make(map[unique.Handle[string]]int)
	}
	x.unset(user)
	x.users[user] = s
	x.ofRole[s.role]++
}

// unset removes a user. The caller holds mu.
func (x *index) unset(user string) {
	s, known := x.users[user]
	if !known {
		return
	}
	delete(x.users, user)
	if x.ofRole[s.role]--; x.ofRole[s.role] == 0 {
		delete(x.ofRole, s.role)
	}
}

func (x *index) drop(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(user)
	x.roster.Read(user)
}

// invalidate has a record read again.
func (x *index) invalidate(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(user)
	x.roster.Change(user)
}

// forget drops what is known of a user. The caller holds mu.
func (x *index) forget(user string) {
	x.unset(user)
	delete(x.unreadable, user)
}

// skip stops waiting for a record that cannot be decoded.
func (x *index) skip(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.unreadable == nil {
		x.unreadable = make(map[string]bool)
	}
	x.unreadable[user] = true
	x.roster.Read(user)
}

// complete reports whether every record has been read once.
func (x *index) complete() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.roster.Complete()
}

func (x *index) wantsList() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.roster.WantsList()
}

// list takes a listing of all records. Known ones that are not in it are read, too.
func (x *index) list(names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.roster.List(names, func(name string) bool {
		_, known := x.users[name]
		return known || x.unreadable[name]
	})
	for name, s := range x.users {
		_, listed := slices.BinarySearch(names, name)
		if !listed && s.state != announced {
			x.roster.Change(name)
		}
	}
}

// toRead is the records that have to be read, and the next slice of the others.
func (x *index) toRead() (read []EntryID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range slices.Concat(x.roster.Unread(), x.roster.Verify()) {
		read = append(read, EntryID(name))
	}
	return read
}

// which returns the users that a condition holds for, sorted.
func (x *index) which(holds func(standing) bool) (users []EntryID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for user, s := range x.users {
		if holds(s) {
			users = append(users, EntryID(user))
		}
	}
	slices.Sort(users)
	return users
}

// condemned are the condemned users, those whose key may live first.
func (x *index) condemned() []EntryID {
	alive := x.which(func(s standing) bool { return s.state == Condemned && !s.keyDeleted })
	return append(alive, x.which(func(s standing) bool { return s.state == Condemned && s.keyDeleted })...)
}

// past are the issued users whose deadline is not after t.
func (x *index) past(t time.Time) []EntryID {
	return x.which(func(s standing) bool { return s.state == Issued && !s.deadline.IsZero() && !s.deadline.After(t) })
}

// count is how many users a condition holds for.
func (x *index) count(holds func(standing) bool) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.users {
		if holds(s) {
			n++
		}
	}
	return n
}

// readingDuty keeps the index.
func (m *Manager) readingDuty() Duty {
	return Duty{
		Name:   "records",
		AtOnce: condemnedAtOnce,
		Items: func(ctx context.Context) ([]EntryID, error) {
			if err := m.listRecords(ctx); err != nil {
				return nil, err
			}
			return m.index.toRead(), nil
		},
		Attend: m.readRecord,
	}
}

// listRecords lists the records where a round of reading begins.
func (m *Manager) listRecords(ctx context.Context) error {
	if !m.index.wantsList() {
		return nil
	}
	names, err := m.records.RecordNames(ctx)
	if err == nil {
		m.index.list(names)
	}
	return err
}

// readRecord reads one record into the index.
func (m *Manager) readRecord(ctx context.Context, user EntryID) error {
	err := m.attendRecord(ctx, string(user), func(_ context.Context, r UserRecord) error {
		m.index.put(r)
		return nil
	})
	if errors.Is(err, ErrUnreadable) {
		m.index.skip(string(user))
	}
	return err
}

// InvalidateRecord has a record that was changed elsewhere read again.
func (m *Manager) InvalidateRecord(user string) { m.index.invalidate(user) }

// UserOfKey finds the user of an access key among the records.
func (m *Manager) UserOfKey(id string) (user string, known bool) {
	found := m.index.which(func(s standing) bool { return s.accessKey == id })
	if len(found) == 0 {
		return "", false
	}
	return string(found[0]), true
}

// UsersOfRole lists the users of a role by record, sorted; "" stands for all, with
// those whose record cannot be decoded.
func (m *Manager) UsersOfRole(role string) []string {
	var names []string
	wanted := unique.Make(role)
	for _, user := range m.index.which(func(s standing) bool { return s.state != announced && (role == "" || s.role == wanted) }) {
		names = append(names, string(user))
	}
	if role == "" {
		names = append(names, m.index.undecoded()...)
		slices.Sort(names)
	}
	return slices.Compact(names)
}

// undecoded is the users whose record cannot be decoded.
func (x *index) undecoded() (names []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for name := range x.unreadable {
		names = append(names, name)
	}
	return names
}

// RecordsKnown reports whether every record has been read since the start.
func (m *Manager) RecordsKnown() bool { return m.index.complete() }
