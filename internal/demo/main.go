// Demo shows the engine to a newcomer: a real Vault server with the plugin, on
// an AWS account that is simulated on this machine.
//
//	go run ./internal/demo             show, then stay up until Ctrl-C
//	go run ./internal/demo -oneshot    show and exit
//
// make demo builds what it needs and runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"vault-plugin-secrets-aws/internal/devstack"
)

func main() {
	oneshot := flag.Bool("oneshot", false, "exit after the show")
	flag.Parse()
	show := tourAndStay
	if *oneshot {
		show = tour
	}
	signal.Ignore(syscall.SIGPIPE) // piped into head, it still cleans up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Stdout, show)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run starts everything, shows it, and stops it again.
func run(ctx context.Context, out io.Writer, show func(context.Context, io.Writer, *devstack.Stack) error) error {
	fmt.Fprint(out, intro)
	binaries, err := devstack.FindBuilt()
	if err != nil {
		return err
	}
	if binaries.Vault, err = chooseVault(ctx, out, binaries.Root); err != nil {
		return err
	}
	stack, err := devstack.Start(ctx, devstack.Spec{Binaries: binaries})
	if err != nil {
		return err
	}
	err = show(ctx, out, stack)
	if ctx.Err() != nil {
		err = nil // Ctrl-C is how a demo ends, whatever it was about to do
	}
	return errors.Join(err, stack.Stop())
}

// tourAndStay is the tour, after which Vault is the visitor's until Ctrl-C.
func tourAndStay(ctx context.Context, out io.Writer, stack *devstack.Stack) error {
	if err := tour(ctx, out, stack); err != nil {
		return err
	}
	invite(out, stack)
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping Vault and the simulator.")
	return nil
}

// invite says what to try.
func invite(out io.Writer, stack *devstack.Stack) {
	fmt.Fprintf(out, `It is yours until Ctrl-C. In another terminal:

  export VAULT_ADDR=%s
  export VAULT_TOKEN=%s
  alias vault=%s

  vault path-help aws
  vault read aws/creds/reader          # a new IAM user, every time
  vault list aws/roles
  vault lease revoke -prefix -sync aws/creds/reader
  curl -s %s/_sim/state     # what the simulated AWS holds
  curl -s %[4]s/_sim/journal   # what it was asked

Any AWS client works on it too:

  AWS_ENDPOINT_URL=%[4]s AWS_REGION=%s \
  AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... aws sts get-caller-identity
`, stack.VaultAddr, devstack.RootToken, stack.Binaries.Vault, stack.Sim.Endpoint, stack.Sim.Region)
}

const intro = `The AWS account of this demo is simulated. Nothing leaves this machine.
It behaves like AWS: calls take 60 to 150 ms, IAM shows changes only after some
seconds, and too many calls at once are throttled (docs/simulator.md).

`
