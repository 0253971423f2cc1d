package awsclient

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"vault-plugin-secrets-aws/backend/governor"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// idleTimeout is below the time after which AWS's endpoints close an idle
	// connection, so that requests seldom meet one that is just closing.
	idleTimeout = 20 * time.Second
	// idlePerHost keeps the connections of a burst for the next one: as many as
	// there can be calls in flight.
	idlePerHost = governor.MostInFlight
	// sessionsKept is of how many hosts the TLS session is kept.
	sessionsKept = 64
	// headerTimeout is how long a call may stay without an answer.
	headerTimeout = 15 * time.Second
)

type transporter interface{ GetTransport() *http.Transport }

// pooled is the SDK's client with keep-alive and TLS session reuse.
func pooled() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.IdleConnTimeout = idleTimeout
		tr.MaxIdleConnsPerHost = idlePerHost
		tr.MaxIdleConns = 0 // no limit: hosts are few
		tr.ResponseHeaderTimeout = headerTimeout
		tr.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(sessionsKept)
	})
}

// transport is the one that was given, or one of our own.
func (s Settings) transport() (http.RoundTripper, error) {
	if s.Transport != nil {
		return s.Transport, nil
	}
	return trustingTransport()
}

// trustingTransport is pooled with the certificates of AWS_CA_BUNDLE, as the
// SDK's default chain reads it.
func trustingTransport() (*connections, error) {
	roots, err := customRoots()
	if err != nil {
		return nil, err
	}
	transport := pooled().GetTransport()
	transport.TLSClientConfig.RootCAs = roots
	return connecting(transport), nil
}

// customRoots are the certificates of AWS_CA_BUNDLE; nil, which stands for the
// system's, if it is not set.
func customRoots() (*x509.CertPool, error) {
	path := os.Getenv("AWS_CA_BUNDLE")
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read AWS_CA_BUNDLE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read AWS_CA_BUNDLE: %s holds no certificate in PEM form", path)
	}
	return roots, nil
}

// withoutRedirects never sends a signed request where a server points, and takes
// for an answer only what is one of AWS.
func withoutRedirects(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     answers{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
