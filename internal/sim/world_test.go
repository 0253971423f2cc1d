package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// world is one simulated world. Its driver is one goroutine: it sleeps until
// the next event, begins what the event is, lets the world come to rest and
// checks the invariants.
type world struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand // the driver's
	begun  time.Time
	sim    *awssim.Sim
	store  *storage
	clock  clock
	vault  *vault
	lives  uint64 // of the plugin
	world  people
	events int // that the driver has begun

	busy sync.WaitGroup

	mu      sync.Mutex // guards what follows
	plugin  *process   // nil while Vault is down
	agenda  []event
	ordinal int
	wake    chan struct{}
	journal bytes.Buffer
	reached map[string]int
	under   map[string]bool // what is busy
	actions int
	counted int      // calls of AWS whose faults are counted
	wrong   []string // violations
	secrets []string // that AWS gave out last
}

// event is something to come.
type event struct {
	at      time.Time
	ordinal int // events of the same instant come in the order they were planned in
	what    func()

	optional bool // it is part of safety mode only
}

// newWorld is a world in which Vault runs and the mount is configured.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 1)), begun: time.Now(),
		sim:     awssim.New(awssim.Options{Seed: seed + 1, Settings: calm()}),
		wake:    make(chan struct{}, 1),
		reached: map[string]int{},
		under:   map[string]bool{},
	}
	w.store = newStorage(w)
	w.vault = &vault{w: w, leases: map[int]*lease{}, handed: map[string]bool{}}
	w.world.settle(w)
	w.start()
	return w
}

// end stops everything, so that the bubble can end.
func (w *world) end() {
	w.halt()
	w.sim.Close()
	w.busy.Wait()
}

// process is the plugin's process, nil while Vault is down.
func (w *world) process() *process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.plugin
}

// halt kills the plugin's process, if there is one.
func (w *world) halt() {
	w.mu.Lock()
	p := w.plugin
	w.plugin = nil
	w.mu.Unlock()
	if p != nil {
		w.note("the plugin dies")
		p.kill()
	}
}

// run lets the driver work until a time, or until something is wrong.
func (w *world) run(until time.Time) {
	for len(w.violations()) == 0 {
		next, ok := w.next(until)
		if !ok {
			return
		}
		next()
		synctest.Wait()
		w.check()
		w.collect()
	}
}

// mostGarbage is when the driver has it collected, in bytes.
const mostGarbage = 512 << 20

// collect has the garbage collected while the world is at rest: a collector that
// comes when it likes interrupts goroutines, which then run in another order.
func (w *world) collect() {
	if w.events++; w.events%100 != 0 {
		return
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	if memory.HeapAlloc > mostGarbage {
		runtime.GC()
	}
}

// next waits for the first event and takes it from the agenda.
func (w *world) next(until time.Time) (what func(), ok bool) {
	for {
		w.mu.Lock()
		slices.SortStableFunc(w.agenda, func(a, b event) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return a.ordinal - b.ordinal
		})
		first := event{at: until}
		if len(w.agenda) > 0 && w.agenda[0].at.Before(until) {
			first = w.agenda[0]
		}
		now := time.Now()
		if !now.Before(first.at) {
			if first.what != nil {
				w.agenda = w.agenda[1:]
			}
			w.mu.Unlock()
			return first.what, first.what != nil
		}
		w.mu.Unlock()
		timer := time.NewTimer(first.at.Sub(now))
		select {
		case <-timer.C:
		case <-w.wake:
			timer.Stop()
		}
		synctest.Wait() // what ends at this instant plans what follows
	}
}

// after plans an event.
func (w *world) after(d time.Duration, what func()) { w.plan(event{what: what}, d) }

// nowAndThen plans an event of safety mode.
func (w *world) nowAndThen(d time.Duration, what func()) {
	w.plan(event{what: what, optional: true}, d)
}

func (w *world) plan(e event, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ordinal++
	e.at, e.ordinal = time.Now().Add(d), w.ordinal
	w.agenda = append(w.agenda, e)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// begin has something done beside the driver.
func (w *world) begin(what func()) {
	w.busy.Add(1)
	go func() {
		defer w.busy.Done()
		what()
	}()
}

// note writes a line of the world's journal.
func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fmt.Fprintf(&w.journal, "%s ", time.Since(w.begun))
	fmt.Fprintf(&w.journal, format, args...)
	w.journal.WriteByte('\n')
}

// reach counts a state or a fault that was met.
func (w *world) reach(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reached[what]++
}

// violate notes that an invariant does not hold.
func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.note("VIOLATION %s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf("after %s: %s", time.Since(w.begun), text))
}

func (w *world) violations() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// draw is a number that follows from the seed and from what it is drawn for,
// whoever draws first.
func (w *world) draw(parts ...string) uint64 {
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, w.seed)
	for _, part := range parts {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	x := hash.Sum64() // and the finalizer of SplitMix64
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// between draws a duration for the driver.
func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rng.Int64N(int64(most-least)))
}

// clock is the clock of the machine that Vault runs on, as the backend reads it.
type clock struct {
	mu    sync.Mutex
	off   time.Duration
	ahead time.Time // the latest that it has shown and that was not true yet
}

// Now implements lifecycle.Clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

// Sleep implements lifecycle.Clock.
func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jump sets the clock off by a duration from the true time.
func (c *clock) jump(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.off > 0 {
		c.ahead = time.Now().Add(c.off)
	}
	c.off = off
}

// caughtUp is when the true time has reached whatever the clock has shown.
func (c *clock) caughtUp() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.ahead.Before(now) {
		return now
	}
	return c.ahead
}

func (c *clock) right() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.off == 0
}
