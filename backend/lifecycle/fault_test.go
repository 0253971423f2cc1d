package lifecycle_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// call is one call of the code under test to AWS or to the journal.
type call struct {
	op   string // "iam:CreateUser", "sts:GetCallerIdentity", "journal:Strike"
	user string // whom it is about; "" for nobody in particular
}

func (c call) onStorage() bool {
	return strings.HasPrefix(c.op, "journal:") || strings.HasPrefix(c.op, "records:")
}

// mishap is what goes wrong with a call. Those that end in After let the call
// take effect first.
type mishap string

const (
	refused        mishap = "refused"     // a definite no: fault.err, or AccessDenied
	unavailable    mishap = "unavailable" // no answer, no effect
	lost           mishap = "lost"        // no answer
	hang           mishap = "hang"        // no answer until the context ends
	hangAfter      mishap = "hangAfter"
	cancelled      mishap = "cancelled" // the request's client leaves during the call
	cancelledAfter mishap = "cancelledAfter"
	panics         mishap = "panics"
	panicsAfter    mishap = "panicsAfter"
	late           mishap = "late" // no answer; the effect comes fault.delay later (storage: lost)
	jump           mishap = "jump" // all is well, but the wall clock jumps by fault.delay
	slow           mishap = "slow" // all is well, but the answer takes fault.delay
	dies           mishap = "dies" // the process ends, with it all it would still do
	diesAfter      mishap = "diesAfter"
)

// effective are the mishaps that let the call take effect.
var effective = []mishap{lost, hangAfter, cancelledAfter, panicsAfter, diesAfter}

// fault makes calls go wrong.
type fault struct {
	op    string // the calls it counts; "": all
	user  string // likewise
	nth   int    // the first of them it meets, from 0
	times int    // how many it meets; 0: one; negative: all from then on
	how   mishap
	err   error         // of refused
	delay time.Duration // of late and jump

	seen int
	met  call // the last call it met
}

func (f *fault) meets(c call) bool {
	if f.op != "" && f.op != c.op || f.user != "" && f.user != c.user {
		return false
	}
	n := f.seen - f.nth
	f.seen++
	if n < 0 || f.times >= 0 && n >= max(f.times, 1) {
		return false
	}
	f.met = c
	return true
}

func (f *fault) fired() bool { return f.met != call{} }

func (f *fault) String() string {
	return fmt.Sprintf("%s at %s %q", f.how, f.met.op, f.met.user)
}

// inject adds a fault, after those that are there.
func (w *world) inject(f fault) *fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, &f)
	return &f
}

// deny has AWS refuse all calls of these operations.
func (w *world) deny(ops ...string) {
	for _, op := range ops {
		w.inject(fault{op: op, times: -1, how: refused})
	}
}

// heal ends all faults.
func (w *world) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = nil
}

// matchFault counts a call against all faults; the first that meets it counts.
func (w *world) matchFault(c call) (met fault) {
	for _, f := range w.faults {
		if f.meets(c) && met.how == "" {
			met = *f
		}
	}
	if met.how == late && c.onStorage() {
		met.how = lost
	}
	return met
}

// call is the one way to the account and the journal: it takes time, goes wrong
// as the faults say, and has the invariants checked.
func (p *process) call(ctx context.Context, c call, effect func() error) error {
	f, way, err := p.enter(ctx, c)
	if err != nil {
		return err
	}
	if err := p.world.clock.Sleep(ctx, way); err != nil {
		return noAnswer(c, err)
	}
	switch {
	case f.how == jump:
		p.world.clock.jump(f.delay)
	case f.how == slow:
		way += f.delay
	case slices.Contains(effective, f.how):
		_ = p.world.apply(c, effect) // whatever AWS says, nobody hears it
		return p.suffer(ctx, c, f, nil)
	case f.how != "":
		return p.suffer(ctx, c, f, effect)
	}
	err = p.arrive(c, effect)
	if sleepErr := p.world.clock.Sleep(ctx, way); sleepErr != nil {
		return noAnswer(c, sleepErr)
	}
	return err
}

// enter notes a call and returns its fault and the time of one way.
func (p *process) enter(ctx context.Context, c call) (fault, time.Duration, error) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead {
		return fault{}, 0, noAnswer(c, fmt.Errorf("the process is dead"))
	}
	if ctx.Err() != nil {
		return fault{}, 0, noAnswer(c, ctx.Err())
	}
	w.calls = append(w.calls, c)
	if deadline, ok := ctx.Deadline(); ok {
		w.deadlines[c.op] = deadline
	}
	p.check(c)
	return w.matchFault(c), w.oneWay(c), nil
}

// oneWay is 5 to 45 ms. It follows from the call, so that calls that run side by
// side take effect in the same order every time.
func (w *world) oneWay(c call) time.Duration {
	if w.instant {
		return 0
	}
	h := fnv.New32a()
	fmt.Fprint(h, w.seed, c, w.sent[c])
	w.sent[c]++
	return 5*time.Millisecond + time.Duration(h.Sum32()%40_000)*time.Microsecond
}

// arrive is the effect of a call that nothing happens to, but that its process
// may have died meanwhile.
func (p *process) arrive(c call, effect func() error) error {
	if p.world.brittle && p.isDead() {
		return noAnswer(c, fmt.Errorf("the process is dead"))
	}
	return p.world.apply(c, effect)
}

// apply lets a call take effect.
func (w *world) apply(c call, effect func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if meanwhile := w.onCall[c.op]; meanwhile != nil {
		meanwhile()
	}
	err := effect()
	w.checkNames(c)
	return err
}

// suffer is what a call that goes wrong ends in. effect is nil if it had one.
func (p *process) suffer(ctx context.Context, c call, f fault, effect func() error) error {
	w := p.world
	switch f.how {
	case refused:
		if f.err != nil {
			return f.err
		}
		return w.refusal(c, awserr.Denied, "AccessDenied")
	case hang, hangAfter:
		<-ctx.Done()
		return noAnswer(c, ctx.Err())
	case cancelled, cancelledAfter:
		if leave, ok := ctx.Value(clientKey{}).(context.CancelFunc); ok {
			leave()
		}
		return noAnswer(c, context.Canceled)
	case panics, panicsAfter:
		panic("panic in " + c.op)
	case dies, diesAfter:
		p.die()
	case late:
		w.send(c, f.delay, effect)
	}
	return noAnswer(c, fmt.Errorf("connection reset by peer"))
}

// send leaves a call under way whose client is gone.
func (w *world) send(c call, delay time.Duration, effect func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.underWay[c]++
	time.AfterFunc(delay, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.underWay[c]--
		w.landing = true
		_ = effect() // nobody is there to hear
		w.landing = false
		w.checkNames(c)
	})
}

// expectsAny reports whether any late request is under way.
func (w *world) expectsAny() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.underWay {
		if n > 0 {
			return true
		}
	}
	return false
}

// clientKey is where a request's context keeps the way to end it.
type clientKey struct{}

// noAnswer is the error of a call whose outcome is unknown.
func noAnswer(c call, cause error) error {
	if c.onStorage() {
		return fmt.Errorf("storage: %w", cause)
	}
	return &awserr.Error{Op: c.op, Kind: awserr.Unavailable, Cause: cause}
}

// refusal is an answer of AWS, with a request id of its own as they all have.
func (w *world) refusal(c call, kind awserr.Kind, code string) error {
	if c.onStorage() {
		return fmt.Errorf("storage: refused")
	}
	return &awserr.Error{Op: c.op, Kind: kind, Code: code, Message: "no", RequestID: fmt.Sprintf("req-%d", w.requests.Add(1)), Status: 400}
}
