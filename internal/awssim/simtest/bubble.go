package simtest

import (
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"vault-plugin-secrets-aws/internal/awssim"
)

// Endpoint is where the simulator of InMemory is.
const Endpoint = "http://awssim.test"

// InMemory serves a new simulator without a socket until the test ends, as
// synctest bubbles need it, and returns it with a client that reaches it under
// Endpoint.
func InMemory(t testing.TB, options awssim.Options) (*awssim.Sim, *http.Client) {
	t.Helper()
	sim, network := awssim.New(options), awssim.NewMemory()
	server := sim.Server()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(sim.Listener(network, 0)) // ends by Close
	}()
	transport := network.Transport()
	t.Cleanup(func() {
		sim.Close()
		_ = server.Close()
		transport.CloseIdleConnections()
		<-served
	})
	return sim, &http.Client{Transport: transport}
}

// Through is a configuration of clients that use an HTTP client.
func Through(cfg aws.Config, client *http.Client) aws.Config {
	cfg.HTTPClient = client
	return cfg
}
