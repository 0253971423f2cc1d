// Command vault-aws-credentials reads AWS credentials from Vault and prints them
// in a form that AWS's tools take:
//
//	vault-aws-credentials aws/sts/app                          for credential_process in ~/.aws/config
//	eval "$(vault-aws-credentials -format=env aws/sts/app ttl=1h)"
//	vault-aws-credentials -format=ini -profile=app aws/sts/app >> ~/.aws/credentials
//
// Path and parameters are those of vault read. Vault is reached as the vault
// command does it, by VAULT_ADDR, VAULT_NAMESPACE, VAULT_CACERT and so on, or by
// flags, since programs that run a credential_process may have another
// environment. docs/aws-tools.md shows it at work.
//
// Exit codes: 0, credentials are on standard output; 1, there are none, and
// standard error says why; 2, wrong usage.
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
	"time"
)

// patience is how long all may take: the SDKs give a credential process a minute.
const patience = 55 * time.Second

// Set by the linker.
var (
	version = "v0.0.0-dev"
	commit  = "unknown"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main with an exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	text, err := o.text(ctx)
	if err == nil {
		_, err = io.WriteString(stdout, text)
	}
	if err != nil {
		fmt.Fprintln(stderr, "vault-aws-credentials:", err)
		return 1
	}
	return 0
}

// text is what is printed on standard output.
func (o options) text(ctx context.Context) (string, error) {
	c, err := o.fetch(ctx)
	if err != nil {
		return "", err
	}
	return o.format.render(c, o.profile)
}
