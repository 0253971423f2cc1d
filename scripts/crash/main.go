// Crash runs the crash matrix and prints its table.
//
//	go run ./scripts/crash
//
// Every operation meets every mishap: at each AWS call and at each event of
// Vault's side in internal/e2e/crash, with this engine and with Vault's built-in
// one; at each storage write in backend. Last come every cell that went wrong,
// the built-in engine's sum, and "crash: C cases, L leaked, D dead" of this one.
// It fails if anything of this engine leaked or died, or a test failed.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"vault-plugin-secrets-aws/internal/crashtest"
)

func main() { os.Exit(crashMain()) }

// crashMain is main with an exit code, so that what it defers runs.
func crashMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "crash")
	if err != nil {
		fmt.Fprintln(os.Stdout, "FAIL", err)
		return 1
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "results")
	failed := run(ctx, "./backend", "-run=^TestCrash", "-parallel=32", "-full", "-results="+file)
	failed = run(ctx, "./internal/e2e/crash", "-parallel=8", "-full", "-results="+file) || failed
	if failed {
		fmt.Fprintln(os.Stdout, "FAIL")
	}
	if err := table(file); err != nil {
		fmt.Fprintln(os.Stdout, "FAIL", err)
		return 1
	}
	if failed {
		return 1
	}
	return 0
}

// run runs the tests of a package and reports whether they failed.
func run(ctx context.Context, pkg string, flags ...string) (failed bool) {
	args := append([]string{"test", "-count=1", "-timeout=60m", pkg}, flags...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run() != nil
}

// table prints what the tests have written down.
func table(file string) error {
	in, err := os.Open(file)
	if err != nil {
		return err
	}
	defer in.Close()
	all, err := crashtest.Read(in)
	if err != nil {
		return err
	}
	crashtest.Table(os.Stdout, all, "ours", "built-in")
	return nil
}
