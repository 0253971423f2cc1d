package lifecycle

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Worker is the one background worker of a mount. It runs on a node that owns
// storage, does one pass a minute and one whenever it is woken. A pass attends
// to its duties in their order.
type Worker struct {
	manager *Manager
	duties  []Duty
	log     hclog.Logger
	failing backoff
	more    bool // the last pass left work

	once sync.Once
	wake chan chan struct{}
	done chan struct{}
}

// passEvery is how often the worker looks without being woken.
const passEvery = time.Minute

// dutyTime is how long one duty is attended to in a pass. Where thousands of items
// fall due at once, keys to rotate say, the duties before it, which kill keys, have
// their turn in between; the next pass follows at once then.
const dutyTime = passEvery

// stirredAfter is how soon it looks when something has changed: changes come in
// series.
const stirredAfter = time.Second

// Duty is one kind of work. Items lists what there is; Attend does what is due of
// one item and has its own deadline, so that one bad item delays nobody.
type Duty struct {
	Name   string
	AtOnce int // how many items are attended to side by side; 0 is 1
	Items  func(ctx context.Context) ([]EntryID, error)
	Attend func(ctx context.Context, item EntryID) error
}

// NewWorker returns a worker that is not running yet. Users come before the
// other duties.
func NewWorker(manager *Manager, connect Connect, others ...Duty) *Worker {
	return &Worker{
		manager: manager,
		duties:  append(manager.duties(connect), others...),
		log:     manager.log.Named("worker"),
		failing: make(backoff),
		wake:    make(chan chan struct{}),
		done:    make(chan struct{}),
	}
}

// Add gives a worker that is not running yet duties that come last.
func (w *Worker) Add(duties ...Duty) { w.duties = append(w.duties, duties...) }

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
	slept, stirred := w.after(ctx, w.pause()), w.manager.stir
	for {
		select { // whoever waits comes first: what has changed gets its own pass then
		case passed = <-w.wake:
			return passed, true
		default:
		}
		select {
		case passed = <-w.wake:
			return passed, true
		case <-stirred:
			slept, stirred = w.after(ctx, min(stirredAfter, w.pause())), nil
		case err := <-slept:
			return make(chan struct{}), err == nil
		}
	}
}

// after tells when a time has passed, or ctx has ended.
func (w *Worker) after(ctx context.Context, d time.Duration) <-chan error {
	slept := make(chan error, 1)
	go func() { slept <- w.manager.clock.Sleep(ctx, d) }()
	return slept
}

// pause is how long the worker rests between two passes.
func (w *Worker) pause() time.Duration {
	if w.more {
		return 0
	}
	return passEvery
}

// duties are those over dynamic users, in their order.
func (m *Manager) duties(connect Connect) []Duty {
	return []Duty{m.beginDuty(), m.rollbacks(connect), m.readingDuty(), m.condemnedDuty(connect), m.deadlineDuty(connect)}
}

// pass attends to every duty. A failing item is logged when its error changes.
func (w *Worker) pass(ctx context.Context) {
	w.more = false
	w.watchClock(ctx)
	defer w.watchClock(ctx)
	for _, duty := range w.duties {
		err := Recovered(func() error { return w.attend(ctx, duty) })
		w.note(ctx, hclog.Error, duty.Name, err)
	}
}

// watchClock notices a clock that jumped, and waits for storage no longer than items does.
func (w *Worker) watchClock(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, rollbackDeadline)
	defer cancel()
	err := Recovered(func() error { return w.manager.watchClock(limited) })
	w.note(ctx, hclog.Error, "clock", err)
}

// attend does what is due of a duty; an item that fails delays nobody and is
// tried again later and later.
func (w *Worker) attend(ctx context.Context, duty Duty) error {
	items, err := w.items(ctx, duty)
	if err != nil {
		return err
	}
	w.failing.keep(duty.Name, items)
	begun := w.manager.clock.Now()
	for some := range slices.Chunk(items, max(duty.AtOnce, 1)) {
		if w.manager.clock.Now().Sub(begun) >= dutyTime {
			w.more = true
			return nil
		}
		w.attendSome(ctx, duty, some)
	}
	return nil
}

// attendSome attends to items side by side, those that are not waiting for their
// next try.
func (w *Worker) attendSome(ctx context.Context, duty Duty, items []EntryID) {
	calls := make([]func() error, 0, len(items))
	names := make([]string, 0, len(items))
	for _, item := range items {
		name := duty.Name + "/" + string(item)
		if ctx.Err() != nil || !w.failing.due(name, w.manager.clock.Now()) {
			continue
		}
		names = append(names, name)
		calls = append(calls, func() error { return duty.Attend(ctx, item) })
	}
	for i, err := range allErrors(calls...) {
		w.note(ctx, hclog.Warn, names[i], err)
	}
}

// items lists a duty's items; storage that does not answer must not hold the
// worker for ever.
func (w *Worker) items(ctx context.Context, duty Duty) ([]EntryID, error) {
	ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
	defer cancel()
	return duty.Items(ctx)
}

// note remembers the outcome of an item and logs an error that is new. A worker
// that is ending has errors of its own making.
func (w *Worker) note(ctx context.Context, level hclog.Level, item string, err error) {
	if ctx.Err() != nil || !w.failing.changed(item, err, w.manager.clock.Now()) {
		return
	}
	w.log.Log(level, "failed; it is tried again", "item", item, "error", err)
	if caught := (*PanicError)(nil); errors.As(err, &caught) {
		w.log.Error("caught a panic; please report it", "value", caught.Value, "stack", string(caught.Stack))
	}
}
