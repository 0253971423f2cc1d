// Endure runs the plugin for long, under load and with things dying:
//
//	go run ./scripts/endure ha 50        so many leader changes of a raft cluster
//	go run ./scripts/endure soak 20000   so many lifecycles on a hostile AWS
//	go run ./scripts/endure load 1m      200 clients at once on an AWS that throttles
//
// The last line sums up; the exit code is 1 if anything leaked, was lost or
// unexpected. Package internal/endurance says what is done and counted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
	"vault-plugin-secrets-aws/internal/endurance"
)

var errUsage = errors.New("usage: endure ha CHANGES | soak LIFECYCLES | load DURATION")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "endure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errUsage
	}
	binaries, err := devstack.Find()
	if err != nil {
		return err
	}
	switch args[0] {
	case "ha":
		return ha(ctx, out, binaries, args[1])
	case "soak":
		return soak(ctx, out, binaries, args[1])
	case "load":
		return load(ctx, out, binaries, args[1])
	}
	return errUsage
}

func ha(ctx context.Context, out io.Writer, binaries devstack.Binaries, changes string) error {
	n, err := strconv.Atoi(changes)
	if err != nil {
		return err
	}
	report, err := endurance.HA(ctx, endurance.HASpec{Binaries: binaries, Changes: n, Out: out})
	return finish(out, report, errors.Join(err, report.Err()))
}

func soak(ctx context.Context, out io.Writer, binaries devstack.Binaries, lifecycles string) error {
	n, err := strconv.Atoi(lifecycles)
	if err != nil {
		return err
	}
	report, err := endurance.Soak(ctx, endurance.SoakSpec{Binaries: binaries, Lifecycles: n, Out: out})
	return finish(out, report, errors.Join(err, report.Err()))
}

func load(ctx context.Context, out io.Writer, binaries devstack.Binaries, duration string) error {
	d, err := time.ParseDuration(duration)
	if err != nil {
		return err
	}
	report, err := endurance.Load(ctx, endurance.LoadSpec{Binaries: binaries, Duration: d})
	return finish(out, report, errors.Join(err, report.Err()))
}

// report is what a run ends with.
type report interface {
	fmt.Stringer       // the closing line
	Details() []string // what a reader may want to know besides
}

// finish prints a report, its closing line last.
func finish(out io.Writer, r report, err error) error {
	for _, line := range r.Details() {
		fmt.Fprintln(out, line)
	}
	if err != nil {
		fmt.Fprintln(out, "FAIL", err)
	}
	fmt.Fprintln(out, r)
	return err
}
