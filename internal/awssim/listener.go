package awssim

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// errIdleClosed is what a server sees of a connection that Settings.CloseIdle
// closed.
var errIdleClosed = errors.New("awssim: idle connection closed")

// Server is an HTTP server of the simulator. With Listener it closes idle
// connections as Settings.CloseIdle says.
func (s *Sim) Server() *http.Server {
	return &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ConnState: noteIdle}
}

// noteIdle marks connections of Listener that wait for their next request.
func noteIdle(c net.Conn, state http.ConnState) {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if ours, ok := c.(*conn); ok && state == http.StateIdle {
		ours.idle.Store(true)
	}
}

// Listener puts a simulator's connection troubles between a listener and
// Server: a handshake that costs time, and idle connections that are closed
// just as the next request arrives, as load balancers do. handshake is waited
// before the first byte of each connection is read. With TLS, put it inside.
func (s *Sim) Listener(inner net.Listener, handshake time.Duration) net.Listener {
	return &listener{Listener: inner, sim: s, handshake: handshake}
}

type listener struct {
	net.Listener
	sim       *Sim
	handshake time.Duration
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: inner, sim: l.sim, handshake: l.handshake}, nil
}

// conn is a server's connection.
type conn struct {
	net.Conn
	sim       *Sim
	handshake time.Duration
	shaken    sync.Once
	idle      atomic.Bool
}

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	c.shaken.Do(func() { c.sim.sleep(c.handshake) })
	n, err := c.Conn.Read(b)
	if n > 0 && c.idle.Swap(false) && c.sim.closesIdle() {
		reset(c)
		return 0, errIdleClosed
	}
	return n, err
}

// reset closes a connection, on TCP by RST instead of FIN.
func reset(c net.Conn) {
	if tcp, ok := plainConn(c).(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // if it cannot be set, a plain close cuts as well
		_ = tcp.Close()      // first, lest TLS say goodbye
	}
	_ = c.Close()
}

// plainConn is the connection under TLS and Listener.
func plainConn(c net.Conn) net.Conn {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if ours, ok := c.(*conn); ok {
		c = ours.Conn
	}
	return c
}

// sleep waits, or until the simulator closes.
func (s *Sim) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closed:
	}
}

// closesIdle draws for a connection that is used again.
func (s *Sim) closesIdle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings.CloseIdle == 0 {
		return false
	}
	e := encounter{seed: s.options.Seed, action: "reused connection"}
	s.encounters[e]++
	e.nth = s.encounters[e]
	return e.chance("close") < s.settings.CloseIdle
}
