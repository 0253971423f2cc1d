package awsclient

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/governor"

	"github.com/google/go-cmp/cmp"
)

// TestPool: as many connections are kept as calls can be in flight, for less time
// than AWS keeps them.
func TestPool(t *testing.T) {
	type pool struct {
		PerHost, All int
		Idle         time.Duration
	}
	tr := pooled().GetTransport()
	want := pool{PerHost: governor.MostInFlight, Idle: 20 * time.Second}
	if diff := cmp.Diff(want, pool{tr.MaxIdleConnsPerHost, tr.MaxIdleConns, tr.IdleConnTimeout}); diff != "" {
		t.Errorf("pool (-want +got):\n%s", diff)
	}
}

// TestSpare: a connection made ahead is handed out only while its server keeps it.
func TestSpare(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	dialled := func() *spare {
		conn, err := tls.Dial("tcp", server.Listener.Addr().String(), server.Client().Transport.(*http.Transport).TLSClientConfig)
		if err != nil {
			t.Fatal(err)
		}
		return newSpare(conn)
	}
	good, ended := dialled(), dialled()
	if conn := good.take(); conn == nil {
		t.Error("a good connection is not handed out")
	} else {
		_ = conn.Close()
	}
	server.CloseClientConnections()
	<-ended.ended // the end has come
	if conn := ended.take(); conn != nil {
		t.Error("a connection that its server has closed is handed out")
	}
}
