package awssim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"time"
)

// certificateAge is how long the certificates of NewTLS are valid, before
// and after the moment they are made.
const certificateAge = 30 * 24 * time.Hour

// NewTLS makes a certificate authority that nobody else trusts and, by it, a
// server's configuration for loopback addresses and localhost. ca is the
// authority's certificate in PEM, for AWS_CA_BUNDLE.
func NewTLS(now time.Time) (config *tls.Config, ca []byte, err error) {
	issuer, issuerKey, err := newCertificate(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: "awssim CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	leaf, key, err := newCertificate(now, &x509.Certificate{
		Subject: pkix.Name{CommonName: "awssim"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, issuer, issuerKey)
	if err != nil {
		return nil, nil, err
	}
	config = &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw, issuer.Raw}, PrivateKey: key}},
	}
	return config, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuer.Raw}), nil
}

// newCertificate completes and signs a certificate; without an issuer it
// signs itself.
func newCertificate(now time.Time, template, issuer *x509.Certificate, issuerKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	if issuer == nil {
		issuer, issuerKey = template, key
	}
	template.NotBefore, template.NotAfter = now.Add(-certificateAge), now.Add(certificateAge)
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, fmt.Errorf("draw serial number: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return nil, nil, fmt.Errorf("sign certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return certificate, key, err
}
