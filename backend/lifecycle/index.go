package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// index is what the worker needs of all records, in memory: built in the
// background after start, kept by our own writes, and verified a slice at a time.
// No request waits for it. The zero value is empty and ready to use.
type index struct {
	mu         sync.Mutex
	users      map[string]standing
	pending    map[string]bool // listed, and not read yet
	listed     bool
	verified   string // the last name that was verified
	unreadable map[string]bool
}

// standing is what the index keeps of a record.
type standing struct {
	state      RecordState
	role       string
	accessKey  string
	deadline   time.Time
	keyDeleted bool
	since      time.Time // it is condemned
}

// announced is the standing of a user that is being made and has no record yet.
const announced RecordState = "announced"

func (x *index) put(r UserRecord) {
	x.set(r.UserName, standing{r.State, r.Role, r.AccessKey, r.Deadline, r.KeyDeleted, r.Since})
}

func (x *index) set(user string, s standing) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.users == nil {
		x.users = make(map[string]standing)
	}
	x.users[user] = s
	delete(x.pending, user)
	delete(x.unreadable, user)
}

func (x *index) drop(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.users, user)
	delete(x.pending, user)
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
	delete(x.pending, user)
}

// complete reports whether every record has been read once.
func (x *index) complete() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.listed && len(x.pending) == 0
}

// verifyAtOnce is how many known records are read again in one pass.
const verifyAtOnce = 1000

// expect takes a listing of all records and returns those to read: the ones not
// known yet, the known ones that are not listed, and the next slice of the rest.
func (x *index) expect(names []string) (read []EntryID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.listed, x.pending = true, make(map[string]bool)
	listed := make(map[string]bool, len(names))
	for _, name := range names {
		listed[name] = true
		if _, known := x.users[name]; !known && !x.unreadable[name] {
			x.pending[name] = true
			read = append(read, EntryID(name))
		}
	}
	for name, s := range x.users {
		if !listed[name] && s.state != announced {
			read = append(read, EntryID(name))
		}
	}
	slices.Sort(read)
	return append(read, x.nextSlice(names)...)
}

// nextSlice is the known records after those that were verified last.
func (x *index) nextSlice(names []string) (read []EntryID) {
	slices.Sort(names)
	from, found := slices.BinarySearch(names, x.verified)
	if found {
		from++
	}
	for _, name := range names[min(from, len(names)):] {
		if len(read) == verifyAtOnce {
			return read
		}
		if !x.pending[name] {
			read = append(read, EntryID(name))
			x.verified = name
		}
	}
	x.verified = "" // from the beginning next time
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
			names, err := m.records.RecordNames(ctx)
			if err != nil {
				return nil, err
			}
			return m.index.expect(names), nil
		},
		Attend: m.readRecord,
	}
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
func (m *Manager) InvalidateRecord(user string) { m.index.drop(user) }

// UserOfKey finds the user of an access key among the records.
func (m *Manager) UserOfKey(id string) (user string, known bool) {
	found := m.index.which(func(s standing) bool { return s.accessKey == id })
	if len(found) == 0 {
		return "", false
	}
	return string(found[0]), true
}

// UsersOfRole lists the users of a role by record; "" stands for all.
func (m *Manager) UsersOfRole(role string) []string {
	var names []string
	for _, user := range m.index.which(func(s standing) bool { return s.state != announced && cmp.Or(role, s.role) == s.role }) {
		names = append(names, string(user))
	}
	return names
}

// RecordsKnown reports whether every record has been read since the start.
func (m *Manager) RecordsKnown() bool { return m.index.complete() }
