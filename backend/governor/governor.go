package governor

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// Sleep waits for d or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
}

// maxWaiting is how many requests of a class may wait at once.
const maxWaiting = 5000

// Governor governs the calls to one API of one account. It is safe for
// concurrent use.
type Governor struct {
	clock Clock

	mu        sync.Mutex // guards everything below
	pace      pace
	inFlight  int   // calls that are sent and not answered
	unsent    int   // calls that are admitted and not sent
	admission queue // requests and single calls that wait to be admitted
	sending   queue // calls that are admitted, and wait for others to be answered
	stopTimer context.CancelFunc
	timedTo   float64 // the tokens that the timer waits for
	throttled uint64  // attempts that AWS refused for coming too fast
	refused   uint64  // requests and single calls that were not sent
}

// New returns a governor that has learned nothing yet.
func New(clock Clock) *Governor {
	return &Governor{clock: clock, pace: newPace(clock.Now())}
}

// Outcome is what an attempt taught of AWS's limit.
type Outcome int

// The outcomes.
const (
	Lost      Outcome = iota // no answer: nothing
	Taken                    // AWS looked at the call
	Throttled                // AWS refused it for coming too fast
)

// reservation is what a request was admitted with and has not used yet.
type reservation struct {
	governor *Governor
	admitted time.Time
	left     int // guarded by governor.mu
}

type reservationKey struct{ governor *Governor }

// Reserve waits until so many calls may be made, no longer than patience, and
// returns a context in which they are made without further waiting. Calls beyond
// those wait each for itself, before requests of the same class that have not
// begun. release gives back what was not used. An expected wait of more than
// patience, or than ctx lasts, is a *Refusal at once.
func (g *Governor) Reserve(ctx context.Context, calls int, patience time.Duration) (reserved context.Context, release func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	t := newTicket(ctx, calls, false)
	if err := g.admit(waiting, t); err != nil {
		return nil, nil, err
	}
	r := &reservation{governor: g, admitted: t.granted, left: calls}
	return context.WithValue(ctx, reservationKey{g}, r), func() { g.release(r) }, nil
}

// release gives back what a reservation has left.
func (g *Governor) release(r *reservation) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.putBack(r.left)
	r.left = 0
	g.proceed()
}

// putBack has calls that were admitted count as never admitted. The caller holds mu.
func (g *Governor) putBack(calls int) {
	g.unsent -= calls
	g.pace.tokens = min(g.pace.tokens+float64(calls), g.pace.rate)
}

// Call waits until one attempt may be sent; done is to be called with what came
// of it, once. An expected wait of more than ctx lasts is a *Refusal at once.
func (g *Governor) Call(ctx context.Context) (done func(Outcome), err error) {
	admitted, err := g.admitCall(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.send(ctx); err != nil {
		return nil, err
	}
	return func(o Outcome) { g.answered(o, admitted) }, nil
}

// admitCall takes a call out of the context's reservation; without one, or when
// it is used up, the call waits for itself.
func (g *Governor) admitCall(ctx context.Context) (admitted time.Time, err error) {
	r, begun := ctx.Value(reservationKey{g}).(*reservation)
	if begun && r.take() {
		return r.admitted, nil
	}
	t := newTicket(ctx, 1, begun)
	err = g.admit(ctx, t)
	return t.granted, err
}

func (r *reservation) take() bool {
	r.governor.mu.Lock()
	defer r.governor.mu.Unlock()
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}

// admit waits for the turn of a ticket, or refuses it.
func (g *Governor) admit(ctx context.Context, t *ticket) error {
	t.ends, _ = ctx.Deadline()
	g.mu.Lock()
	g.pace.refill(g.clock.Now())
	if g.hopeless(ctx, t) {
		defer g.mu.Unlock()
		return g.refuse(t)
	}
	g.admission.add(t)
	g.proceed()
	g.mu.Unlock()
	return g.wait(ctx, &g.admission, t)
}

// hopeless reports that a ticket cannot have its turn in time, as things stand.
//
// What is left until the deadline is told by the time package and not by our
// clock: that is what the context was given its deadline by, and what will end it.
// The pace's wait is a duration, which no clock that merely shows another time
// changes. In a bubble of testing/synctest the time package is fake for both.
func (g *Governor) hopeless(ctx context.Context, t *ticket) bool {
	if g.admission.waiting(t) >= maxWaiting {
		return true
	}
	deadline, limited := ctx.Deadline()
	return limited && g.pace.wait(g.admission.ahead(t)+t.calls) > time.Until(deadline)
}

// send waits until the call is one of those that may be under way. Where it ends
// before, the call is given back.
func (g *Governor) send(ctx context.Context) error {
	t := newTicket(ctx, 1, true)
	t.ends, _ = ctx.Deadline()
	g.mu.Lock()
	g.sending.add(t)
	g.proceed()
	g.mu.Unlock()
	return g.wait(ctx, &g.sending, t)
}

// wait waits until a ticket is granted. One that is granted as its context ends
// counts as granted: whoever holds it gives it back in the usual way.
func (g *Governor) wait(ctx context.Context, q *queue, t *ticket) error {
	select {
	case <-t.ready:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !t.granted.IsZero() {
		return nil
	}
	defer g.proceed()
	g.pace.refill(g.clock.Now())
	g.leaveTogether()
	if t.refusal != nil {
		return t.refusal
	}
	g.leave(q, t)
	return ctx.Err()
}

// leave takes a ticket off its queue, and gives back the call that it was admitted
// with. The caller holds mu.
func (g *Governor) leave(q *queue, t *ticket) {
	if q.remove(t) && q == &g.sending {
		g.putBack(1)
	}
}

// leaveTogether has all leave whose time is up, and refuses them: none of them is to
// be granted what another has just given back, or told that it waits for another.
// The caller holds mu.
func (g *Governor) leaveTogether() {
	var left []*ticket
	for _, q := range []*queue{&g.sending, &g.admission} {
		for _, t := range q.ended() {
			g.leave(q, t)
			left = append(left, t)
		}
	}
	for _, t := range left {
		t.refusal = g.refuse(t)
	}
}

// answered notes the outcome of an attempt. The pace grows only while it is what
// holds calls up: a mount that makes a call a minute learns nothing of AWS.
func (g *Governor) answered(o Outcome, admitted time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	g.pace.refill(now)
	used := g.inFlight > g.pace.inFlight()/2 || g.pace.tokens < g.pace.rate/2
	g.inFlight--
	switch o {
	case Taken:
		g.pace.taken()
		if used {
			g.pace.grow()
		}
	case Throttled:
		g.throttled++
		g.pace.throttled(now, admitted, g.unsent)
	}
	g.proceed()
}

// proceed grants what may go now: first calls of requests that have begun, then
// new ones, at the pace. The caller holds mu.
func (g *Governor) proceed() {
	now := g.clock.Now()
	g.pace.refill(now)
	for !g.sending.empty() && g.inFlight < g.pace.inFlight() {
		g.unsent--
		g.inFlight++
		g.sending.pop().grant(now)
	}
	for g.sending.empty() && !g.admission.empty() && g.pace.ready(g.admission.first()) {
		t := g.admission.pop()
		g.pace.tokens -= float64(t.calls)
		g.unsent += t.calls
		t.grant(now)
	}
	g.keepTime()
}

// keepTime has proceed called when the next token is there. One timer runs at a
// time, and none when nothing waits for it. The caller holds mu.
func (g *Governor) keepTime() {
	first := g.admission.first()
	switch {
	case first == nil && g.stopTimer != nil:
		g.stopTimer()
	case first != nil && g.stopTimer != nil && g.pace.needs(first) < g.timedTo:
		g.stopTimer() // it wakes early, and time is kept for the one that came first
	case first != nil && g.stopTimer == nil && !g.pace.ready(first):
		ctx, stop := context.WithCancel(first.lifelong)
		g.stopTimer, g.timedTo = stop, g.pace.needs(first)
		go g.proceedAfter(ctx, g.pace.due(first))
	}
}

func (g *Governor) proceedAfter(ctx context.Context, d time.Duration) {
	_ = g.clock.Sleep(ctx, d) // ended early, there is nothing to do, or something else
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopTimer()
	g.stopTimer = nil
	g.proceed()
}
