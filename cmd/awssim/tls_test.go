package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// served is a run of the command in process.
type served struct {
	announcement
	stop func() error
}

func serve(t *testing.T, args ...string) served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, writer, io.Discard)
		_ = writer.CloseWithError(err) // an error ends the wait for the line
		ended <- err
	}()
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	out := served{stop: func() error { cancel(); return <-ended }}
	if err := json.Unmarshal(line, &out.announcement); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	return out
}

func (s served) iam(t *testing.T, client *awshttp.BuildableClient) *iam.Client {
	t.Helper()
	cfg := simtest.Config(s.Endpoint, awssim.Credentials{AccessKey: s.AccessKey, SecretKey: s.SecretKey})
	cfg.HTTPClient = client
	return iam.NewFromConfig(cfg)
}

// TestTLS: the announced authority is all that a client has to trust.
func TestTLS(t *testing.T) {
	s := serve(t, "-tls", "-handshake-delay", "1ms", "-preset", "ideal")
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(s.CA)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("CA %q: %v", s.CA, err)
	}
	trusting := awshttp.NewBuildableClient().WithTransportOptions(func(transport *http.Transport) {
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	})
	if _, err := s.iam(t, trusting).ListUsers(t.Context(), &iam.ListUsersInput{}); err != nil {
		t.Error(err)
	}
	if _, err := s.iam(t, awshttp.NewBuildableClient()).ListUsers(t.Context(), &iam.ListUsersInput{}); err == nil {
		t.Error("a client that does not know the authority was served")
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.CA); !os.IsNotExist(err) {
		t.Errorf("the CA is left: %v", err)
	}
}

// TestState: what one run made, the next one has.
func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	first := serve(t, "-state", file)
	plain := awshttp.NewBuildableClient()
	if _, err := first.iam(t, plain).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ada")}); err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := serve(t, "-state", file)
	defer func() { _ = second.stop() }()
	if second.AccessKey != first.AccessKey || second.SecretKey != first.SecretKey {
		t.Error("the administrator has another key")
	}
	if _, err := second.iam(t, plain).GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("ada")}); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-state", file}, io.Discard, io.Discard); err == nil {
		t.Error("a state of no format was taken")
	}
}
