package lifecycle

import "sync"

// names is the set of user names that this process is issuing (L11). The
// zero value is empty and ready to use.
type names struct {
	mu sync.Mutex
	in map[string]int
}

// hold adds the name until the returned function is called.
func (n *names) hold(name string) (release func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.in == nil {
		n.in = make(map[string]int)
	}
	n.in[name]++
	return func() { n.drop(name) }
}

func (n *names) drop(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.in[name]--; n.in[name] == 0 {
		delete(n.in, name)
	}
}

func (n *names) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.in[name] > 0
}
