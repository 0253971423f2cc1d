package governor

import (
	"context"
	"slices"
	"time"
)

// ticket is a place in a queue.
type ticket struct {
	work
	begun bool // its request has made calls already: it goes before those that have not
	calls int

	ready    chan struct{}   // closed when it is granted
	granted  time.Time       // zero until then
	ends     time.Time       // when it leaves unless it is granted; zero: never
	refusal  *Refusal        // when it has left
	lifelong context.Context // its request's, without its end
}

func newTicket(ctx context.Context, calls int, begun bool) *ticket {
	return &ticket{work: workOf(ctx), begun: begun, calls: calls, ready: make(chan struct{}), lifelong: context.WithoutCancel(ctx)}
}

func (t *ticket) grant(now time.Time) {
	t.granted = now
	close(t.ready)
}

// queue is what waits: line before line, and within a line entity by entity.
type queue struct{ lines [2 * classes]line }

// line is what waits of one class, begun or not.
type line struct {
	turns   []string // the entities, in the order of their turns
	waiting map[string][]*ticket
	tickets int
	calls   int
}

func (t *ticket) line() int {
	if t.begun {
		return 2 * int(t.class)
	}
	return 2*int(t.class) + 1
}

func (q *queue) add(t *ticket) {
	l := &q.lines[t.line()]
	if l.waiting == nil {
		l.waiting = make(map[string][]*ticket)
	}
	if len(l.waiting[t.entity]) == 0 {
		l.turns = append(l.turns, t.entity)
	}
	l.waiting[t.entity] = append(l.waiting[t.entity], t)
	l.tickets++
	l.calls += t.calls
}

// first is the ticket whose turn it is; nil if nothing waits.
func (q *queue) first() *ticket {
	for i := range q.lines {
		if l := &q.lines[i]; l.tickets > 0 {
			return l.waiting[l.turns[0]][0]
		}
	}
	return nil
}

// pop takes the first ticket off the queue. Its entity goes to the end of its line.
func (q *queue) pop() *ticket {
	t := q.first()
	l := &q.lines[t.line()]
	q.remove(t)
	if len(l.waiting[t.entity]) > 0 {
		l.turns = append(l.turns[1:], t.entity)
	}
	return t
}

// ended are the tickets that have to leave by now, told as their contexts are
// (hopeless says why).
func (q *queue) ended() (ended []*ticket) {
	for i := range q.lines {
		for _, waiting := range q.lines[i].waiting {
			for _, t := range waiting {
				if !t.ends.IsZero() && time.Until(t.ends) <= 0 {
					ended = append(ended, t)
				}
			}
		}
	}
	return ended
}

// remove takes a ticket off the queue, and reports whether it was there.
func (q *queue) remove(t *ticket) bool {
	l := &q.lines[t.line()]
	at := slices.Index(l.waiting[t.entity], t)
	if at < 0 {
		return false
	}
	l.tickets--
	l.calls -= t.calls
	l.waiting[t.entity] = slices.Delete(l.waiting[t.entity], at, at+1)
	if len(l.waiting[t.entity]) == 0 {
		delete(l.waiting, t.entity)
		l.turns = slices.DeleteFunc(l.turns, func(entity string) bool { return entity == t.entity })
	}
	return true
}

func (q *queue) empty() bool { return q.first() == nil }

// waiting is how many requests wait in the line of a ticket.
func (q *queue) waiting(t *ticket) int { return q.lines[t.line()].tickets }

// ahead is how many calls go before a ticket that comes now: all of the lines
// before its own, all of its entity, and as many of each other entity.
func (q *queue) ahead(t *ticket) (calls int) {
	for i := range t.line() {
		calls += q.lines[i].calls
	}
	l := &q.lines[t.line()]
	own := sum(l.waiting[t.entity])
	for entity, waiting := range l.waiting {
		if entity != t.entity {
			calls += min(sum(waiting), own+t.calls)
		}
	}
	return calls + own
}

func sum(tickets []*ticket) (calls int) {
	for _, t := range tickets {
		calls += t.calls
	}
	return calls
}
