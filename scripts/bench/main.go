// Bench measures this engine beside Vault's built-in one and writes
// docs/benchmarks.json, and docs/benchmarks.md from it:
//
//	go run ./scripts/bench                 everything, a quarter of an hour
//	go run ./scripts/bench -short          as few runs as there can be; writes nothing
//	go run ./scripts/bench sts overhead    these scenes only; writes nothing
//	go run ./scripts/bench -check          do the documents say what the figures say?
//
// Package internal/bench says what is measured. The last line sums up; a missed
// target is no failure.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"vault-plugin-secrets-aws/internal/bench"
	"vault-plugin-secrets-aws/internal/devstack"
)

func main() {
	short := flag.Bool("short", false, "as few runs as there can be; writes nothing")
	check := flag.Bool("check", false, "only check that the documents say what the figures say")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := error(nil)
	switch spec := (bench.Spec{Out: os.Stdout, Scenes: flag.Args()}); {
	case *check:
		err = bench.Check("docs")
	case *short:
		spec.Quick = bench.Short
		err = try(ctx, spec)
	case flag.NArg() > 0:
		err = try(ctx, spec)
	default:
		err = publish(ctx, spec)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// try measures and prints.
func try(ctx context.Context, spec bench.Spec) error {
	report, err := measure(ctx, spec)
	if err != nil {
		return err
	}
	bench.Print(spec.Out, report.Measures)
	return finish(spec.Out, report)
}

// publish measures and writes the documents.
func publish(ctx context.Context, spec bench.Spec) error {
	report, err := measure(ctx, spec)
	if err != nil {
		return err
	}
	if err := bench.Write("docs", report); err != nil {
		return err
	}
	if err := bench.Check("docs"); err != nil {
		return err
	}
	return finish(spec.Out, report)
}

func measure(ctx context.Context, spec bench.Spec) (report bench.Report, err error) {
	if spec.Binaries, err = devstack.Find(); err != nil {
		return report, err
	}
	return bench.Run(ctx, spec)
}

func finish(out io.Writer, report bench.Report) error {
	_, err := fmt.Fprintln(out, report)
	return err
}
