package lifecycle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Worker is the one background worker of a mount. It runs on a node that owns
// storage, does one pass a minute and one whenever it is woken. Destroying the
// condemned, rotation and tidy join the pass with their issues.
type Worker struct {
	manager *Manager
	connect Connect
	log     hclog.Logger
	failing backoff

	once sync.Once
	wake chan chan struct{}
	done chan struct{}
}

// passEvery is how often the worker looks without being woken.
const passEvery = time.Minute

// NewWorker returns a worker that is not running yet.
func NewWorker(manager *Manager, connect Connect) *Worker {
	return &Worker{
		manager: manager,
		connect: connect,
		log:     manager.log.Named("worker"),
		failing: make(backoff),
		wake:    make(chan chan struct{}),
		done:    make(chan struct{}),
	}
}

// Start runs the worker until ctx ends. Further calls do nothing.
func (w *Worker) Start(ctx context.Context) {
	w.once.Do(func() { go w.run(ctx) })
}

// Wait blocks until the worker has ended, or ctx does. A worker that was never
// started cannot be started any more.
func (w *Worker) Wait(ctx context.Context) {
	w.once.Do(func() { close(w.done) })
	select {
	case <-w.done:
	case <-ctx.Done():
	}
}

// Wake has the worker do a pass and returns when it is over, or when ctx ends;
// the pass goes on then. A worker that does not run is not woken.
func (w *Worker) Wake(ctx context.Context) {
	passed := make(chan struct{})
	select {
	case w.wake <- passed:
	case <-w.done:
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-passed:
	case <-ctx.Done():
	}
}

func (w *Worker) run(ctx context.Context) {
	defer close(w.done)
	passed := make(chan struct{}) // nobody waits for the first pass
	for more := true; more; passed, more = w.next(ctx) {
		w.pass(ctx)
		close(passed)
	}
}

// next waits for the time of the next pass and returns the channel to close
// when it is over, or false when the worker is to end.
func (w *Worker) next(ctx context.Context) (passed chan struct{}, more bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	slept := make(chan error, 1)
	go func() { slept <- w.manager.clock.Sleep(ctx, passEvery) }()
	select {
	case passed = <-w.wake:
		return passed, true
	case err := <-slept:
		return make(chan struct{}), err == nil
	}
}

// pass does what is due. A failing item is logged when its error changes.
func (w *Worker) pass(ctx context.Context) {
	err := Recovered(func() error { return w.rollBack(ctx) })
	if ctx.Err() == nil && w.failing.changed(journalItem, err, w.manager.clock.Now()) {
		w.log.Error("rollback pass failed", "error", err)
		w.logStack(err)
	}
}

// rollBack rolls back every journal entry that is due; one that fails delays
// nobody and is tried again later and later.
func (w *Worker) rollBack(ctx context.Context) error {
	ids, err := w.entries(ctx)
	if err != nil {
		return err
	}
	w.failing.keep(ids)
	for _, id := range ids {
		now := w.manager.clock.Now()
		if ctx.Err() != nil || !w.failing.due(string(id), now) {
			continue
		}
		err := Recovered(func() error { return w.manager.rollBackEntry(ctx, w.connect, id) })
		if ctx.Err() == nil && w.failing.changed(string(id), err, now) {
			w.log.Warn("rollback failed; it is tried again", "entry", id, "error", err)
			w.logStack(err)
		}
	}
	return nil
}

// entries lists the journal; storage that does not answer must not hold the
// worker for ever.
func (w *Worker) entries(ctx context.Context) ([]EntryID, error) {
	ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
	defer cancel()
	return w.manager.journal.Entries(ctx)
}

// logStack writes down where a panic came from; its error does not say.
func (w *Worker) logStack(err error) {
	if caught := (*PanicError)(nil); errors.As(err, &caught) {
		w.log.Error("caught a panic; please report it", "value", caught.Value, "stack", string(caught.Stack))
	}
}
