package lifecycle

import (
	"slices"
	"time"
)

// Waits between tries of an item that fails: doubling from the first to the last.
const (
	backoffFirst = 10 * time.Second
	backoffLast  = 15 * time.Minute
)

// backoff remembers, per item, the last error and when to try again.
type backoff map[string]trial

type trial struct {
	err  string
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
	b[item] = trial{err: err.Error(), wait: wait, next: now.Add(wait)}
	return last.err != err.Error()
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
