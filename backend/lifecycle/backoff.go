package lifecycle

import (
	"errors"
	"strings"
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

// keep forgets the items of a duty that are not there any more.
func (b backoff) keep(duty string, items []EntryID) {
	if len(b) == 0 {
		return
	}
	there := make(map[EntryID]bool, len(items))
	for _, item := range items {
		there[item] = true
	}
	for name := range b {
		item, ok := strings.CutPrefix(name, duty+"/")
		if ok && !there[EntryID(item)] {
			delete(b, name)
		}
	}
}
