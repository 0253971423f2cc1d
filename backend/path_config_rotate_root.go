package backend

import (
	"context"
	"errors"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathConfigRotateRoot serves config/rotate-root: a new key for the root user.
func (b *Backend) pathConfigRotateRoot() *framework.Path {
	return &framework.Path{
		Pattern: "config/rotate-root",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: forwarded(operation(b.rotateRoot, "Replace the root key by a new one.")),
		},
		HelpSynopsis:    "Replace the root key by a new one that only Vault knows.",
		HelpDescription: help("config_rotate_root.txt"),
	}
}

// rotateRoot handles an update of config/rotate-root.
func (b *Backend) rotateRoot(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	rotated, err := b.rotateRootKey(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	resp := &logical.Response{Data: map[string]any{"access_key": rotated.AccessKey}}
	if rotated.Leftover != nil {
		resp.AddWarning("the new key is in force, but the old one could not be deleted yet; it is tried again: " + explain(rotated.Leftover))
	}
	return resp, nil
}

// rotateCredential is rotateRoot for Vault's rotation manager. It never reports
// success for a rotation that did not happen.
func (b *Backend) rotateCredential(ctx context.Context, req *logical.Request) error {
	_, err := b.rotateRootKey(ctx, req.Storage)
	return err
}

func (b *Backend) rotateRootKey(ctx context.Context, storage logical.Storage) (lifecycle.Rotated, error) {
	if err := b.users.Halted(ctx); err != nil {
		return lifecycle.Rotated{}, err
	}
	rotation, err := b.rotation(ctx, storage)
	if err != nil {
		return lifecycle.Rotated{}, err
	}
	if err := b.ownRootKey(ctx, store.Records{Storage: storage}); err != nil {
		return lifecycle.Rotated{}, err
	}
	rotated, err := b.users.RotateRoot(ctx, rotation)
	if errors.Is(err, lifecycle.ErrCannotRotate) {
		err = invalid("%v", err)
	}
	if err != nil {
		b.users.Tell(lifecycle.Event{What: lifecycle.WasNotRotated, Type: lifecycle.TypeRootKey})
	}
	b.noteRotation(context.WithoutCancel(ctx), storage, err)
	return rotated, err
}

// ownRootKey refuses a root key that a static role rotates: whoever rotated it
// would end the other's.
func (b *Backend) ownRootKey(ctx context.Context, records store.Records) error {
	c, _, err := records.RootConfig(ctx)
	if err != nil {
		return err
	}
	role, err := b.staticRoleOf(ctx, records, c.AccessKey)
	if err != nil || role == "" {
		return err
	}
	return invalid("the root key %s is the key of static role %q: put a key of another user into config/root", c.AccessKey, role)
}

// secondariesLag is how long the old key stays where other clusters read the
// root config: they still hold it until replication has told them.
const secondariesLag = 10 * time.Minute

// rotation is a rotation of the root key in force.
func (b *Backend) rotation(ctx context.Context, storage logical.Storage) (lifecycle.RootRotation, error) {
	c, found, err := store.Records{Storage: storage}.RootConfig(ctx)
	if err != nil {
		return lifecycle.RootRotation{}, err
	}
	if !found {
		return lifecycle.RootRotation{}, invalid("no configuration found for config/root: write it first")
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return lifecycle.RootRotation{}, invalid("Cannot call config/rotate-root when either access_key or secret_key is empty: the root credentials are the Vault server's own; write both to config/root first")
	}
	root, err := b.root(ctx, storage)
	if err != nil {
		return lifecycle.RootRotation{}, err
	}
	r := lifecycle.RootRotation{KeyRotation: lifecycle.KeyRotation{
		Keys:    root,
		As:      as(root.Client),
		Store:   rootKeyStore{backend: b, records: store.Records{Storage: storage}},
		Journal: keyJournal{storage: storage, prefix: rootKeyJournal},
	}}
	if b.System().ReplicationState().HasState(consts.ReplicationPerformancePrimary) && !b.System().LocalMount() {
		r.RetireAfter = secondariesLag
	}
	return r, nil
}

// rootKeyDuty finishes what rotations left.
func (b *Backend) rootKeyDuty(storage logical.Storage) lifecycle.Duty {
	return b.users.KeyDuty("root key", keyJournal{storage: storage, prefix: rootKeyJournal}, func(ctx context.Context, _ lifecycle.KeyIntent) (lifecycle.KeyRotation, error) {
		r, err := b.rotation(ctx, storage)
		return r.KeyRotation, err
	})
}

// rootKeyStore is the root key in config/root.
type rootKeyStore struct {
	backend *Backend
	records store.Records
}

// StoredKey implements lifecycle.KeyStore.
func (s rootKeyStore) StoredKey(ctx context.Context) (string, error) {
	c, _, err := s.records.RootConfig(ctx)
	if err == nil && c.AccessKey == "" {
		err = errors.New("config/root holds no key")
	}
	return c.AccessKey, err
}

// ReplaceKey implements lifecycle.KeyStore. The record is read again: an
// operator may have changed it since the rotation began.
func (s rootKeyStore) ReplaceKey(ctx context.Context, oldID string, key lifecycle.AccessKey) error {
	unlock, err := s.backend.writing.Lock(ctx, store.RootConfigKey)
	if err != nil {
		return err
	}
	defer unlock()
	c, _, err := s.records.RootConfig(ctx)
	if err != nil {
		return err
	}
	if c.AccessKey != oldID {
		return lifecycle.ErrConfigChanged
	}
	defer s.backend.users.PoolsChanged() // the new client has yet to learn its account
	c.AccessKey, c.SecretKey, c.LastRotation = key.ID, key.Secret.Reveal(), s.backend.options.Clock.Now().UTC()
	return s.records.PutRootConfig(ctx, c)
}

// as reaches AWS with a new key, on the way that a client does.
func as(client *awsclient.Client) func(ctx context.Context, key lifecycle.AccessKey) (lifecycle.Identifier, error) {
	return func(_ context.Context, key lifecycle.AccessKey) (lifecycle.Identifier, error) {
		return client.WithKey(key), nil
	}
}
