package crash

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/crashtest"
)

var (
	full    = flag.Bool("full", false, "every cell of the matrix, with both engines")
	showLog = flag.Bool("vault-log", false, "show the log of servers on which a test failed")
	results = &crashtest.File{}
)

func init() { flag.StringVar(&results.Path, "results", "", "file that the outcomes are appended to") }

// shortened is what runs without -full: this engine, and what is the hardest for
// it in the shortest time.
var shortened = []string{"reset after the effect", "SIGKILL of the plugin after the effect", "SIGKILL of both after the effect"}

// engines are those that are run: the built-in one only beside all of ours.
func engines() []engine {
	if *full {
		return []engine{ours, builtin}
	}
	return []engine{ours}
}

// selected are the mishaps that are run.
func selected() []mishap {
	if *full {
		return mishaps
	}
	return slices.DeleteFunc(slices.Clone(mishaps), func(m mishap) bool { return !slices.Contains(shortened, m.name) })
}

// TestMatrix runs the cells, those of one engine and mishap side by side.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			calls := undisturbed(t, e)
			for _, m := range selected() {
				t.Run(m.name, func(t *testing.T) {
					t.Parallel()
					runMishap(t, e, m, calls)
				})
			}
		})
	}
}

// undisturbed runs every operation without a mishap and returns its AWS calls.
func undisturbed(t *testing.T, e engine) map[string][]site {
	b := newBatch(t, e, mishap{name: "none"})
	for _, op := range operations {
		b.add(op, site{})
	}
	b.run()
	calls := map[string][]site{}
	for _, c := range b.cells {
		calls[c.op.name] = c.made
		t.Logf("%s, %s: %v", e.name, c.op.name, c.made)
	}
	return calls
}

func runMishap(t *testing.T, e engine, m mishap, calls map[string][]site) {
	if slices.Contains(m.not, e) {
		for _, op := range operations {
			if len(calls[op.name]) > 0 {
				notPossible(t, e, op.name, m.name)
			}
		}
		return
	}
	b := newBatch(t, e, m)
	for _, op := range operations {
		for _, at := range calls[op.name] {
			b.add(op, at)
		}
	}
	b.run()
}

// notPossible writes down that a cell cannot be.
func notPossible(t *testing.T, e engine, operation, mishap string) {
	t.Helper()
	r := crashtest.Result{Engine: e.name, Operation: operation, Mishap: mishap, Verdict: crashtest.NotPossible}
	if err := results.Add(r); err != nil {
		t.Fatal(err)
	}
}

func newBatch(t *testing.T, e engine, m mishap) *batch {
	return &batch{T: t, lab: newLab(t), engine: e, mishap: m}
}

// add adds a cell; its scene is made when the batch runs.
func (b *batch) add(op operation, at site) {
	n := len(b.cells)
	b.cells = append(b.cells, &cell{scene: newScene(b.T, b.lab, b.engine, fmt.Sprintf("m%d", n)), op: op, at: at})
}

// cell is one operation that meets a mishap at one call.
type cell struct {
	*scene
	op     operation
	at     site
	made   []site // the calls of the operation
	begun  int    // length of the simulator's journal when the operation began
	found  crashtest.Finding
	failed bool // the test could not go on with it
}

// batch is the cells of one mishap, on one server.
type batch struct {
	*testing.T
	lab    *lab
	engine engine
	mishap mishap
	cells  []*cell
}

const (
	// atOnce is how many cells of a batch are set up or judged at a time; while
	// the operations run, all of them do.
	atOnce = 6

	longAgo = 40 * time.Minute // for the journal anything is due by then, and a user old
	agesAgo = 1000 * time.Hour // for a record
)

func (b *batch) run() {
	b.Helper()
	b.each((*cell).setUp)
	b.operate()
	b.each(func(c *cell) error { return c.judged("at once") })
	b.each((*cell).age)
	b.reload()
	b.each(func(c *cell) error {
		if err := c.workDone(crashtest.Journals...); err != nil {
			b.Logf("%s: %v", c.name(), err) // what stays has its owner
		}
		return c.judged("after rollback")
	})
	b.each((*cell).endLeases)
	b.reload()
	b.each((*cell).endAll)
	for _, c := range b.cells {
		b.report(c)
	}
}

// each does something with all cells, some at a time. A cell that fails is left
// alone from then on.
func (b *batch) each(do func(c *cell) error) {
	b.Helper()
	slots, wg := make(chan struct{}, atOnce), sync.WaitGroup{}
	for _, c := range b.cells {
		if c.failed {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(c); err != nil {
				c.failed = true
				b.Errorf("%s: %v", c.name(), err)
			}
		})
	}
	wg.Wait()
}

// name says which cell it is.
func (c *cell) name() string { return fmt.Sprintf("%s at %s", c.op.name, c.at) }

// setUp makes the scene and what the operation needs.
func (c *cell) setUp() error {
	err := c.furnished()
	if err == nil && c.op.prepare != nil {
		err = c.op.prepare(c.scene)
	}
	return err
}

// operate runs all operations at once and lets the mishap happen to them.
func (b *batch) operate() {
	b.Helper()
	var running sync.WaitGroup
	for _, c := range b.cells {
		if c.failed {
			continue
		}
		c.begun = len(c.Sim.Journal())
		if b.mishap.fault != nil {
			c.Sim.Inject(b.mishap.fault(c.at))
		}
		running.Go(func() {
			b.note(c, c.op.run(c.scene))
		})
	}
	if b.mishap.kill != nil {
		b.each(func(c *cell) error { return c.await("the call that is held", c.met) })
		b.must(b.mishap.kill(b.lab))
	}
	running.Wait()
	if b.mishap.revive != nil {
		b.must(b.mishap.revive(b.lab))
	}
	b.each(func(c *cell) error { return c.afterwards(b.mishap) })
}

// note notes the error of an operation, which is a mishap's doing if there was
// one.
func (b *batch) note(c *cell, err error) {
	switch {
	case err == nil || b.mishap.kill != nil:
	case b.mishap.fault != nil: // its doing
		b.Logf("%s: %v", c.name(), err)
	default:
		c.failed = true
		b.Errorf("%s: %v", c.name(), err)
	}
}

// met reports whether the call of the cell has met its fault.
func (c *cell) met() (bool, error) { return len(c.FaultsMet()) > 0, nil }

// afterwards notes what the operation called and makes AWS well again.
func (c *cell) afterwards(m mishap) error {
	c.made = sites(c.Sim.Journal()[c.begun:])
	c.Sim.ClearFaults()
	if met, _ := c.met(); m.fault != nil && !met {
		return fmt.Errorf("the operation never made that call: %v", c.made)
	}
	if c.unmounted {
		return nil
	}
	return c.locate()
}

// judged judges the cell as it is now.
func (c *cell) judged(when string) error {
	e, err := c.gather()
	c.found.Add(when, e.Judge())
	return err
}

// age sets all work and all leases that are written down back in time. What Vault
// or the engine write at the same moment may stay as it is.
func (c *cell) age() error {
	return errors.Join(crashtest.Age(c, longAgo, crashtest.Work...), c.ageLeases(longAgo))
}

// endLeases revokes the mount's leases, deletes the static role and sets all
// that is written down back in time.
func (c *cell) endLeases() error {
	if c.unmounted {
		return nil
	}
	c.ending = true
	first := c.firstMount()
	var failed error
	err := c.await("revocation", func() (bool, error) {
		failed = c.write("sys/leases/revoke-prefix/"+first, fields{"sync": true})
		if failed != nil {
			return false, c.age() // what was written meanwhile is young again
		}
		paths, err := c.leasePaths()
		return len(paths) == 0, err
	})
	if err != nil {
		c.found.Leaked = append(c.found.Leaked, fmt.Sprintf("a lease that cannot be revoked: %v", failed))
	}
	var refused error
	err = c.await("deletion of the static role", func() (bool, error) {
		refused = c.remove(c.mount + "/static-roles/app")
		return refused == nil, nil
	})
	if err != nil {
		return errors.Join(err, refused)
	}
	return crashtest.Age(c, agesAgo, crashtest.Work...)
}

// endAll moves the mount, at which it is rolled back, and judges what is left:
// nothing is owned any more.
func (c *cell) endAll() error {
	if c.unmounted {
		return nil
	}
	if err := c.moveTo(c.mount + "-end"); err != nil {
		return err
	}
	if err := c.workDone(crashtest.Work...); err != nil {
		c.found.Leaked = append(c.found.Leaked, err.Error())
	}
	e, err := c.gather()
	c.found.Add("at the end", e.Disowned().Judge())
	return err
}

// reload starts all mounts of the batch anew.
func (b *batch) reload() {
	b.Helper()
	var mounts []string
	for _, c := range b.cells {
		if !c.failed && !c.unmounted {
			mounts = append(mounts, c.mount)
		}
	}
	if len(mounts) > 0 {
		b.must(b.lab.reload(mounts...))
	}
}

func (b *batch) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// report writes the cell's outcome down. What the built-in engine does is shown
// and not judged.
func (b *batch) report(c *cell) {
	b.Helper()
	if c.failed {
		return
	}
	r := crashtest.Result{
		Engine: b.engine.name, Operation: c.op.name, Mishap: b.mishap.name, Site: c.at.String(),
		Verdict: c.found.Verdict(), Details: slices.Concat(c.found.Dead, c.found.Leaked),
	}
	b.must(results.Add(r))
	switch {
	case r.Verdict == crashtest.OK:
	case b.engine == ours:
		b.Error(r)
	default:
		b.Log(r)
	}
}
