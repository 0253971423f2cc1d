// Command awssim serves a simulated AWS account on a loopback address.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

const usage = `awssim serves a simulated AWS account: IAM, STS and ec2:DescribeRegions, over
the AWS query protocol, in memory. Nothing leaves this machine.

It prints one line of JSON with the endpoint and an administrator's access key,
then serves until it is interrupted:

  {"endpoint":"http://127.0.0.1:4566","account":"123456789012","region":"us-east-1","access_key":"AKIA…","secret_key":"…"}

  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=us-east-1 \
    aws --endpoint-url http://127.0.0.1:4566 iam list-users

The control API looks into the account and makes it misbehave:

  curl http://127.0.0.1:4566/_sim/state
  curl http://127.0.0.1:4566/_sim/journal
  curl -d '{"action":"iam:CreateUser","kind":"error","status":503,"count":1}' http://127.0.0.1:4566/_sim/faults

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "awssim:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	listen  string
	options awssim.Options
}

// run serves until ctx ends. It returns nil after an orderly end.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	listener, err := listenLoopback(ctx, cfg.listen)
	if err != nil {
		return err
	}
	sim := awssim.New(cfg.options)
	server := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if err := announce(stdout, listener, sim, cfg.options.Region); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	sim.Close()
	return server.Close()
}

func parseFlags(args []string, stderr io.Writer) (config, error) {
	var cfg config
	flags := flag.NewFlagSet("awssim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&cfg.listen, "listen", "127.0.0.1:0", "loopback `address` to listen on; port 0 takes a free one")
	flags.StringVar(&cfg.options.Account, "account", "123456789012", "twelve-digit `id` of the account")
	flags.StringVar(&cfg.options.Region, "region", "us-east-1", "`region` that is announced; it decides the account's partition")
	flags.DurationVar(&cfg.options.Settings.Latency, "latency", 0, "`duration` that every call waits, such as 80ms")
	flags.Uint64Var(&cfg.options.Seed, "seed", 0, "`number` that ids and secrets follow from; 0 draws them at random")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("unexpected argument %q (see -h)", flags.Arg(0))
	}
	return cfg, cfg.options.Validate()
}

// listenLoopback refuses addresses that others could reach: the control API
// asks for no credentials.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("-listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-listen %s: only loopback addresses are served, such as 127.0.0.1:0", address)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// announcement is the one line that a script reads.
type announcement struct {
	Endpoint  string `json:"endpoint"`
	Account   string `json:"account"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

func announce(w io.Writer, listener net.Listener, sim *awssim.Sim, region string) error {
	admin := sim.Admin()
	return json.NewEncoder(w).Encode(announcement{
		Endpoint: "http://" + listener.Addr().String(), Account: admin.Account, Region: region,
		AccessKey: admin.AccessKey, SecretKey: admin.SecretKey,
	})
}
