package awsclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// connections are those of one client: a transport that can be given one before
// anybody asks for it.
type connections struct {
	*http.Transport
	tls *tls.Config
	tcp func(ctx context.Context, network, addr string) (net.Conn, error)

	mu     sync.Mutex
	spares map[string]*spare // by address, one for each
	met    map[string]bool   // addresses that were connected to
	closed bool
}

// connecting makes the connections of a transport, which it takes over.
func connecting(tr *http.Transport) *connections {
	c := &connections{Transport: tr, tls: tr.TLSClientConfig.Clone(), tcp: tr.DialContext, spares: make(map[string]*spare), met: make(map[string]bool)}
	c.tls.NextProtos = []string{"h2", http1}
	tr.DialTLSContext = c.dial
	return c
}

// http1 is the protocol of connections made ahead: one of HTTP/2 would have to be
// greeted. AWS's query services speak no other.
const http1 = "http/1.1"

// dial connects to an address, unless that was done ahead.
func (c *connections) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if conn := c.take(addr); conn != nil {
		return conn, nil
	}
	return c.handshake(ctx, addr, c.tls)
}

func (c *connections) handshake(ctx context.Context, addr string, config *tls.Config) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.TLSHandshakeTimeout)
	defer cancel()
	c.mu.Lock()
	c.met[addr] = true
	c.mu.Unlock()
	plain, err := c.tcp(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	config.ServerName, _, _ = net.SplitHostPort(addr)
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close() // the handshake's error is the one that tells
		return nil, err
	}
	return conn, nil
}

// ahead connects to where a URL points, for the first request that goes there.
// Where one did before, a proxy stands in between, or TLS is not used, it does
// nothing.
func (c *connections) ahead(ctx context.Context, to *url.URL) error {
	proxy, err := c.Proxy(&http.Request{URL: to})
	if err != nil || proxy != nil || to.Scheme != "https" {
		return err
	}
	port := to.Port()
	if port == "" {
		port = "443"
	}
	addr := net.JoinHostPort(to.Hostname(), port)
	if c.knows(addr) {
		return nil
	}
	config := c.tls.Clone()
	config.NextProtos = []string{http1}
	conn, err := c.handshake(ctx, addr, config)
	if err != nil {
		return err
	}
	c.keep(addr, newSpare(conn))
	return nil
}

func (c *connections) knows(addr string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.met[addr]
}

// keep has a spare wait for a request, no longer than any idle connection does.
func (c *connections) keep(addr string, s *spare) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.spares[addr] != nil {
		s.close()
		return
	}
	c.spares[addr] = s
	time.AfterFunc(idleTimeout, func() { c.expire(addr, s) })
}

func (c *connections) expire(addr string, s *spare) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.spares[addr] == s {
		delete(c.spares, addr)
		s.close()
	}
}

// take is a connection that was made ahead and is still good; nil if there is none.
func (c *connections) take(addr string) net.Conn {
	c.mu.Lock()
	s := c.spares[addr]
	delete(c.spares, addr)
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.take()
}

// close closes what is idle, and keeps nothing from now on but for requests that
// are under way.
func (c *connections) close() {
	c.mu.Lock()
	c.closed = true
	for addr, s := range c.spares {
		delete(c.spares, addr)
		s.close()
	}
	c.mu.Unlock()
	c.CloseIdleConnections()
}

// spare is a connection that no request uses yet. It is read from, so that the
// server's end of it is seen.
type spare struct {
	conn  *tls.Conn
	ended chan struct{} // closed when nothing reads it any more
	err   error         // why; set before ended is closed
}

func newSpare(conn *tls.Conn) *spare {
	s := &spare{conn: conn, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		var b [1]byte
		_, s.err = conn.Read(b[:]) // a byte that nobody asked for is no better than an end
	}()
	return s
}

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// take ends the reading; nil if the connection is not good any more.
func (s *spare) take() net.Conn {
	err := s.conn.SetReadDeadline(longAgo)
	<-s.ended
	if err != nil || !errors.Is(s.err, os.ErrDeadlineExceeded) || s.conn.SetReadDeadline(time.Time{}) != nil {
		s.close()
		return nil
	}
	return s.conn
}

func (s *spare) close() { _ = s.conn.Close() } // it was never used

// connectionsOf is the connections of our own that a client goes by.
func connectionsOf(base aws.Config) *connections {
	client, _ := base.HTTPClient.(*http.Client)
	if client == nil {
		return nil
	}
	checked, _ := client.Transport.(answers)
	own, _ := checked.RoundTripper.(*connections)
	return own
}

// ConnectAhead connects to STS, so that the first session does not wait for it. It
// makes no call, and shows no credentials. Where there is nothing to connect to by
// ourselves it does nothing.
func (c *Client) ConnectAhead(ctx context.Context) error {
	if c.connections == nil {
		return nil
	}
	to, err := c.sts[0].address(ctx)
	if err != nil {
		return err
	}
	return c.connections.ahead(ctx, to)
}

// address is where the calls of an endpoint go.
func (e *stsEndpoint) address(ctx context.Context) (*url.URL, error) {
	o := e.Options()
	place, err := o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseDualStack:      aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:           aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseGlobalEndpoint: aws.Bool(false),
	})
	return &place.URI, err
}

// Close closes the connections that are idle. Requests that are under way go on.
func (c *Client) Close() {
	if c.connections != nil {
		c.connections.close()
	}
}
