package lifecycle

import (
	"context"
	"errors"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// patience says which refusals of AWS pass by themselves, and how long we wait
// for that. The SDK retries none of these.
type patience struct {
	passes func(error) bool
	most   time.Duration // the longest wait between two tries; the last one
}

const settleFirstWait = 250 * time.Millisecond

var (
	// busy: another change of the same entity is under way. AWS asks for
	// seconds to minutes of patience; the request's deadline ends it.
	busy = patience{passes: isBusy, most: 8 * time.Second}
	// fresh is for calls on a user of ours that is seconds old, which IAM may
	// not show everywhere yet. A policy or group that does not exist answers
	// with the same code, so the patience is short.
	fresh = patience{passes: isBusyOrUnseen, most: 2 * time.Second}
	// own is for calls that name nothing but such a user: it alone can be what
	// IAM does not show.
	own = patience{passes: isBusyOrUnseen, most: 8 * time.Second}
)

// unseen is for destroying a user of ours that is seconds old: one server of IAM
// has deleted its key, and the next does not know the user yet.
var unseen = patience{passes: func(err error) bool { return errors.Is(err, awserr.NotFound) }, most: 2 * time.Second}

// unseenAge is how old a user is that IAM should show everywhere.
const unseenAge = time.Minute

func isBusy(err error) bool { return errors.Is(err, awserr.Busy) }

func isBusyOrUnseen(err error) bool { return isBusy(err) || errors.Is(err, awserr.NotFound) }

// settle repeats a call that AWS refused for a reason that passes, doubling the
// wait each time. It returns the last error; a panic is an answer that was lost.
func (m *Manager) settle(ctx context.Context, p patience, call func() error) error {
	for wait := settleFirstWait; ; wait *= 2 {
		err := Recovered(call)
		if err == nil || !p.passes(err) || wait > p.most {
			return err
		}
		if m.clock.Sleep(ctx, wait) != nil {
			return err
		}
	}
}
