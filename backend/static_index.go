package backend

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"
)

// staticIndex is what is needed of all static roles, in memory: when each is due,
// and whose keys it rotates. The worker fills it after start and verifies a slice
// in each pass; what changes is read again. It lives where static roles are
// written, on the active node of the primary cluster.
type staticIndex struct {
	mu      sync.Mutex
	roles   map[string]staticStanding
	roster  lifecycle.Roster
	reading map[string]bool // being read; true: and changed meanwhile

	one lifecycle.KeyedLock // by name; held by the one who reads it
}

// staticStanding is what the index keeps of a static role.
type staticStanding struct {
	userID   string
	keys     []string  // ids of the key in force and the one before it
	rotation time.Time // when the key is to be rotated; zero: by hand only
	due      time.Time // when the worker has to do something; zero: never
}

// staticRecord is a static role and its key as stored; nil for what is not there.
type staticRecord struct {
	role  *store.StaticRole
	creds *store.StaticCreds
}

func readStatic(ctx context.Context, records store.Records, name string) (r staticRecord, err error) {
	if r.role, err = records.StaticRole(ctx, name); err != nil || r.role == nil {
		return r, err
	}
	r.creds, err = records.StaticCreds(ctx, name)
	return r, err
}

// standing is what the index keeps, as of now.
func (r staticRecord) standing(now time.Time) staticStanding {
	s := staticStanding{userID: r.role.ID}
	if r.creds == nil || r.unscheduled(now) {
		s.rotation, s.due = now, now
		return s
	}
	if end := r.creds.Expiration; end != nil {
		s.rotation = *end
	}
	s.keys = []string{r.creds.AccessKey, r.creds.PreviousKey}
	for _, end := range []*time.Time{r.creds.Expiration, r.previousEnd()} {
		if end != nil && (s.due.IsZero() || end.Before(s.due)) {
			s.due = *end
		}
	}
	return s
}

// unscheduled reports whether the key is one of the built-in engine's, which does
// not say when it is to be rotated.
func (r staticRecord) unscheduled(now time.Time) bool {
	return r.creds.Expiration == nil && nextStatic(r.role, now) != nil
}

// previousEnd is when the previous key has to be deactivated; nil for never.
func (r staticRecord) previousEnd() *time.Time {
	if r.role.Grace == nil || r.creds.PreviousKey == "" || r.creds.PreviousInactive {
		return nil
	}
	return r.creds.PreviousValidUntil
}

// read reads a static role from storage, and into the index.
func (x *staticIndex) read(ctx context.Context, records store.Records, name string, now time.Time) (staticRecord, error) {
	unlock, err := x.one.Lock(ctx, name)
	if err != nil {
		return staticRecord{}, err
	}
	defer unlock()
	x.begin(name)
	r, err := readStatic(ctx, records, name)
	x.end(name, r, err, now)
	return r, err
}

func (x *staticIndex) begin(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.reading == nil {
		x.reading, x.roles = make(map[string]bool), make(map[string]staticStanding)
	}
	x.reading[name] = false
}

// end takes what was read, unless it is old already.
func (x *staticIndex) end(name string, r staticRecord, err error, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	changed := x.reading[name]
	delete(x.reading, name)
	if err != nil || changed {
		return
	}
	x.roster.Read(name)
	delete(x.roles, name)
	if r.role != nil {
		x.roles[name] = r.standing(now)
	}
}

// change has a static role read again that was written or removed.
func (x *staticIndex) change(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, is := x.reading[name]; is {
		x.reading[name] = true
	}
	x.roster.Change(name)
}

// list begins a round with a listing, if one is wanted.
func (x *staticIndex) list(ctx context.Context, records store.Records, wanted func(*lifecycle.Roster) bool) error {
	x.mu.Lock()
	wants := wanted(&x.roster)
	x.mu.Unlock()
	if !wants {
		return nil
	}
	names, err := records.StaticRoleNames(ctx)
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.roster.List(names, func(name string) bool { _, known := x.roles[name]; return known })
	for name := range x.roles {
		if _, listed := slices.BinarySearch(names, name); !listed {
			x.roster.Change(name)
		}
	}
	return nil
}

// items is what the worker attends to in a pass: what is due, what is due for the
// longest time first, then what is to be read.
func (x *staticIndex) items(ctx context.Context, records store.Records, now time.Time) ([]lifecycle.EntryID, error) {
	if err := x.list(ctx, records, (*lifecycle.Roster).WantsList); err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	due := x.due(now)
	read := slices.DeleteFunc(slices.Concat(x.roster.Unread(), x.roster.Verify()), func(name string) bool {
		s := x.roles[name]
		return !s.due.IsZero() && !now.Before(s.due) // it is among the due ones
	})
	return entryIDs(append(due, read...)), nil
}

// due is the roles that something is to be done about. The caller holds mu.
func (x *staticIndex) due(now time.Time) (names []string) {
	for name, s := range x.roles {
		if !s.due.IsZero() && !now.Before(s.due) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(x.roles[a].due.Compare(x.roles[b].due), strings.Compare(a, b))
	})
	return names
}

// rereadStatic has the index know at once what a rotation has written. Where that
// cannot be read, the worker does it.
func (b *Backend) rereadStatic(ctx context.Context, records store.Records, name string) {
	_, _ = b.statics.read(ctx, records, name, b.options.Clock.Now())
}

// find is the static role that a condition holds for, "" for none. What the
// worker has not read yet is read first.
func (x *staticIndex) find(ctx context.Context, records store.Records, now time.Time, holds func(name string, s staticStanding) bool) (string, error) {
	if err := x.complete(ctx, records, now); err != nil {
		return "", err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, s := range x.roles {
		if holds(name, s) {
			return name, nil
		}
	}
	return "", nil
}

// complete reads what is still to be read.
func (x *staticIndex) complete(ctx context.Context, records store.Records, now time.Time) error {
	if err := x.list(ctx, records, func(r *lifecycle.Roster) bool { return !r.Listed() }); err != nil {
		return err
	}
	for some := range slices.Chunk(x.unread(), staticAtOnce) {
		reads := make([]func() error, len(some))
		for i, name := range some {
			reads[i] = func() error {
				_, err := x.read(ctx, records, name, now)
				return err
			}
		}
		if err := lifecycle.SideBySide(reads...); err != nil {
			return err
		}
	}
	return nil
}

func (x *staticIndex) unread() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.roster.Unread()
}

// rotations are the times at which keys are to be rotated, and whether they are
// known: they are not on a node whose worker does not run.
func (x *staticIndex) rotations() (due []time.Time, known bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range x.roles {
		due = append(due, s.rotation)
	}
	return due, x.roster.Listed()
}
