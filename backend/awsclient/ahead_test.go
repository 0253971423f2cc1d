package awsclient_test

import (
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// tlsCloud is an AWS behind TLS that counts what connecting costs.
type tlsCloud struct {
	*awssim.Sim
	server *httptest.Server

	handshakes, resumed, closed, requests atomic.Int32
}

// costs is what connecting has cost so far.
type costs struct{ Handshakes, Resumed, Requests int32 }

func newTLSCloud(t *testing.T) *tlsCloud {
	t.Helper()
	c := &tlsCloud{Sim: awssim.New(distant())}
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		c.ServeHTTP(w, r)
	}))
	c.server.TLS = &tls.Config{VerifyConnection: func(state tls.ConnectionState) error {
		c.handshakes.Add(1)
		if state.DidResume {
			c.resumed.Add(1)
		}
		return nil
	}}
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			c.closed.Add(1)
		}
	}
	c.server.StartTLS()
	t.Cleanup(func() {
		c.Close()
		c.server.Close()
	})
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.server.Certificate().Raw})
	t.Setenv("AWS_CA_BUNDLE", mustWrite(t, "bundle.pem", string(certificate)))
	return c
}

// costs waits until what was asked for has come, since a server learns of the end
// of a handshake after its client.
func (c *tlsCloud) mustCost(t *testing.T, want costs) {
	t.Helper()
	var got costs
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		got = costs{c.handshakes.Load(), c.resumed.Load(), c.requests.Load()}
		if got == want || time.Now().After(end) {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("connecting (-want +got):\n%s", diff)
	}
}

func (c *tlsCloud) client(t *testing.T) *awsclient.Client {
	t.Helper()
	return mustClient(t, awsclient.Settings{
		AccessKey: c.Admin().AccessKey, SecretKey: c.Admin().SecretKey,
		IAMEndpoint: c.server.URL, STS: []awsclient.Endpoint{{URL: c.server.URL}},
		MaxRetries: 1, // for a connection that its server is just closing
	})
}

// TestHandshakes: calls one after the other share a connection, and the next
// connection resumes the TLS session.
func TestHandshakes(t *testing.T) {
	cloud := newTLSCloud(t)
	client := cloud.client(t)
	for range 5 {
		_, err := client.Identity(t.Context())
		mustDo(t, err)
	}
	cloud.mustCost(t, costs{Handshakes: 1, Requests: 5})
	client.Close() // as if it had been idle for too long
	_, err := client.Identity(t.Context())
	mustDo(t, err)
	cloud.mustCost(t, costs{Handshakes: 2, Resumed: 1, Requests: 6})
}

// TestConnectAhead: the first call finds a connection, and AWS has heard of nobody
// before it.
func TestConnectAhead(t *testing.T) {
	cloud := newTLSCloud(t)
	client := cloud.client(t)
	mustDo(t, client.ConnectAhead(t.Context()))
	cloud.mustCost(t, costs{Handshakes: 1})
	for range 3 {
		_, err := client.Identity(t.Context())
		mustDo(t, err)
	}
	cloud.mustCost(t, costs{Handshakes: 1, Requests: 3})
}

// TestConnectAheadAmbient: the same with the server's own identity.
func TestConnectAheadAmbient(t *testing.T) {
	cloud := newTLSCloud(t)
	setenv(t, map[string]string{"AWS_ACCESS_KEY_ID": cloud.Admin().AccessKey, "AWS_SECRET_ACCESS_KEY": cloud.Admin().SecretKey})
	client := mustClient(t, awsclient.Settings{STS: []awsclient.Endpoint{{URL: cloud.server.URL}}})
	mustDo(t, client.ConnectAhead(t.Context()))
	_, err := client.Identity(t.Context())
	mustDo(t, err)
	cloud.mustCost(t, costs{Handshakes: 1, Requests: 1})
}

// TestConnectAheadEndedByServer: a connection that the server has closed meanwhile
// is used for nothing.
func TestConnectAheadEndedByServer(t *testing.T) {
	cloud := newTLSCloud(t)
	client := cloud.client(t)
	mustDo(t, client.ConnectAhead(t.Context()))
	cloud.mustCost(t, costs{Handshakes: 1})
	cloud.server.CloseClientConnections()
	_, err := client.Identity(t.Context())
	mustDo(t, err)
	cloud.mustCost(t, costs{Handshakes: 2, Resumed: 1, Requests: 1})
}

// TestClose: a client that is done with holds no connection.
func TestClose(t *testing.T) {
	for name, use := range map[string]func(*testing.T, *awsclient.Client){
		"made ahead": func(t *testing.T, c *awsclient.Client) {
			mustDo(t, c.ConnectAhead(t.Context()))
			c.Close()
		},
		"idle": func(t *testing.T, c *awsclient.Client) {
			_, err := c.Identity(t.Context())
			mustDo(t, err)
			c.Close()
		},
		"made ahead afterwards": func(t *testing.T, c *awsclient.Client) {
			c.Close()
			mustDo(t, c.ConnectAhead(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := newTLSCloud(t)
			use(t, cloud.client(t))
			for end := time.Now().Add(10 * time.Second); cloud.closed.Load() != 1; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d connections were closed, want 1", cloud.closed.Load())
				}
			}
		})
	}
}

// TestConnectAheadNowhere: where TLS is not used there is nothing to do, and where
// nobody listens it is an error.
func TestConnectAheadNowhere(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, distant())
	mustDo(t, mustClient(t, cloud.settings()).ConnectAhead(t.Context()))
	if got := cloud.connections.Load(); got != 0 {
		t.Errorf("%d connections without TLS", got)
	}
	settings := cloud.settings()
	settings.STS = []awsclient.Endpoint{{URL: "https" + nobody(t)[len("http"):]}}
	if err := mustClient(t, settings).ConnectAhead(t.Context()); err == nil {
		t.Error("no error where nobody listens")
	}
	settings.STS = []awsclient.Endpoint{{}} // AWS's own, beyond a proxy
	mustDo(t, mustClient(t, settings).ConnectAhead(t.Context()))
}
