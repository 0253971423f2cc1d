// Package store keeps the records of a mount: their formats, their rules and
// their keys in Vault's storage.
//
// Keys and JSON names are the storage format of Vault's built-in AWS engine, so
// that a mount can move between the two engines. What we add is additive. A
// stored record is always readable and usable, whatever it says; rules apply to
// what a request sends.
//
//	config/root    RootConfig   seal-wrapped
//	config/lease   Lease
//	role/<name>    Role
//	policy/<name>  text of a role before Vault 0.11: a policy or an ARN; read only
//	static-roles/<name>  StaticRole
//	static-creds/<name>  StaticCreds; seal-wrapped
//	pools/<name>   names a role that has a pool
//	journal/       what is under way with keys, and how scheduled rotation stands; local
//	wal/<id>       journal of dynamic users, Vault's write-ahead log; local
package store

import (
	"context"
	"fmt"

	"github.com/hashicorp/vault/sdk/logical"
)

// Records is the records in one mount's storage.
type Records struct{ Storage logical.Storage }

// load decodes the record under key into to, and reports whether there is one.
func (r Records) load(ctx context.Context, key string, to any) (bool, error) {
	entry, err := r.Storage.Get(ctx, key)
	if err != nil {
		return false, fmt.Errorf("read %s: %w", key, err)
	}
	if entry == nil {
		return false, nil
	}
	if err := entry.DecodeJSON(to); err != nil {
		return false, fmt.Errorf("decode %s: %w", key, err)
	}
	return true, nil
}

func (r Records) save(ctx context.Context, key string, record any) error {
	entry, err := logical.StorageEntryJSON(key, record)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	if err := r.Storage.Put(ctx, entry); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
