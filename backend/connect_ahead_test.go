package backend_test

import (
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// overTLS puts the simulated AWS of a mount behind TLS as well, and counts
// handshakes and ends of connections there.
func (m *mount) overTLS(t *testing.T) (endpoint string, handshakes, closed *atomic.Int32) {
	t.Helper()
	handshakes, closed = &atomic.Int32{}, &atomic.Int32{}
	server := httptest.NewUnstartedServer(m.sim)
	server.TLS = &tls.Config{VerifyConnection: func(tls.ConnectionState) error {
		handshakes.Add(1)
		return nil
	}}
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed.Add(1)
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	m.must(os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	t.Setenv("AWS_CA_BUNDLE", bundle)
	return server.URL, handshakes, closed
}

// connectingAheadOver is how often connecting ahead has ended, in whatever way.
func (m *mount) connectingAheadOver() int {
	return strings.Count(m.log.String(), "connecting to STS ahead is over")
}

// TestConnectsAhead: a mount connects to STS when it starts and when its root
// config is written, on the node that issues; nothing is asked of AWS by that,
// and the first session uses the connection.
func TestConnectsAhead(t *testing.T) {
	storage := &countingStorage{Storage: &logical.InmemStorage{}}
	m := newMountOver(t, inProcess, backend.Options{Version: "v0.0.1"}, storage)
	m.sim.Configure(func(s *awssim.Settings) { s.Latency = 3 * time.Millisecond }) // or the SDK gives connections up
	endpoint, handshakes, closed := m.overTLS(t)
	m.await("the start without a config is over", func() bool { return m.connectingAheadOver() == 1 })
	config := m.rootConfig(m.admin)
	config["sts_endpoint"] = endpoint
	m.mustWrite("config/root", config) // asks who it is
	m.mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	if got := handshakes.Load(); got != 1 { // a second request at once might dial, too
		t.Errorf("%d handshakes for a config, want 1", got)
	}

	m.backend.Cleanup(t.Context())
	storage.since()
	m.under(func(v *logical.StaticSystemView) { v.ReplicationStateVal = consts.ReplicationPerformanceStandby })
	m.backend.Cleanup(t.Context())
	if all, _ := storage.since(); all != (trips{}) {
		t.Errorf("a standby does something at its start: storage trips %v", all)
	}

	before, tries := len(m.sim.Journal()), m.connectingAheadOver()
	m.under(func(v *logical.StaticSystemView) { v.ReplicationStateVal = consts.ReplicationUnknown })
	m.await("the mount has connected", func() bool { return m.connectingAheadOver() > tries && handshakes.Load() == 2 })
	if calls := m.sim.Journal()[before:]; len(calls) != 0 {
		t.Errorf("calls before the first request: %v", calls)
	}
	m.mustRead("creds/x")
	if got := handshakes.Load(); got != 2 {
		t.Errorf("%d handshakes, want no other one for the first session", got)
	}

	m.mustWrite("config/root", map[string]any{"max_retries": 3}) // asks nothing
	m.await("the mount has connected anew", func() bool { return handshakes.Load() == 3 })
	for end := time.Now().Add(10 * time.Second); closed.Load() != 2; time.Sleep(time.Millisecond) { // idle ones end after 20 s
		if time.Now().After(end) {
			t.Fatalf("%d connections were closed, want those of the unloaded mount and of the old config", closed.Load())
		}
	}
}

// TestConnectsAheadInVain: what does not answer at the start delays no start, no
// write and no end.
func TestConnectsAheadInVain(t *testing.T) {
	t.Parallel()
	m := newMount(t, inProcess)
	config := m.rootConfig(m.admin)
	config["sts_endpoint"] = mute(t)
	m.mustWrite("config/root", config)
	m.backend.Cleanup(t.Context())
	m.reload()
	m.mustWrite("config/root", map[string]any{"max_retries": 3})
	m.backend.Cleanup(t.Context())
}

// mute is an endpoint that takes connections and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return "https://" + listener.Addr().String()
}
