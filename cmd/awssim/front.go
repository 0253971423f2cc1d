package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// front is what clients connect to.
type front struct {
	listener net.Listener
	scheme   string
	ca       string // path; "" without TLS
}

func (c *config) open(ctx context.Context, sim *awssim.Sim) (*front, error) {
	listener, err := listenLoopback(ctx, c.listen)
	if err != nil {
		return nil, err
	}
	listener = sim.Listener(listener, c.handshake)
	if !c.tls {
		return &front{listener, "http", ""}, nil
	}
	settings, ca, err := awssim.NewTLS(time.Now())
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	path, err := writeCA(ca)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return &front{tls.NewListener(listener, settings), "https", path}, nil
}

// writeCA puts the authority's certificate where AWS_CA_BUNDLE can find it.
func writeCA(ca []byte) (string, error) {
	folder, err := os.MkdirTemp("", "awssim-")
	if err != nil {
		return "", fmt.Errorf("make folder for the CA: %w", err)
	}
	path := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(path, ca, 0o600); err != nil {
		return "", fmt.Errorf("write the CA: %w", err)
	}
	return path, nil
}

// forget removes the authority's certificate.
func (f *front) forget() {
	if f.ca != "" {
		_ = os.RemoveAll(filepath.Dir(f.ca)) // it is in the system's folder for temporary files
	}
}

// loadState takes the state from a file; one that is not there is not an
// error.
func loadState(sim *awssim.Sim, path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("-state: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if err := sim.Load(file); err != nil {
		return fmt.Errorf("-state %s: %w", path, err)
	}
	return nil
}

// saveState puts the state into a file, whole or not at all.
func saveState(sim *awssim.Sim, path string) error {
	if path == "" {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("-state: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone already if all went well
	if err := errors.Join(sim.Save(file), file.Close()); err != nil {
		return fmt.Errorf("-state %s: %w", path, err)
	}
	return os.Rename(file.Name(), path)
}
