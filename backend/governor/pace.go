package governor

import (
	"math"
	"time"
)

// Where a pace starts and how it changes, in calls a second.
const (
	firstRate = 20
	leastRate = 1
	mostRate  = 1000
	// MostInFlight is how many calls are in flight at the highest rate.
	MostInFlight = mostRate / 2
	// leastInFlight keeps calls of one request side by side at the lowest rates.
	leastInFlight = 4
	// leastStep, or this share of the rate at which AWS throttled last, is what
	// the rate grows by in a second once AWS has throttled.
	leastStep = 1.0
	stepShare = 0.05
	// A throttled call is odd where it is no more than the second of the last shareOf
	// calls or so: it may be somebody else's doing, and above the limit more of them are.
	shareOf  = 40
	oddShare = 2.5 / shareOf
	oddCut   = 0.97 // what it leaves of the rate
)

// pace is how many calls a second AWS takes, as far as that is known: a bucket
// of tokens, one for each call. It holds what a second brings.
//
// Invariant: tokens are no more than a second's worth.
type pace struct {
	rate    float64   // tokens a second
	ceiling float64   // the rate at which AWS throttled last, or more if that was passed since; 0: it never did
	tokens  float64   // below 0: calls were admitted ahead of their time
	at      time.Time // when tokens was reckoned
	cut     time.Time // when the rate was cut last
	share   float64   // of the last calls, those that AWS throttled
}

func newPace(now time.Time) pace {
	return pace{rate: firstRate, tokens: firstRate, at: now, share: oddShare}
}

// refill adds the tokens of the time since it was last called.
func (p *pace) refill(now time.Time) {
	if passed := now.Sub(p.at).Seconds(); passed > 0 {
		p.tokens = min(p.rate, p.tokens+passed*p.rate)
	}
	p.at = now
}

// ready reports whether a request may be admitted. It takes all its calls at
// once, so that a large one does not starve; the next one then waits longer.
func (p *pace) ready(t *ticket) bool { return p.tokens >= p.needs(t) }

// needs is how many tokens there must be before a ticket is granted.
func (p *pace) needs(t *ticket) float64 {
	if t.class.spares() && !t.begun {
		return max(1, p.rate/2)
	}
	return 1
}

// due is how long it takes until ready.
func (p *pace) due(t *ticket) time.Duration {
	return seconds((p.needs(t) - p.tokens) / p.rate)
}

// inFlight is how many calls may be under way at once: those of half a second.
func (p *pace) inFlight() int { return max(leastInFlight, int(p.rate/2)) }

// taken notes a call that AWS did not throttle.
func (p *pace) taken() { p.share -= p.share / shareOf }

// grow raises the rate for a call that AWS did not throttle while calls were waiting
// for the pace. Until AWS has throttled once, each raises the rate and brings one
// more call, which doubles both with each round of answers; then the rate grows by
// a step a second.
func (p *pace) grow() {
	if p.ceiling == 0 {
		p.rate = min(p.rate+1, mostRate)
		p.tokens = min(p.tokens+1, p.rate)
		return
	}
	p.rate = min(p.rate+max(leastStep, stepShare*p.ceiling)/p.rate, mostRate)
	p.ceiling = max(p.ceiling, p.rate)
}

// throttled notes a call that AWS throttled. The rate is halved and AWS given time
// to recover, a second at most, with the calls in mind that are admitted and still
// to be sent; an odd one only has the rate cut a little. One that was admitted
// before the last cut tells nothing of the rate since.
func (p *pace) throttled(now, admitted time.Time, unsent int) {
	p.share += (1 - p.share) / shareOf
	odd := p.share < oddShare && p.ceiling > 0
	if !admitted.After(p.cut) {
		return
	}
	p.ceiling, p.cut = p.rate, now
	if odd {
		p.rate = max(p.rate*oddCut, leastRate)
		p.tokens = min(p.tokens, p.rate)
		return
	}
	p.rate = max(p.rate/2, leastRate)
	p.tokens = max(min(p.tokens, 0)-float64(unsent), -p.rate)
}

// wait is how long it is expected to take until so many calls are admitted.
func (p *pace) wait(calls int) time.Duration {
	missing := float64(calls) - p.tokens
	switch {
	case missing <= 0:
		return 0
	case p.ceiling == 0: // the rate doubles with each round, so it multiplies by e in a second
		return seconds(math.Log1p(missing / p.rate))
	default:
		return seconds(missing / p.lasting())
	}
}

// lasting is the rate in the long run: it swings between the ceiling and half.
func (p *pace) lasting() float64 { return max(p.rate, p.ceiling*3/4) }

func seconds(s float64) time.Duration {
	return time.Duration(math.Ceil(max(s, 0) * float64(time.Second)))
}
