// Bench measures this engine beside Vault's built-in one and writes
// docs/benchmarks.json, and docs/benchmarks.md from it:
//
//	go run ./scripts/bench                 everything, a quarter of an hour
//	go run ./scripts/bench -short          as few runs as there can be; writes nothing
//	go run ./scripts/bench sts overhead    these scenes only; writes nothing
//	go run ./scripts/bench -check          do the documents say what the figures say?
//	go run ./scripts/bench -render         writes docs/benchmarks.md anew, after its own text has changed
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

// docs is where the documents are.
const docs = "docs"

func main() {
	short := flag.Bool("short", false, "as few runs as there can be; writes nothing")
	check := flag.Bool("check", false, "only check that the documents say what the figures say")
	render := flag.Bool("render", false, "only write the document anew from the figures")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	spec := bench.Spec{Out: os.Stdout, Scenes: flag.Args()}
	if *short {
		spec.Quick = bench.Short
	}
	var err error
	switch {
	case *check:
		err = agree(spec.Out)
	case *render:
		err = bench.Rewrite(docs)
	case *short || flag.NArg() > 0:
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

// agree checks the documents and prints the closing line.
func agree(out io.Writer) error {
	report, err := bench.Check(docs)
	if err == nil {
		_, err = fmt.Fprintln(out, report)
	}
	return err
}

// try measures and prints.
func try(ctx context.Context, spec bench.Spec) error {
	report, err := measure(ctx, spec)
	if err != nil {
		return err
	}
	bench.Print(spec.Out, report.Measures)
	_, err = fmt.Fprintln(spec.Out, report)
	return err
}

// publish measures and writes the documents.
func publish(ctx context.Context, spec bench.Spec) error {
	report, err := measure(ctx, spec)
	if err != nil {
		return err
	}
	if err := bench.Write(docs, report); err != nil {
		return err
	}
	return agree(spec.Out)
}

func measure(ctx context.Context, spec bench.Spec) (report bench.Report, err error) {
	if spec.Binaries, err = devstack.Find(); err != nil {
		return report, err
	}
	return bench.Run(ctx, spec)
}
