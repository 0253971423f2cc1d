package backend

import (
	"context"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// noticing is storage whose writes are told to what is kept in memory of it, as
// Vault tells of what other nodes write.
type noticing struct {
	logical.Storage
	notice func(key string)
}

// noticing is the storage of a request, or of the mount's own work.
func (b *Backend) noticing(storage logical.Storage) logical.Storage {
	return noticing{Storage: storage, notice: b.noteStatic}
}

// Put implements logical.Storage. A write that failed may have taken effect.
func (s noticing) Put(ctx context.Context, entry *logical.StorageEntry) error {
	defer s.notice(entry.Key)
	return s.Storage.Put(ctx, entry)
}

// Delete implements logical.Storage.
func (s noticing) Delete(ctx context.Context, key string) error {
	defer s.notice(key)
	return s.Storage.Delete(ctx, key)
}

// noteStatic has a static role read again whose record or key lies under a key.
func (b *Backend) noteStatic(key string) {
	if name, is := store.StaticRoleOfKey(key); is {
		b.statics.change(name)
	}
}
