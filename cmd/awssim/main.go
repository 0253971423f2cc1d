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
	"os"
	"os/signal"
	"syscall"

	"vault-plugin-secrets-aws/internal/awssim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "awssim:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It returns nil after an orderly end.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	sim := awssim.New(cfg.options)
	if err := loadState(sim, cfg.state); err != nil {
		return err
	}
	front, err := cfg.open(ctx, sim)
	if err != nil {
		return err
	}
	defer front.forget()
	server := sim.Server()
	served := make(chan error, 1)
	go func() { served <- server.Serve(front.listener) }()
	if err := front.announce(stdout, sim.Admin(), cfg.options.Region); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	sim.Close()
	return errors.Join(server.Close(), saveState(sim, cfg.state))
}

// announcement is the one line that a script reads.
type announcement struct {
	Endpoint  string `json:"endpoint"`
	Account   string `json:"account"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	CA        string `json:"ca,omitempty"` // path of the certificate to trust, with -tls
}

func (f *front) announce(w io.Writer, admin awssim.Credentials, region string) error {
	return json.NewEncoder(w).Encode(announcement{
		Endpoint: f.scheme + "://" + f.listener.Addr().String(), Account: admin.Account, Region: region,
		AccessKey: admin.AccessKey, SecretKey: admin.SecretKey, CA: f.ca,
	})
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
