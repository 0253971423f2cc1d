// Levels runs the test levels of this repository and sums them up.
//
//	go run ./scripts/levels              every level, with the race detector
//	go run ./scripts/levels e2e mount    these levels
//	go run ./scripts/levels -fast        the fast levels: no race detector, cached results
//
// It prints each level's name and time as the level ends, the output of what
// failed, a SKIP line with its reason for every skipped test, and last of all
// "N passed, M failed, K skipped". Only leaf tests count: a test that has
// subtests counts by them. A package that does not build, or whose process
// dies, counts as a failure, and so does a level in which no test ran.
//
// With REQUIRE_RACE=1 a missing C compiler, without which there is no race
// detector, is a failure too.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var o order
	flag.BoolVar(&o.fast, "fast", false, "the fast levels only, without the race detector")
	flag.Parse()
	o.names = flag.Args()
	os.Exit(levelsMain(o))
}

// levelsMain is main with an exit code, so that what it defers runs.
func levelsMain(o order) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	total, err := run(ctx, os.Stdout, o)
	if err != nil {
		fmt.Fprintln(os.Stdout, "FAIL", err)
		total.failed++
	}
	fmt.Fprintln(os.Stdout, total)
	return min(total.failed, 1)
}
