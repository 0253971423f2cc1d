package governor

import (
	"testing"
	"time"
)

// TestPace: how the rate is learned.
func TestPace(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	throttleAt := func(p *pace, seconds float64) {
		now := start.Add(time.Duration(seconds * float64(time.Second)))
		p.refill(now)
		p.throttled(now, now, 0)
	}
	takeFor := func(p *pace, seconds int) { // as many calls as the rate allows
		for end := float64(seconds); end > 0; end -= 1 / p.rate {
			p.grow()
		}
	}
	many := func(p *pace) { // are taken
		for range 10 * shareOf {
			p.taken()
		}
	}
	for _, tc := range []struct {
		name string
		do   func(p *pace)
		want float64
	}{
		{"at the start", func(*pace) {}, 20},
		{"20 calls were not throttled", func(p *pace) {
			for range 20 {
				p.grow()
			}
		}, 40},
		{"it has an end", func(p *pace) {
			for range 5000 {
				p.grow()
			}
		}, mostRate},
		{"throttled", func(p *pace) { throttleAt(p, 1) }, 10},
		{"throttled again", func(p *pace) { throttleAt(p, 1); throttleAt(p, 2) }, 5},
		{"throttled by a call that was admitted before", func(p *pace) {
			throttleAt(p, 1)
			p.throttled(start.Add(2*time.Second), start.Add(time.Second), 0)
		}, 10},
		{"throttled for ever", func(p *pace) {
			for n := range 100 {
				throttleAt(p, float64(n+1))
			}
		}, leastRate},
		{"throttled, one of many", func(p *pace) { throttleAt(p, 1); many(p); throttleAt(p, 2) }, 9.7},
		{"throttled, two of many", func(p *pace) { throttleAt(p, 1); many(p); throttleAt(p, 2); throttleAt(p, 3) }, 9.41},
		{"throttled, three of many", func(p *pace) {
			throttleAt(p, 1)
			many(p)
			for n := range 3 {
				throttleAt(p, float64(n+2))
			}
		}, 4.7},
		{"throttled for ever, one of many each time", func(p *pace) {
			for n := range 200 {
				many(p)
				throttleAt(p, float64(n+1))
			}
		}, leastRate},
		{"throttled for the first time, one of many", func(p *pace) { many(p); throttleAt(p, 1) }, 10},
		{"it grows by a call a second", func(p *pace) { throttleAt(p, 1); takeFor(p, 5) }, 15},
		{"a lower limit that is gone is forgotten", func(p *pace) { throttleAt(p, 1); takeFor(p, 120) }, mostRate},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPace(start)
			tc.do(&p)
			if low, high := tc.want*0.97, tc.want*1.03; p.rate < low || p.rate > high {
				t.Errorf("rate = %.2f, want %.2f", p.rate, tc.want)
			}
			if p.tokens > p.rate {
				t.Errorf("%.1f tokens at a rate of %.1f", p.tokens, p.rate)
			}
		})
	}
}

// TestPaceRests: after a throttling nothing is sent for a while, the longer the
// more is still on its way, and no longer than a second.
func TestPaceRests(t *testing.T) {
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for unsent, want := range map[int]time.Duration{0: 100 * time.Millisecond, 5: 600 * time.Millisecond, 1000: 1100 * time.Millisecond} {
		p := newPace(start)
		p.throttled(start, start.Add(1), unsent)
		if got := p.due(&ticket{work: work{class: Issue}}); got != want {
			t.Errorf("%d on their way: the next call after %s, want %s", unsent, got, want)
		}
	}
}
