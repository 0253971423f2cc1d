package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

// journal is Vault's write-ahead log as one process reaches it. Its calls are
// about the user that their entry names.
type journal struct{ *process }

var _ lifecycle.Journal = journal{}

// foreignKind marks an entry of another kind than ours.
const foreignKind = "(another kind)"

// Record implements lifecycle.Journal. Entries keep whole seconds.
func (j journal) Record(ctx context.Context, intent lifecycle.UserIntent) (id lifecycle.EntryID, err error) {
	w := j.world
	err = j.call(ctx, call{"journal:Record", intent.UserName}, func() error {
		id = w.write(lifecycle.Entry{Intent: intent, RecordedAt: w.clock.Now().Add(-w.skew).Truncate(time.Second)})
		return nil
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// write adds an entry under a new id. The caller holds w.mu, or nobody else is
// there yet.
func (w *world) write(e lifecycle.Entry) lifecycle.EntryID {
	w.recorded++
	e.ID = lifecycle.EntryID(fmt.Sprintf("wal-%03d", w.recorded))
	w.entries[e.ID] = e
	return e.ID
}

// Strike implements lifecycle.Journal.
func (j journal) Strike(ctx context.Context, id lifecycle.EntryID) error {
	w := j.world
	name := w.announcedBy(id)
	return j.call(ctx, call{"journal:Strike", name}, func() error {
		delete(w.entries, id)
		return nil
	})
}

// Entries implements lifecycle.Journal.
func (j journal) Entries(ctx context.Context) (ids []lifecycle.EntryID, err error) {
	err = j.call(ctx, call{op: "journal:Entries"}, func() error {
		for id := range j.world.entries {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return nil
	})
	return ids, err
}

// Load implements lifecycle.Journal.
func (j journal) Load(ctx context.Context, id lifecycle.EntryID) (e lifecycle.Entry, err error) {
	err = j.call(ctx, call{"journal:Load", j.world.announcedBy(id)}, func() error {
		var found bool
		switch e, found = j.world.entries[id]; {
		case !found:
			return lifecycle.ErrNoEntry
		case e.Intent.UserName == foreignKind:
			return fmt.Errorf("kind %s: %w", foreignKind, lifecycle.ErrNotOurs)
		}
		return nil
	})
	return e, err
}

// Reassert implements lifecycle.Journal.
func (j journal) Reassert(ctx context.Context, e lifecycle.Entry) error {
	return j.call(ctx, call{"journal:Reassert", e.Intent.UserName}, func() error {
		j.world.entries[e.ID] = e
		return nil
	})
}

// announcedBy is the user that an entry names.
func (w *world) announcedBy(id lifecycle.EntryID) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entries[id].Intent.UserName
}

// inJournal reports whether an entry names the user. The caller holds w.mu.
func (w *world) inJournal(name string) bool {
	for _, e := range w.entries {
		if e.Intent.UserName == name {
			return true
		}
	}
	return false
}

// journalled returns the ids of the entries of our kind.
func (w *world) journalled() []lifecycle.EntryID {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := []lifecycle.EntryID{}
	for id, e := range w.entries {
		if e.Intent.UserName != foreignKind {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
