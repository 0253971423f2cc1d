package awssim

import (
	"slices"
	"time"
)

// delayedRequest is a request that is still under way, although its client
// has gone: AWS may accept it as long as its signature is good.
type delayedRequest struct {
	req   *request
	due   time.Time // on the simulator's clock
	timer *time.Timer
}

// delay keeps a request for later. A timer wakes the simulator when its clock
// runs with the wall; Advance and every call look as well.
func (s *Sim) delay(req *request, d time.Duration) {
	late := &delayedRequest{req: req, due: s.now().Add(d)}
	late.timer = time.AfterFunc(d, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.runDelayed()
	})
	s.delayed = append(s.delayed, late)
}

// runDelayed processes the delayed requests that have come due, in the order
// they came in.
// No fault meets them a second time.
func (s *Sim) runDelayed() {
	now := s.now()
	for {
		i := slices.IndexFunc(s.delayed, func(l *delayedRequest) bool { return !l.due.After(now) })
		if i < 0 {
			return
		}
		late := s.delayed[i]
		s.delayed = slices.Delete(s.delayed, i, i+1)
		late.timer.Stop()
		c := s.newCall(late.req)
		s.finish(c, s.process(c), &Fault{Kind: FaultDelay})
	}
}

func (s *Sim) dropDelayed() {
	for _, late := range s.delayed {
		late.timer.Stop()
	}
	s.delayed = nil
}
