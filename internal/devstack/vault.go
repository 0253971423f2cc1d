package devstack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

const (
	// vaultStart is how long a Vault server may take to answer; an idle
	// machine needs a fifth of a second.
	vaultStart = 60 * time.Second

	// portTries is how often another port is tried: between our finding a free
	// one and Vault's listening on it somebody else may take it.
	portTries = 3
)

// startVault starts the Vault server on a free port.
func (s *Stack) startVault(ctx context.Context, extraEnv []string) error {
	if err := s.writeVaultConfig(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	for range portTries {
		if err := s.tryVault(extraEnv); err != nil {
			return err
		}
		if s.awaitVault(ctx) {
			return nil
		}
		s.vault.stop()
	}
	return fmt.Errorf("the Vault server %s did not come up:\n%s", s.Binaries.Vault, s.vault.output())
}

// tryVault starts the server once, without waiting for it.
func (s *Stack) tryVault(extraEnv []string) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	args := []string{
		"server", "-dev",
		"-dev-root-token-id=" + RootToken,
		"-dev-listen-address=" + address,
		"-dev-no-store-token",
		"-config=" + s.path("vault.json"),
	}
	s.VaultAddr = "http://" + address
	if s.VaultCA != "" {
		args = append(args, "-dev-tls", "-dev-tls-cert-dir="+filepath.Dir(s.VaultCA))
		s.VaultAddr = "https://" + address
	}
	cmd := exec.Command(s.Binaries.Vault, args...)
	cmd.Env = slices.Concat(s.env(), s.trustEnv(), extraEnv)
	s.vault, err = startProcess(cmd, s.path("vault.log"))
	return err
}

// writeVaultConfig writes what the command line has no flag for. The flag
// -dev-plugin-dir would register every plugin by itself, without a version.
func (s *Stack) writeVaultConfig() error {
	config, err := json.Marshal(s.vaultConfig())
	if err != nil {
		return err
	}
	return os.WriteFile(s.path("vault.json"), config, 0o600)
}

// vaultConfig is what every Vault server is configured with.
func (s *Stack) vaultConfig() map[string]any {
	return map[string]any{
		"plugin_directory":     s.Binaries.PluginDir,
		"raw_storage_endpoint": true, // tests age journal entries through it
		"disable_mlock":        true,
		"log_level":            s.logLevel,
	}
}

// awaitVault waits until the server is unsealed and active. It reports false
// when the server has ended or time is up.
func (s *Stack) awaitVault(ctx context.Context) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.vault.ended() {
		if s.healthy(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return false
}

// healthy reports whether the server is unsealed and active.
func (s *Stack) healthy(ctx context.Context) bool {
	client, err := s.client()
	if err != nil {
		return false // the server writes its certificates as it starts
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.VaultAddr+"/v1/sys/health", nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// client trusts the server's certificate.
func (s *Stack) client() (*http.Client, error) {
	if s.VaultCA == "" {
		return http.DefaultClient, nil
	}
	ca, err := os.ReadFile(s.VaultCA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("no certificate in %s", s.VaultCA)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}, nil
}

// freeAddress is a loopback address at which nobody listens at the moment.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
