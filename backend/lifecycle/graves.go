package lifecycle

import (
	"sync"
	"time"
)

// graves are the users whose deletion AWS confirmed to this process of late.
// About them NoSuchEntity is believed at once: Vault may revoke a lease whose
// user the worker has destroyed already. The zero value is empty and ready to use.
type graves struct {
	mu  sync.Mutex
	dug map[string]time.Time
}

// add notes that AWS has deleted the user now, and forgets the old ones, which
// are believed to be gone by their age.
func (g *graves) add(user string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dug == nil {
		g.dug = make(map[string]time.Time)
	}
	for name, at := range g.dug {
		if now.Sub(at) > confirmedGoneAge {
			delete(g.dug, name)
		}
	}
	g.dug[user] = now
}

func (g *graves) has(user string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, is := g.dug[user]
	return is
}

// remove is for a name that is used again.
func (g *graves) remove(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.dug, user)
}
