package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// storage is Vault's storage of the mount: it outlives the plugin's processes.
type storage struct {
	w      *world
	mu     sync.Mutex
	data   map[string][]byte
	pauses map[string]int // by key: how many there were
	faults []*storageFault
}

// storageFault is trouble with the keys of a prefix for a while.
type storageFault struct {
	kind   string // get, put, delete or list, and before or after; or hang
	verb   string // "" is any
	prefix string
	until  time.Time
}

func newStorage(w *world) *storage {
	return &storage{w: w, data: map[string][]byte{}, pauses: map[string]int{}}
}

var errStorage = errors.New("simulated: storage does not answer as it should")

// view is a process's way to the storage, which is cut off when it dies.
type view struct {
	*storage
	p *process
}

// Get implements logical.Storage.
func (v *view) Get(ctx context.Context, key string) (entry *logical.StorageEntry, err error) {
	err = v.try(ctx, "get", key, func() {
		if value, ok := v.data[key]; ok {
			entry = &logical.StorageEntry{Key: key, Value: slices.Clone(value)}
		}
	})
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// List implements logical.Storage.
func (v *view) List(ctx context.Context, prefix string) (names []string, err error) {
	err = v.try(ctx, "list", prefix, func() { names = v.list(prefix) })
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Put implements logical.Storage.
func (v *view) Put(ctx context.Context, entry *logical.StorageEntry) error {
	return v.try(ctx, "put", entry.Key, func() { v.put(entry.Key, entry.Value) })
}

// Delete implements logical.Storage.
func (v *view) Delete(ctx context.Context, key string) error {
	return v.try(ctx, "delete", key, func() { v.remove(key) })
}

// try carries out an operation, if its context, its process and the faults in
// force let it. Writes take time before and after their effect.
func (v *view) try(ctx context.Context, verb, key string, act func()) error {
	fault := v.fault(verb, key)
	if fault != nil && fault.kind == "hang" {
		return v.hang(ctx, fault, key)
	}
	writes := verb == "put" || verb == "delete"
	if writes && !v.pause(ctx, key) {
		return v.refusal(ctx)
	}
	if err := v.refusal(ctx); err != nil {
		return err
	}
	if fault != nil && fault.kind == "before" {
		return fmt.Errorf("%s %s: %w", verb, key, errStorage)
	}
	v.mu.Lock()
	act()
	v.mu.Unlock()
	if fault != nil {
		return fmt.Errorf("%s %s: %w", verb, key, errStorage)
	}
	if writes && !v.pause(ctx, key) && v.p.life.Err() != nil {
		return errDead
	}
	return nil
}

// refusal is why a process or a request that has ended gets nothing.
func (v *view) refusal(ctx context.Context) error {
	if v.p.life.Err() != nil {
		return errDead
	}
	return ctx.Err()
}

// pause lets some microseconds pass, or reports that the context or the process
// ended meanwhile.
func (v *view) pause(ctx context.Context, key string) bool {
	return v.wait(ctx, 0, v.while(key))
}

// while draws some microseconds for an operation on a key.
func (v *view) while(key string) time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pauses[key]++
	return time.Duration(50_000 + v.w.draw("pause", key, strconv.Itoa(v.pauses[key]))%1_000_000)
}

// wait waits, and reports whether context and process lasted. What ends at the same
// instant comes back one after the other, in an order that is settled when it comes.
func (v *view) wait(ctx context.Context, d, own time.Duration) bool {
	timer := time.NewTimer(d + own)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		if v.p.life.Err() == nil {
			time.Sleep(own)
		}
	case <-v.p.life.Done():
	}
	return false
}

// hang waits until the fault is over, the request or the process.
func (v *view) hang(ctx context.Context, f *storageFault, key string) error {
	if !v.wait(ctx, time.Until(f.until), v.while(key)) {
		return errors.Join(v.refusal(ctx), errStorage)
	}
	return errStorage
}

// fault is the first fault in force that an operation meets.
func (s *storage) fault(verb, key string) *storageFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.faults = slices.DeleteFunc(s.faults, func(f *storageFault) bool { return !now.Before(f.until) })
	for _, f := range s.faults {
		if (f.verb == "" || f.verb == verb) && strings.HasPrefix(key, f.prefix) {
			s.w.reach("storage " + f.verb + " " + f.kind)
			return f
		}
	}
	return nil
}

// ail begins a fault.
func (s *storage) ail(f storageFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// heal ends all faults.
func (s *storage) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// troubled reports whether a fault is in force, or was a moment ago.
func (s *storage) troubled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.faults) > 0
}

// list is what lies directly under a prefix. The caller holds s.mu.
func (s *storage) list(prefix string) []string {
	names := []string{}
	for key := range s.data {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			if folder, _, deeper := strings.Cut(rest, "/"); deeper {
				rest = folder + "/"
			}
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// put has a write's effect and counts the state that it brings about.
func (s *storage) put(key string, value []byte) {
	before := s.data[key]
	s.data[key] = slices.Clone(value)
	s.w.note("put %s", key)
	if sealed(key) {
		s.notePut(key, before, value)
		return
	}
	if s.w.holdsSecret(value) {
		s.w.violate("a secret in %s, which is not seal-wrapped", key)
	}
	s.notePut(key, before, value)
}

// sealed reports whether a key is declared seal-wrapped.
func sealed(key string) bool {
	return key == store.RootConfigKey || strings.HasPrefix(key, store.StaticCredsKeys)
}

func (s *storage) remove(key string) {
	value, found := s.data[key]
	delete(s.data, key)
	s.w.note("delete %s", key)
	if !found {
		return
	}
	switch {
	case strings.HasPrefix(key, walPrefix):
		user := userOfEntry(value)
		if s.recordOf(user).State == lifecycle.Issued {
			s.w.reach("state issued")
		}
		s.checkOwned(user)
	case strings.HasPrefix(key, recordPrefix):
		s.w.reach("state gone")
		s.checkOwned(strings.TrimPrefix(key, recordPrefix))
	case strings.HasPrefix(key, "journal/root-key/"):
		s.w.reach("rotation root finished")
	case strings.HasPrefix(key, "journal/static-key/"):
		s.w.reach("rotation static finished")
	}
}

// checkOwned: a user whose name was just deleted somewhere is written down
// elsewhere, or gone. The caller holds s.mu.
func (s *storage) checkOwned(user string) {
	if s.recordOf(user).UserName == "" && !s.announced(user) && slices.Contains(s.w.sim.Users(s.w.world.account), user) {
		s.w.violate("L2: user %q is in AWS, and its name was just forgotten", user)
	}
}

const (
	walPrefix    = "wal/"
	recordPrefix = "users/"
)

// notePut counts the states of users and rotations that a write brings about.
func (s *storage) notePut(key string, before, value []byte) {
	kind, isKey := strings.CutPrefix(key, "journal/")
	switch {
	case strings.HasPrefix(key, walPrefix) && before == nil:
		s.w.reach("state announced")
	case strings.HasPrefix(key, recordPrefix):
		s.noteRecord(decode[lifecycle.UserRecord](before), value)
	case isKey && strings.Contains(kind, "-key/"):
		kind, _, _ = strings.Cut(kind, "-key/")
		if keyIntent(value).New == "" {
			s.w.reach("rotation " + kind + " announced")
		} else {
			s.w.reach("rotation " + kind + " made")
		}
	case key == store.RootConfigKey && before != nil && accessKeyOf(before) != accessKeyOf(value):
		s.w.reach("rotation root stored")
		s.w.checkProven(accessKeyOf(value))
	case strings.HasPrefix(key, store.StaticCredsKeys) && accessKeyOf(before) != accessKeyOf(value):
		s.w.reach("rotation static stored")
		s.w.checkProven(accessKeyOf(value))
	}
}

func (s *storage) noteRecord(before lifecycle.UserRecord, value []byte) {
	r := decode[lifecycle.UserRecord](value)
	switch {
	case r.State == lifecycle.Condemned:
		s.w.reach("state condemned")
		s.w.reach("condemned: " + r.Reason)
		if r.Tries > 1 {
			s.w.reach("state condemned, tried again")
		}
	case r.State == lifecycle.Pooled:
		s.w.reach("state pooled")
	case before.State == lifecycle.Pooled:
		s.w.reach("state taken")
	case s.announced(r.UserName):
		s.w.reach("state recorded")
	default:
		s.w.reach("state renewed")
	}
}

// announced reports whether a user is in the write-ahead log. The caller holds
// s.mu.
func (s *storage) announced(user string) bool {
	for key, value := range s.data {
		if strings.HasPrefix(key, walPrefix) && userOfEntry(value) == user {
			return true
		}
	}
	return false
}

func (s *storage) recordOf(user string) lifecycle.UserRecord {
	return decode[lifecycle.UserRecord](s.data[recordPrefix+user])
}

// owned reports whether a user is written down.
func (s *storage) owned(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, recorded := s.data[recordPrefix+user]
	return recorded || s.announced(user)
}

// read decodes what lies under a key.
func read[T any](s *storage, key string) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return decode[T](s.data[key])
}

// under decodes everything that lies under a prefix.
func under[T any](s *storage, prefix string) map[string]T {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]T{}
	for key, value := range s.data {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			found[name] = decode[T](value)
		}
	}
	return found
}

func decode[T any](value []byte) (out T) {
	if value == nil {
		return out
	}
	if err := json.Unmarshal(value, &out); err != nil {
		panic(fmt.Sprintf("decode %q: %v", value, err))
	}
	return out
}

func userOfEntry(value []byte) string {
	return decode[struct{ Data lifecycle.UserIntent }](value).Data.UserName
}

func keyIntent(value []byte) lifecycle.KeyIntent { return decode[lifecycle.KeyIntent](value) }

func accessKeyOf(value []byte) string {
	return decode[struct {
		AccessKey string `json:"access_key"`
	}](value).AccessKey
}
