package bench

import (
	"context"
	"time"
)

// now is the machine's clock, which is the simulator's too.
func now() time.Time { return time.Now() }

// pause returns early, with an error, when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ms is a duration in milliseconds.
func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
