// Package simtest starts simulators for tests.
package simtest

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"vault-plugin-secrets-aws/internal/awssim"
)

// Start serves a new simulator on loopback until the test ends, and returns
// it with its endpoint. At most one Options may be given.
func Start(t testing.TB, options ...awssim.Options) (*awssim.Sim, string) {
	t.Helper()
	if len(options) > 1 {
		t.Fatal("simtest.Start takes one Options")
	}
	var chosen awssim.Options
	if len(options) == 1 {
		chosen = options[0]
	}
	sim := awssim.New(chosen)
	server := httptest.NewUnstartedServer(nil)
	server.Config, server.Listener = sim.Server(), sim.Listener(server.Listener, 0)
	server.Start()
	t.Cleanup(func() {
		sim.Close() // first: hung requests would hold the server up
		server.Close()
	})
	return sim, server.URL
}

// Config is the configuration of AWS SDK clients that speak to a simulator
// with somebody's credentials, for us-east-1 and without retries.
func Config(endpoint string, who awssim.Credentials) aws.Config {
	return Session(endpoint, who.AccessKey, who.SecretKey, "")
}

// Session is Config for temporary credentials.
func Session(endpoint, accessKey, secretKey, token string) aws.Config {
	return aws.Config{
		Region:           "us-east-1",
		BaseEndpoint:     aws.String(endpoint),
		Credentials:      credentials.NewStaticCredentialsProvider(accessKey, secretKey, token),
		RetryMaxAttempts: 1,
	}
}
