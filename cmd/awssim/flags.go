package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

const usage = `awssim serves a simulated AWS account: IAM, STS, ec2:DescribeRegions and the
console's sign-in, in memory. Nothing leaves this machine.

It prints one line of JSON with the endpoint and an administrator's access key,
then serves until it is interrupted:

  {"endpoint":"http://127.0.0.1:4566","account":"123456789012","region":"us-east-1","access_key":"AKIA…","secret_key":"…"}

  AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… AWS_REGION=us-east-1 \
    aws --endpoint-url http://127.0.0.1:4566 iam list-users

The control API looks into the account and makes it misbehave (docs/simulator.md):

  curl http://127.0.0.1:4566/_sim/state
  curl http://127.0.0.1:4566/_sim/journal
  curl -d '{"action":"iam:CreateUser","kind":"error","status":503,"count":1}' http://127.0.0.1:4566/_sim/faults
  curl -d '{"user":"ada","act":"add-login"}' http://127.0.0.1:4566/_sim/interfere
  curl -d '{"preset":"hostile"}' http://127.0.0.1:4566/_sim/preset

Flags:
`

// config is what the flags say.
type config struct {
	listen    string
	tls       bool
	handshake time.Duration
	state     string
	options   awssim.Options
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
	flags.BoolVar(&cfg.tls, "tls", false, "serve HTTPS by a generated authority, whose certificate's path is announced as \"ca\"")
	flags.DurationVar(&cfg.handshake, "handshake-delay", 0, "`duration` that every new connection costs, such as 60ms")
	flags.StringVar(&cfg.state, "state", "", "`file` to load the accounts from, if it is there, and to save them to at the end")
	flags.StringVar(&cfg.options.Account, "account", "123456789012", "twelve-digit `id` of the account")
	flags.StringVar(&cfg.options.Region, "region", "us-east-1", "`region` that is announced; it decides the account's partition")
	preset := flags.String("preset", "ideal", "how AWS feels: `name` of "+strings.Join(awssim.PresetNames(), ", "))
	latency := flags.Duration("latency", 0, "`duration` that every call waits, such as 80ms, instead of the preset's")
	flags.Uint64Var(&cfg.options.Seed, "seed", 0, "`number` that ids, secrets and chance follow from; 0 draws ids and secrets at random")
	flags.Func("signatures", "verified, or `believed`: whoever names an access key is its owner (default verified)", cfg.signatures)
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if flags.NArg() > 0 {
		return cfg, fmt.Errorf("unexpected argument %q (see -h)", flags.Arg(0))
	}
	if err := cfg.settle(*preset, *latency); err != nil {
		return cfg, err
	}
	return cfg, cfg.options.Validate()
}

// settle makes settings of what the flags say of them.
func (c *config) settle(preset string, latency time.Duration) error {
	settings, err := awssim.Preset(preset)
	if err != nil {
		return err
	}
	if latency != 0 {
		settings.Latency, settings.LatencyMost = latency, latency
	}
	c.options.Settings = settings
	if c.handshake < 0 {
		return errors.New("-handshake-delay must not be negative")
	}
	return nil
}

// signatures takes the flag's word for the default.
func (c *config) signatures(text string) error {
	if text == "verified" {
		text = ""
	}
	c.options.Signatures = awssim.Signatures(text)
	return nil
}
