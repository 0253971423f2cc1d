package lifecycle

import (
	"context"
	"time"
)

// How long things may take. Vault gives a plugin no deadline: it cancels a
// request at 90 s, and clients leave at 60 s.
//
// Invariant: every one of them is far below RollbackMinAge, or a slow request
// would have its own user rolled back under it.
const (
	// RollbackMinAge is how old a journal entry must be before it is rolled
	// back. IAM reads lag writes by seconds; five minutes is the margin that
	// Vault's built-in engine uses too.
	RollbackMinAge = 5 * time.Minute

	issueDeadline   = 50 * time.Second
	sessionDeadline = 50 * time.Second
	// issuePatience is how much of issueDeadline may pass before the first call:
	// what is left is for the calls. It serves 200 users of three calls each at 15
	// calls a second, which take 38 s. rotatePatience leaves time for the proof.
	issuePatience  = 42 * time.Second
	rotatePatience = 15 * time.Second
	// takeDeadline is for what a request asks of storage to be given a user from a
	// pool: milliseconds, where storage is well.
	takeDeadline = 10 * time.Second
	// refillPatience is short: nobody waits for the user, and the worker has other duties.
	refillPatience = 5 * time.Second
	// refillDeadline bounds the users that one pass of the worker makes ahead of time.
	refillDeadline = 30 * time.Second
	revokeDeadline = 80 * time.Second
	// cleanupDeadline bounds the removal of what a failed request made. It
	// runs on a detached context: the request may be cancelled by then.
	cleanupDeadline = 15 * time.Second
	// rollbackDeadline bounds one entry, so that one bad item delays nobody.
	rollbackDeadline = 30 * time.Second
)

// How old a user must be before NoSuchEntity about it is believed: IAM may not
// show a new user yet.
const (
	confirmedGoneAge = RollbackMinAge
	// announcedGoneAge is for a CreateUser whose answer nobody saw. AWS accepts
	// a delayed request until its signature runs out, 15 minutes and the clock
	// skew it tolerates later.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (checked 2026-11)
	announcedGoneAge = 30 * time.Minute
)

// overdue reports whether more than limit of wall time has passed since start.
// The monotonic clock stands still while a machine sleeps; the rollback age of
// other nodes goes by the wall clock.
func (m *Manager) overdue(start time.Time, limit time.Duration) bool {
	return m.clock.Now().Round(0).Sub(start.Round(0)) > limit
}

// detached returns a context that outlives the request, for cleaning up.
func detached(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
