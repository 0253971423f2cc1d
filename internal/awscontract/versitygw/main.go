// Command versitygw runs the IAM and STS test suite of versitygw v1.8.0,
// which others wrote against their own reading of AWS, against the simulator.
//
// It prints the score of each group and closes with one line,
//
//	versitygw: P passed, F failed, S skipped of 480
//
// and fails when a case fails that skips has no reason for, and when a case
// passes that skips says cannot.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/versity/versitygw/tests/integration"

	"vault-plugin-secrets-aws/internal/awssim"
)

// What the suite takes for granted about whom it talks to.
const (
	account = "000000000000"
	region  = "us-east-1"
	skew    = 15 * time.Minute
)

func main() {
	failed, err := run(context.Background(), os.Stdout) //nolint:forbidigo // the root context of main
	if err != nil {
		fmt.Fprintln(os.Stderr, "versitygw:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

// run reports whether anything is not as it has to be.
func run(ctx context.Context, w io.Writer) (bool, error) {
	if err := forgetAWS(); err != nil {
		return false, err
	}
	sim := awssim.New(awssim.Options{
		Account: account, Region: region, Dialect: awssim.DialectVersitygw,
		Settings: awssim.Settings{MaxSkew: skew},
	})
	server := httptest.NewServer(sim)
	defer server.Close()
	defer sim.Close()
	root := sim.RootKey(account)
	conf := integration.NewS3Conf(
		integration.WithAccess(root.AccessKey), integration.WithSecret(root.SecretKey), integration.WithRegion(region),
		integration.WithEndpoint(server.URL), integration.WithIAMEndpoint(server.URL))
	var total score
	for _, g := range groups() {
		cases, err := capture(func() { g.run(integration.NewTestState(ctx, conf, false)) })
		if err != nil {
			return false, err
		}
		total.add(w, g.name, cases)
	}
	return total.close(w), nil
}

// forgetAWS takes the environment's AWS settings away: the suite's clients
// would heed them.
func forgetAWS() error {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}
