package backend

import (
	"context"
	"crypto/rand"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/logical"
)

// The journal of keys lies under a prefix of our own and not in Vault's
// write-ahead log: the built-in engine would log an error for ever over a kind
// it does not know. It is local to the cluster and holds no secret.
const (
	ownJournal     = "journal/"
	rootKeyJournal = ownJournal + "root-key/"
	staticJournal  = ownJournal + "static-key/"
)

// keyJournal keeps lifecycle's intents of keys of one kind.
type keyJournal struct {
	storage logical.Storage
	prefix  string
}

// RecordKey implements lifecycle.KeyJournal.
func (j keyJournal) RecordKey(ctx context.Context, intent lifecycle.KeyIntent) (lifecycle.KeyEntry, error) {
	e := lifecycle.KeyEntry{ID: lifecycle.EntryID(rand.Text()), Intent: intent}
	return e, j.ReassertKey(ctx, e)
}

// StrikeKey implements lifecycle.KeyJournal.
func (j keyJournal) StrikeKey(ctx context.Context, id lifecycle.EntryID) error {
	return j.storage.Delete(ctx, j.prefix+string(id))
}

// KeyEntries implements lifecycle.KeyJournal.
func (j keyJournal) KeyEntries(ctx context.Context) ([]lifecycle.EntryID, error) {
	keys, err := j.storage.List(ctx, j.prefix)
	return entryIDs(keys), err
}

// LoadKey implements lifecycle.KeyJournal.
func (j keyJournal) LoadKey(ctx context.Context, id lifecycle.EntryID) (lifecycle.KeyEntry, error) {
	e := lifecycle.KeyEntry{ID: id}
	entry, err := j.storage.Get(ctx, j.prefix+string(id))
	if err != nil {
		return e, err
	}
	if entry == nil {
		return e, lifecycle.ErrNoEntry
	}
	return e, entry.DecodeJSON(&e.Intent)
}

// ReassertKey implements lifecycle.KeyJournal.
func (j keyJournal) ReassertKey(ctx context.Context, e lifecycle.KeyEntry) error {
	entry, err := logical.StorageEntryJSON(j.prefix+string(e.ID), e.Intent)
	if err != nil {
		return err
	}
	return j.storage.Put(ctx, entry)
}
