package lifecycle

import (
	"context"
	"sync"
)

// KeyedLock is a lock for each of many keys. The zero value is ready to use.
type KeyedLock struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the key is let go
}

// Lock waits until nobody holds the key, or ctx ends, whose error it then returns.
func (l *KeyedLock) Lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		free, unlock := l.take(key)
		if unlock != nil {
			return unlock, nil
		}
		select {
		case <-free:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Try takes the key if it is free; else it returns nil.
func (l *KeyedLock) Try(key string) (unlock func()) {
	_, unlock = l.take(key)
	return unlock
}

// take takes the key if it is free; else it returns what closes when it is.
func (l *KeyedLock) take(key string) (free <-chan struct{}, unlock func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if taken, ok := l.held[key]; ok {
		return taken, nil
	}
	if l.held == nil {
		l.held = make(map[string]chan struct{})
	}
	mine := make(chan struct{})
	l.held[key] = mine
	return nil, func() { l.release(key, mine) }
}

func (l *KeyedLock) release(key string, mine chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, key)
	close(mine)
}
