package backend

import (
	"sync"
	"time"
)

// staticDue is when the keys of static roles are to be rotated, as the worker saw
// them last. The zero value knows nothing, as on a node whose worker does not run.
type staticDue struct {
	mu  sync.Mutex
	due map[string]time.Time // by role; zero: by hand only
}

// keep begins a pass over the roles: it forgets all others.
func (s *staticDue) keep(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.due
	s.due = make(map[string]time.Time, len(names))
	for _, name := range names {
		if at, known := before[name]; known {
			s.due[name] = at
		}
	}
}

func (s *staticDue) note(role string, due *time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.due == nil {
		return
	}
	s.due[role] = time.Time{}
	if due != nil {
		s.due[role] = *due
	}
}

// times are the times, and whether any pass has been made.
func (s *staticDue) times() (due []time.Time, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.due {
		due = append(due, at)
	}
	return due, s.due != nil
}
