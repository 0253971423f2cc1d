package awssim

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Memory is a network of one server: its connections are pipes in memory.
// Bubbles of testing/synctest need it, since a goroutine that waits on a
// socket never counts as blocked.
type Memory struct {
	dialed chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewMemory returns a network that nobody listens on yet.
func NewMemory() *Memory {
	return &Memory{dialed: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept implements [net.Listener].
func (m *Memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.dialed:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (m *Memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

// Addr implements [net.Listener].
func (m *Memory) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "awssim.test:80" }

// Dial connects to the server, whatever the address.
func (m *Memory) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.dialed <- server:
		return client, nil
	case <-m.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Transport is a transport for clients of the server. Its idle connections
// have to be closed before a synctest bubble can end.
func (m *Memory) Transport() *http.Transport {
	return &http.Transport{DialContext: m.Dial, MaxIdleConnsPerHost: 64}
}
