package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// journal keeps lifecycle's intents in Vault's write-ahead log, in the format
// of the built-in engine.
type journal struct{ storage logical.Storage }

// Record implements lifecycle.Journal.
func (j journal) Record(ctx context.Context, intent lifecycle.UserIntent) (lifecycle.EntryID, error) {
	id, err := framework.PutWAL(ctx, j.storage, lifecycle.UserIntentKind, intent)
	return lifecycle.EntryID(id), err
}

// Strike implements lifecycle.Journal.
func (j journal) Strike(ctx context.Context, id lifecycle.EntryID) error {
	return framework.DeleteWAL(ctx, j.storage, string(id))
}

// Entries implements lifecycle.Journal.
func (j journal) Entries(ctx context.Context) ([]lifecycle.EntryID, error) {
	keys, err := framework.ListWAL(ctx, j.storage)
	return entryIDs(keys), err
}

func entryIDs(keys []string) []lifecycle.EntryID {
	ids := make([]lifecycle.EntryID, len(keys))
	for i, key := range keys {
		ids[i] = lifecycle.EntryID(key)
	}
	return ids
}

// Load implements lifecycle.Journal.
func (j journal) Load(ctx context.Context, id lifecycle.EntryID) (lifecycle.Entry, error) {
	wal, err := framework.GetWAL(ctx, j.storage, string(id))
	if err != nil {
		return lifecycle.Entry{}, err
	}
	if wal == nil {
		return lifecycle.Entry{}, lifecycle.ErrNoEntry
	}
	if wal.Kind != lifecycle.UserIntentKind {
		return lifecycle.Entry{}, fmt.Errorf("journal entry of kind %q: %w", wal.Kind, lifecycle.ErrNotOurs)
	}
	e := lifecycle.Entry{ID: id, RecordedAt: time.Unix(wal.CreatedAt, 0)}
	if err := convert(wal.Data, &e.Intent); err != nil {
		return e, err
	}
	if e.Intent.IssuedAt.IsZero() {
		e.Intent.NameUnique = builtinName.MatchString(e.Intent.UserName)
	}
	return e, nil
}

// builtinName is a name by the built-in engine's default template that kept at
// least 12 of its 20 random characters: enough to be nobody else's. Its journal
// entries do not say how the name was made.
var builtinName = regexp.MustCompile(`^vault-.+-[0-9]{10}-[A-Za-z0-9]{12,20}$`)

// Reassert implements lifecycle.Journal. The id and the time of the recording
// stay: they are what the entry's age is told by.
func (j journal) Reassert(ctx context.Context, e lifecycle.Entry) error {
	entry, err := logical.StorageEntryJSON(framework.WALPrefix+string(e.ID), framework.WALEntry{
		Kind:      lifecycle.UserIntentKind,
		Data:      e.Intent,
		CreatedAt: e.RecordedAt.Unix(),
	})
	if err != nil {
		return err
	}
	return j.storage.Put(ctx, entry)
}

// convert turns decoded JSON into a struct.
func convert(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}
