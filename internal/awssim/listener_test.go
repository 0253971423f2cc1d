package awssim_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestHandshakeDelay: each connection costs its handshake, on fake time and
// to the millisecond; a connection that is used again costs nothing.
func TestHandshakeDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, network := awssim.New(awssim.Options{}), awssim.NewMemory()
		server := sim.Server()
		served := make(chan error, 1)
		go func() { served <- server.Serve(sim.Listener(network, 80*time.Millisecond)) }()
		transport := network.Transport()
		client := &http.Client{Transport: transport}
		var took []time.Duration
		for range 3 {
			start := time.Now()
			if status := unsignedCall(t, client); status != http.StatusForbidden {
				t.Errorf("status %d", status)
			}
			took = append(took, time.Since(start))
			if len(took) == 2 {
				transport.CloseIdleConnections()
			}
		}
		if took[0] != 80*time.Millisecond || took[1] != 0 || took[2] != 80*time.Millisecond {
			t.Errorf("calls took %v", took)
		}
		transport.CloseIdleConnections()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func unsignedCall(t *testing.T, client *http.Client) int {
	t.Helper()
	resp, err := client.Do(form(t, "http://awssim.test", "Action=ListUsers&Version=2010-05-08"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestCloseIdle: the second request of every connection finds it closed, and
// never reaches the simulator.
func TestCloseIdle(t *testing.T) {
	sim := awssim.New(awssim.Options{Settings: awssim.Settings{CloseIdle: 1}})
	server := sim.Server()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	go func() { _ = server.Serve(sim.Listener(listener, 0)) }()
	t.Cleanup(func() { _ = server.Close() })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	var failed int
	for range 6 {
		// No GetBody: the transport must not send it again by itself.
		req := form(t, "http://"+listener.Addr().String(), "Action=ListUsers&Version=2010-05-08")
		req.GetBody = nil
		resp, err := client.Do(req)
		if err != nil {
			failed++
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if calls := len(sim.Journal()); failed != 3 || calls != 3 {
		t.Errorf("%d of 6 requests failed, %d arrived", failed, calls)
	}
}

// TestResetIsAReset: clients tell a reset from an orderly end.
func TestResetIsAReset(t *testing.T) {
	sim, endpoint, _ := started(t)
	sim.Inject(awssim.Fault{Kind: awssim.FaultReset})
	resp, err := http.DefaultClient.Do(form(t, endpoint, "Action=ListUsers&Version=2010-05-08"))
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
}
