package lifecycle

import (
	"errors"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// Waits between tries of an item that fails: doubling from the first to the last.
const (
	backoffFirst = 10 * time.Second
	backoffLast  = 15 * time.Minute
)

// backoff remembers, per item, the last error and when to try again.
type backoff map[string]trial

type trial struct {
	gist string
	wait time.Duration
	next time.Time
}

func (b backoff) due(item string, now time.Time) bool { return !now.Before(b[item].next) }

// changed notes the outcome of a try and reports whether it is an error that
// the previous try did not end with: the ones to log.
func (b backoff) changed(item string, err error, now time.Time) bool {
	if err == nil {
		delete(b, item)
		return false
	}
	last := b[item]
	wait := min(max(2*last.wait, backoffFirst), backoffLast)
	b[item] = trial{gist: gist(err), wait: wait, next: now.Add(wait)}
	return last.gist != gist(err)
}

// gist is the same for errors that say the same. The text of AWS's errors is
// not: each carries the id of its request.
func gist(err error) string {
	if call := (*awserr.Error)(nil); errors.As(err, &call) {
		return call.Op + " " + call.Code + " " + string(call.Kind)
	}
	return err.Error()
}

// keep forgets the entries that are not in ids any more.
func (b backoff) keep(ids []EntryID) {
	for item := range b {
		if item != journalItem && !slices.Contains(ids, EntryID(item)) {
			delete(b, item)
		}
	}
}

// journalItem stands for the pass as a whole.
const journalItem = "journal"
