package lifecycle_test

import (
	"sync"
	"testing"
	"time"
	"unsafe"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

// clock is the clock of one machine. It runs with the time of the bubble (or,
// outside of one, of the machine) and can jump against it. Sleep is that of the
// system clock, which in a bubble passes at once.
type clock struct {
	lifecycle.SystemClock
	mu    sync.Mutex
	ahead time.Duration
	back  time.Duration // what it has jumped back in all
}

// Now implements lifecycle.Clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return wallAhead(time.Now(), c.ahead)
}

// jump moves the wall clock, as NTP does or a machine that wakes from sleep.
func (c *clock) jump(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += by
	c.back += max(0, -by)
}

// wallAhead moves the wall clock reading of t and leaves the monotonic one, if
// it has any. Package time has no way to say this, so it is done by hand; that
// it works is what TestWallAhead shows.
func wallAhead(t time.Time, d time.Duration) time.Time {
	type internals struct {
		wall uint64
		ext  int64
		loc  *time.Location
	}
	const hasMonotonic = 1 << 63
	t = t.Add(d)
	if inside := (*internals)(unsafe.Pointer(&t)); inside.wall&hasMonotonic != 0 {
		inside.ext -= int64(d)
	}
	return t
}

func TestWallAhead(t *testing.T) {
	t0 := time.Now()
	t1 := wallAhead(t0, time.Hour)
	if got := t1.Sub(t0); got != 0 {
		t.Errorf("the monotonic clock moved by %s", got)
	}
	if got := t1.Round(0).Sub(t0.Round(0)); got != time.Hour {
		t.Errorf("the wall clock moved by %s, want 1h", got)
	}
}
