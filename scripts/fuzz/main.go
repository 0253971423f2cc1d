// Fuzz runs every fuzz target of this repository for a while.
//
//	go run ./scripts/fuzz 20s            every target
//	go run ./scripts/fuzz 5m Role Merge  those whose names contain one of the words
//
// It prints a line per target, the output of what failed, and last of all
// "fuzz: T targets, FUZZTIME each, F failures". What makes a target fail is kept
// by go test under testdata/fuzz beside it, where every later test runs it
// again. Without fuzzing the seeds are ordinary tests.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(fuzzMain(os.Args[1:])) }

// fuzzMain is main with an exit code, so that what it defers runs.
func fuzzMain(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := fuzz(ctx, os.Stdout, args); err != nil {
		fmt.Fprintln(os.Stdout, "FAIL", err)
		return 1
	}
	return 0
}

// target is one fuzz function.
type target struct{ pkg, name string }

// fuzz runs the targets that the arguments choose: a duration, then words.
func fuzz(ctx context.Context, out io.Writer, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say for how long to run each target, such as 20s")
	}
	each, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	all, err := targets(ctx)
	if err != nil {
		return err
	}
	all = chosen(all, args[1:])
	failures := 0
	for _, t := range all {
		said, err := t.run(ctx, each)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failures++
			fmt.Fprintf(out, "FAIL  %s %s: %v\n%s", t.pkg, t.name, err, said)
			continue
		}
		fmt.Fprintf(out, "ok    %s %s: %s\n", t.pkg, t.name, tally(said))
	}
	fmt.Fprintf(out, "fuzz: %d targets, %s each, %d failures\n", len(all), each, failures)
	if failures > 0 || len(all) == 0 {
		return fmt.Errorf("%d of %d targets", failures, len(all))
	}
	return nil
}

// targets are all fuzz functions of this module.
func targets(ctx context.Context) ([]target, error) {
	said, err := goTool(ctx, "test", "-list", "^Fuzz", "./...")
	if err != nil {
		return nil, fmt.Errorf("list the targets: %w\n%s", err, said)
	}
	return parseTargets(said), nil
}

// parseTargets reads what go test -list says: names, then the package's line.
func parseTargets(listed string) (all []target) {
	var names []string
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && strings.HasPrefix(fields[0], "Fuzz"):
			names = append(names, fields[0])
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				all = append(all, target{fields[1], name})
			}
			names = nil
		}
	}
	return all
}

// chosen are the targets whose name contains one of the words; all if there are
// none.
func chosen(all []target, words []string) []target {
	if len(words) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(t target) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.Contains(t.name, word) })
	})
}

// run fuzzes one target. Interesting inputs are hardly made smaller: where
// goroutines make the coverage vary, go test would spend all its time on that.
func (t target) run(ctx context.Context, each time.Duration) (string, error) {
	return goTool(ctx, "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", each.String(), "-fuzzminimizetime", "20x", t.pkg)
}

func goTool(ctx context.Context, args ...string) (string, error) {
	said, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	return string(said), err
}

// tally is the last that the fuzzer said of its progress.
func tally(said string) string {
	last := "no progress was reported"
	for line := range strings.Lines(said) {
		if _, progress, ok := strings.Cut(line, "fuzz: elapsed: "); ok {
			last = strings.TrimSpace(progress)
		}
	}
	return last
}
