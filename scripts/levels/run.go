package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// errNoLevel is what becomes of a level whose tests are not there: a level
// never passes silently.
var errNoLevel = errors.New("level did not run")

// A suite runs levels one after the other and reports each as it ends.
type suite struct {
	out   io.Writer
	known []string // every package of the module
	flags []string // of go test
	env   []string
}

// An order is what the command line asks for.
type order struct {
	fast  bool
	names []string // of levels; none stands for all
}

// run runs the levels asked for and adds up their tests. Its error is what kept
// levels from running.
func run(ctx context.Context, out io.Writer, o order) (tally, error) {
	var total tally
	chosen, err := choose(levels, o.names)
	if err != nil {
		return total, err
	}
	s := suite{out: out}
	if o.fast {
		chosen, s.flags = fastOnes(chosen), []string{"-short"}
	} else if s.flags, s.env, err = thorough(out); err != nil {
		return total, err
	}
	if s.known, err = packages(ctx); err != nil {
		return total, err
	}
	for _, l := range chosen {
		total = total.add(s.level(ctx, l))
	}
	return total, ctx.Err()
}

// packages lists the module.
func packages(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// level runs one level and reports it.
func (s *suite) level(ctx context.Context, l level) tally {
	var r results
	begin := time.Now()
	var failed error
	for _, sel := range l.runs {
		failed = errors.Join(failed, s.gotest(ctx, sel, &r))
	}
	t := r.count()
	if t.ran() == 0 {
		failed = errors.Join(failed, errNoLevel)
	}
	if failed != nil && t.failed == 0 {
		t.failed++
	}
	s.report(&r, t, failed)
	fmt.Fprintf(s.out, "level %-9s %5.1f s  %v\n", l.name, time.Since(begin).Seconds(), t)
	return t
}

// report prints what a reader has to act on.
func (s *suite) report(r *results, t tally, failed error) {
	if t.failed > 0 {
		fmt.Fprint(s.out, r.failures())
	}
	if failed != nil {
		fmt.Fprintln(s.out, "FAIL", failed)
	}
	for _, line := range slices.Concat(r.skips(), r.notes()) {
		fmt.Fprintln(s.out, line)
	}
}

// gotest runs one go test command. That tests fail is no error here.
func (s *suite) gotest(ctx context.Context, sel selection, r *results) error {
	cmd := exec.CommandContext(ctx, "go", s.args(sel)...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Stderr = s.out
	// Interrupted, go test passes the signal on, so that tests clean up.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	before := r.count().failed
	err = errors.Join(read(pipe, r), cmd.Wait())
	if err == nil || r.count().failed > before {
		return nil
	}
	return fmt.Errorf("go test: %w", err)
}

// args is the command line of go. Vet is left to make check.
func (s *suite) args(sel selection) []string {
	args := []string{"test"}
	if sel.folder != "" {
		args = append(args, "-C", sel.folder)
	}
	args = append(append(args, "-json", "-vet=off", "-timeout=15m"), s.flags...)
	if sel.run != "" {
		args = append(args, "-run", sel.run)
	}
	if sel.skip != "" {
		args = append(args, "-skip", sel.skip)
	}
	if sel.parallel > 0 {
		args = append(args, fmt.Sprintf("-parallel=%d", sel.parallel))
	}
	if sel.ordered {
		args = append(args, "-race=false")
	}
	return append(args, importPaths(sel, levels, s.known)...)
}

// read takes in the events of go test. A line that is none, as go itself
// prints when it cannot start, becomes part of the error.
func read(in io.Reader, r *results) error {
	var failed error
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20) // a test may print long lines
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			failed = errors.Join(failed, errors.New(lines.Text()))
			continue
		}
		r.record(e)
	}
	return errors.Join(failed, lines.Err())
}
