package backend_test

import (
	"context"
	"errors"
	"path"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/crashtest"

	"github.com/hashicorp/vault/sdk/logical"
)

// fate is what becomes of a write, and of what asked for it.
type fate struct {
	written bool   // it is written all the same
	fails   bool   // an error is answered
	hangs   bool   // nothing is answered until the caller gives up
	dies    bool   // nothing is answered, to this write or to any later request
	last    func() // called at death
}

// vaultPatience is when Vault cancels a request.
const vaultPatience = 90 * time.Second

// crashStorage is a mount's storage in which one write meets a fate.
type crashStorage struct {
	logical.Storage

	mu     sync.Mutex
	armed  bool
	writes []string // since it was armed
	nth    int      // the write that meets its fate, from 1; 0: none
	fate   fate
	dead   bool
}

// arm counts from here on.
func (s *crashStorage) arm(nth int, f fate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.writes, s.nth, s.fate = true, nil, nth, f
}

// disarm returns the writes and lets all that come succeed.
func (s *crashStorage) disarm() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed, s.dead = false, false
	return s.writes
}

// alive is an error once the process is dying.
func (s *crashStorage) alive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errCut
	}
	return nil
}

// meets notes a write and tells its fate, if this is the one.
func (s *crashStorage) meets(verb, key string) (f fate, met bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.armed {
		return fate{}, false
	}
	s.writes = append(s.writes, verb+" "+sort(key))
	if len(s.writes) != s.nth {
		return fate{}, false
	}
	s.dead = s.fate.dies
	return s.fate, true
}

// sort is what kind of key it is: the folder, where names are drawn.
func sort(key string) string {
	for _, folder := range crashtest.Work {
		if strings.HasPrefix(key, folder) {
			return path.Dir(key)
		}
	}
	return key
}

func (s *crashStorage) write(ctx context.Context, verb, key string, act func() error) error {
	if err := s.alive(); err != nil {
		return err
	}
	f, met := s.meets(verb, key)
	if !met {
		return act()
	}
	if f.written {
		if err := act(); err != nil {
			return err
		}
	}
	if f.hangs {
		ctx, cancel := context.WithTimeout(ctx, vaultPatience)
		defer cancel()
		<-ctx.Done()
		return ctx.Err()
	}
	if f.last != nil {
		f.last()
	}
	return errors.New("storage failed: as the test wants it")
}

func (s *crashStorage) Put(ctx context.Context, entry *logical.StorageEntry) error {
	return s.write(ctx, "put", entry.Key, func() error { return s.Storage.Put(ctx, entry) })
}

func (s *crashStorage) Delete(ctx context.Context, key string) error {
	return s.write(ctx, "delete", key, func() error { return s.Storage.Delete(ctx, key) })
}

func (s *crashStorage) Get(ctx context.Context, key string) (*logical.StorageEntry, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	return s.Storage.Get(ctx, key)
}

func (s *crashStorage) List(ctx context.Context, prefix string) ([]string, error) {
	if err := s.alive(); err != nil {
		return nil, err
	}
	return s.Storage.List(ctx, prefix)
}

// crashStore is the storage as the judge reaches it.
type crashStore struct{ *crashStorage }

// Keys implements crashtest.Store.
func (s crashStore) Keys(folder string) ([]string, error) {
	view := logical.NewStorageView(s.Storage, folder)
	names, err := logical.CollectKeys(context.Background(), view)
	for i, name := range names {
		names[i] = folder + name
	}
	return names, err
}

// Load implements crashtest.Store.
func (s crashStore) Load(key string, into any) (bool, error) {
	entry, err := s.Storage.Get(context.Background(), key)
	if err != nil || entry == nil {
		return false, err
	}
	return true, entry.DecodeJSON(into)
}

// Save implements crashtest.Store.
func (s crashStore) Save(key string, value any) error {
	entry, err := logical.StorageEntryJSON(key, value)
	if err != nil {
		return err
	}
	return s.Storage.Put(context.Background(), entry)
}
