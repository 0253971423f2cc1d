package devstack

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// systemRoots is where systems keep the authorities they trust, in one file. Of
// those Go knows (crypto/x509, root_linux.go), the most common.
var systemRoots = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// trustSim has every process started from now on, and our own client, trust the
// authority of a simulator that serves TLS, besides the system's.
func (s *Stack) trustSim() error {
	if s.Sim.CA == "" {
		s.Sim.HTTP = http.DefaultClient
		return nil
	}
	ca, err := os.ReadFile(s.Sim.CA)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return fmt.Errorf("no certificate in %s", s.Sim.CA)
	}
	s.Sim.HTTP = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 256,
	}}
	return os.WriteFile(s.path("roots.pem"), bytes.Join([][]byte{ca, systemBundle()}, []byte("\n")), 0o600)
}

// systemBundle is what the system trusts, as far as it is in one file.
func systemBundle() []byte {
	for _, name := range systemRoots {
		if pem, err := os.ReadFile(name); err == nil {
			return pem
		}
	}
	return nil
}

// trustEnv is what has a process trust the simulator.
func (s *Stack) trustEnv() []string {
	if s.Sim == nil || s.Sim.CA == "" {
		return nil
	}
	return []string{"SSL_CERT_FILE=" + s.path("roots.pem")}
}
