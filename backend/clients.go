package backend

import (
	"context"
	"crypto/sha256"
	"sync"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// root is what a stored root config is made into: an AWS client and a name
// template. It is immutable and lives as long as the record stays the same.
type root struct {
	*awsclient.Client
	config *store.RootConfig
	names  *naming.Template
}

// clients keeps the root of the latest root config, so that connections, the
// SDK's retry budget and the parsed template are shared by all requests. It is
// keyed by the stored record, so a node that learns of a new one by replication
// needs no telling.
type clients struct {
	mu   sync.Mutex
	key  [sha256.Size]byte
	root *root
}

// drop forgets the root, and closes its connections that are idle.
func (c *clients) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.root != nil {
		c.root.Close()
	}
	c.root = nil
}

// root returns the client of the root config in storage. Making one sends
// nothing to AWS, so the lock is never held across a call.
func (b *Backend) root(ctx context.Context, storage logical.Storage) (*root, error) {
	text, err := store.Records{Storage: storage}.StoredRootConfig(ctx)
	if err != nil {
		return nil, err
	}
	key := sha256.Sum256(text)
	b.clients.mu.Lock()
	defer b.clients.mu.Unlock()
	if b.clients.root != nil && b.clients.key == key {
		return b.clients.root, nil
	}
	config, err := store.DecodeRootConfig(text)
	if err != nil {
		return nil, err
	}
	made, err := b.makeRoot(ctx, config)
	if err != nil {
		return nil, err
	}
	if b.clients.root != nil {
		b.clients.root.Close()
	}
	b.clients.key, b.clients.root = key, made
	return made, nil
}

func (b *Backend) makeRoot(ctx context.Context, config *store.RootConfig) (*root, error) {
	settings := b.settingsOf(config)
	if settings.Ambient() && b.options.Ambient == AmbientForbidden {
		return nil, invalid("config/root holds no access_key, and this plugin was registered with -ambient-credentials=off: write access_key and secret_key to config/root")
	}
	names, err := naming.Parse(diagnose.TemplateOf(config), b.options.Clock.Now)
	if err != nil {
		return nil, invalid("config/root: %v", err)
	}
	client, err := awsclient.New(context.WithoutCancel(ctx), settings)
	if err != nil {
		return nil, invalid("%v", err)
	}
	return &root{Client: client, config: config, names: names}, nil
}

// settingsOf says how AWS is reached. sts_region and the fallbacks have an
// effect with and without sts_endpoint.
func (b *Backend) settingsOf(c *store.RootConfig) awsclient.Settings {
	endpoints := []awsclient.Endpoint{{URL: c.STSEndpoint, Region: c.STSRegion}}
	for i := range min(len(c.STSFallbackEndpoints), len(c.STSFallbackRegions)) {
		endpoints = append(endpoints, awsclient.Endpoint{URL: c.STSFallbackEndpoints[i], Region: c.STSFallbackRegions[i]})
	}
	return awsclient.Settings{
		WebIdentity: b.webIdentity(c),
		AccessKey:   c.AccessKey,
		SecretKey:   c.SecretKey,
		Region:      c.Region,
		IAMEndpoint: c.IAMEndpoint,
		STS:         endpoints,
		MaxRetries:  c.MaxRetries,
		Now:         b.options.Clock.Now,
		Transport:   b.options.Transport,
		Accounts:    b.accounts,
		Observe:     b.observeCall,
	}
}

// connect is how the worker reaches IAM.
func (b *Backend) connect(storage logical.Storage) lifecycle.Connect {
	return func(ctx context.Context) (lifecycle.Users, error) {
		root, err := b.root(ctx, storage)
		if err != nil {
			return nil, err
		}
		return root, nil
	}
}

// invalidate drops what is remembered of a stored record that changed elsewhere:
// the indexes of users and of static roles, and the client of a root config, whose idle connections
// need not wait for the next request to be let go.
func (b *Backend) invalidate(_ context.Context, key string) {
	if user, is := recordOfKey(key); is {
		b.users.InvalidateRecord(user)
	}
	b.noteStatic(key)
	b.users.PoolsChanged()
	if key != store.RootConfigKey {
		return
	}
	b.clients.drop()
}
