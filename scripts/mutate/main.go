// Mutate breaks the code in one place at a time and shows which test notices.
//
//	go run ./scripts/mutate             every mutation
//	go run ./scripts/mutate L4 L8       those whose name begins so
//
// It works on a copy of the tree in a temporary folder. A test that no mutation
// makes fail proves nothing; a mutation that no test notices shows what is not
// proven. Each other file is a table, by subject; names begin with the invariant
// (L1 to L13, S1, R1 of backend/lifecycle/doc.go, G1 to G5 of backend/governor/doc.go,
// P1 to P4 of the pool) or the known defect (W…) that the row is about.
//
// It prints a line per mutation, then per invariant the tests that caught its
// mutations, and last of all "mutate: N mutations, N caught,
// 0 survived". It fails on a survivor, on a mutation that does not compile or
// whose place in the code is not found exactly once, and if the tests fail
// without any.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(mutateMain(os.Args[1:])) }

// mutateMain is main with an exit code, so that what it defers runs.
func mutateMain(prefixes []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := mutate(ctx, os.Stdout, chosen(prefixes)); err != nil {
		fmt.Fprintln(os.Stdout, "FAIL", err)
		return 1
	}
	return 0
}

// chosen are the mutations whose name begins with one of the prefixes; all if
// there are none.
func chosen(prefixes []string) []mutation {
	all := slices.Concat(issuing, destroying, records, tidying, readiness, keyRotation, working, secrecy, calling, standbys, defects, roleFields, crashes, simulation, governed, ahead, helper, simulator, observed, scaled, diagnosis)
	if len(prefixes) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(m mutation) bool {
		return !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(m.name, p) })
	})
}

// mutate tries every mutation in a copy of the tree.
func mutate(ctx context.Context, out io.Writer, all []mutation) error {
	if len(all) == 0 {
		return fmt.Errorf("no mutation has such a name")
	}
	t, err := copyTree(ctx)
	if err != nil {
		return err
	}
	defer t.remove()
	if err := t.mustPass(ctx, all); err != nil {
		return err
	}
	var problems, survived int
	var verdicts []verdict
	for _, m := range all {
		verdict := t.try(ctx, m)
		verdicts = append(verdicts, verdict)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintln(out, verdict)
		switch verdict.outcome {
		case survives:
			survived++
		case broken:
			problems++
		}
	}
	proofs(out, verdicts)
	fmt.Fprintf(out, "mutate: %d mutations, %d caught, %d survived\n", len(all), len(all)-survived-problems, survived)
	if survived+problems > 0 {
		return fmt.Errorf("%d survived, %d could not be tried", survived, problems)
	}
	return nil
}

// outcome is what became of a mutation.
type outcome string

const (
	caught   outcome = "caught  "
	survives outcome = "SURVIVED"
	broken   outcome = "BROKEN  "
)

// verdict is the outcome of one mutation, and what says so.
type verdict struct {
	mutation mutation
	outcome  outcome
	by       string // the test, or the problem
	took     time.Duration
}

// String is the verdict's line.
func (v verdict) String() string {
	return fmt.Sprintf("%s %5.1fs  %-70s %s", v.outcome, v.took.Seconds(), v.mutation.name, v.by)
}
