package lifecycle

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of what is made ahead of time: each such user counts against the
// account's quota, whether anybody asks for it or not.
const (
	MaxPool      = 20  // users of a role
	MaxPoolMount = 100 // of all roles of a mount
)

// Pool is what a role asks to have ready.
type Pool struct {
	Role    string
	Of      string // what its users are made of: those of anything else are thrown away
	Account string // that the root credentials act in, likewise; "" if AWS has not told
	Size    int
	MaxAge  time.Duration

	// Order says how to make one more, under a name of its own.
	Order func(ctx context.Context) (PoolOrder, error)
}

// PoolOrder is one user to make ahead of time.
type PoolOrder struct {
	IAM     Users
	Spec    UserSpec
	Latest  time.Time                        // the latest end of its lease; zero: no limit
	Provers func(key AccessKey) []Identifier // ask STS for the key
}

// Pools lists what the roles of a mount ask for now; none on a node that makes no
// users.
type Pools func(ctx context.Context) ([]Pool, error)

// PooledUser is a user from a pool.
type PooledUser struct {
	IssuedUser
	Spec    UserSpec
	Latest  time.Time // as in PoolOrder
	ReadyAt time.Time // when STS had accepted its key three times in a row
}

// pooled is a user in stock. Its key is nowhere else.
type pooled struct {
	PooledUser
	role    string
	of      string
	account string // that the root credentials acted in
	made    time.Time
	maxAge  time.Duration
	provers []Identifier
	taken   bool // somebody is being given it
}

// old reports whether a user has lain for too long; one from the future was made
// by a clock that was ahead.
func (u *pooled) old(now time.Time) bool {
	age := now.Round(0).Sub(u.made.Round(0))
	return age > u.maxAge || age < -clockTolerance
}

// stock is the users that this process has made ahead of time, with their keys.
// The zero value is empty and ready to use.
//
// Invariant: a user leaves it once, by keep, take or drop, and never comes back.
type stock struct {
	mu     sync.Mutex
	users  map[string]*pooled
	spoilt map[string]bool // taken, and neither handed out nor condemned for certain
	last   string          // the role that was refilled last

	// kept says that the worker keeps pools, or is about to look whether it does:
	// what changes meanwhile may have come too late for it.
	kept atomic.Bool
}

func (s *stock) add(u *pooled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == nil {
		s.users = make(map[string]*pooled)
	}
	s.users[u.Name] = u
}

func (s *stock) has(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.users[user] != nil
}

// take picks the user of a role that lies longest, of those that may be handed
// out, and marks it; nil if there is none.
func (s *stock) take(role, of, account string, now time.Time) *pooled {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *pooled
	for _, u := range s.users {
		fits := u.role == role && u.of == of && u.account == account && !u.taken && !u.ReadyAt.IsZero() && !u.old(now)
		if fits && (first == nil || cmp.Or(u.made.Compare(first.made), cmp.Compare(u.Name, first.Name)) < 0) {
			first = u
		}
	}
	if first != nil {
		first.taken = true
	}
	return first
}

// putBack undoes take, of a user about which nothing was written.
func (s *stock) putBack(u *pooled) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.taken = false
}

func (s *stock) drop(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, user)
}

// spoil drops a user of which nobody knows whether its record was rewritten: it is
// condemned whatever the record says.
func (s *stock) spoil(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.users, user)
	if s.spoilt == nil {
		s.spoilt = make(map[string]bool)
	}
	s.spoilt[user] = true
}

func (s *stock) isSpoilt(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoilt[user]
}

// settled forgets a spoilt user, whose end is written down.
func (s *stock) settled(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.spoilt, user)
}

func (s *stock) spoiltNames() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.spoilt))
}

// keep drops the users that no pool has a use for; those that are being handed
// out stay.
func (s *stock) keep(pools []Pool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of, room := make(map[string]Pool, len(pools)), make(map[string]int, len(pools))
	for _, p := range pools {
		of[p.Role], room[p.Role] = p, p.Size
	}
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		u := s.users[name]
		switch {
		case u.taken:
		case room[u.role] == 0 || !of[u.role].wants(u) || u.old(now):
			delete(s.users, name)
		default:
			room[u.role]--
		}
	}
}

// wants reports whether a user is what the pool holds.
func (p Pool) wants(u *pooled) bool {
	return u.of == p.Of && (u.account == p.Account || p.Account == "")
}

// unproven are the users that STS has not been seen to know.
func (s *stock) unproven() (names []EntryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, u := range s.users {
		if u.ReadyAt.IsZero() {
			names = append(names, EntryID(name))
		}
	}
	slices.Sort(names)
	return names
}

func (s *stock) proversOf(user string) []Identifier {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[user]; u != nil {
		return u.provers
	}
	return nil
}

func (s *stock) proven(user string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[user]; u != nil {
		u.ReadyAt = at
	}
}

// shortage is what a pool lacks.
type shortage struct {
	pool Pool
	now  int  // users to make in this pass
	more bool // there is more to make, of whatever role
}

// lacks shares out most users among the pools that lack some: one each in turn,
// beginning after the role that came last the last time.
func (s *stock) lacks(pools []Pool, most int) (short []shortage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	missing, total := s.missing(pools)
	number := make(map[string]int, len(pools))
	left := min(most, total)
	for turn := s.afterLast(pools); left > 0; {
		for _, p := range turn {
			if left > 0 && number[p.Role] < missing[p.Role] {
				number[p.Role]++
				left--
				s.last = p.Role
			}
		}
	}
	for _, p := range pools {
		if number[p.Role] > 0 {
			short = append(short, shortage{pool: p, now: number[p.Role], more: total > most})
		}
	}
	return short
}

// missing is how many users the pools lack, by role and in all, up to what a mount
// may have. The caller holds mu.
func (s *stock) missing(pools []Pool) (of map[string]int, total int) {
	of = make(map[string]int, len(pools))
	for _, p := range pools {
		of[p.Role] = min(p.Size, MaxPool)
	}
	for _, u := range s.users {
		of[u.role]--
	}
	for _, n := range of {
		total += max(n, 0)
	}
	return of, min(total, MaxPoolMount-len(s.users))
}

// afterLast is the pools by role, from the one after the last.
func (s *stock) afterLast(pools []Pool) []Pool {
	pools = slices.SortedFunc(slices.Values(pools), func(a, b Pool) int { return cmp.Compare(a.Role, b.Role) })
	from, found := slices.BinarySearchFunc(pools, s.last, func(p Pool, role string) int { return cmp.Compare(p.Role, role) })
	if found {
		from++
	}
	return slices.Concat(pools[from:], pools[:from])
}

// PoolsChanged has the worker look after the pools soon, if it keeps any:
// something that they depend on was changed.
func (m *Manager) PoolsChanged() {
	if m.stock.kept.Load() {
		m.StirPools()
	}
}

// ReadyPooled is how many users in stock may be handed out.
func (m *Manager) ReadyPooled() (n int) {
	m.stock.mu.Lock()
	defer m.stock.mu.Unlock()
	for _, u := range m.stock.users {
		if !u.ReadyAt.IsZero() && !u.taken {
			n++
		}
	}
	return n
}

// StirPools has the worker look after the pools soon: there is one more, or
// somebody took a user.
func (m *Manager) StirPools() {
	select {
	case m.stir <- struct{}{}:
	default: // it is about to
	}
}
