package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// aheadTimeout bounds connecting ahead.
const aheadTimeout = 10 * time.Second

// connectAhead connects to STS in the background, so that the first session after
// a start or a new root config does not wait for the handshake. It makes no call.
// It ends with the mount, and a failure is the first request's to report.
func (b *Backend) connectAhead(storage logical.Storage) {
	b.connecting.Go(func() {
		ctx, cancel := context.WithTimeout(b.life, aheadTimeout)
		defer cancel()
		err := lifecycle.Recovered(func() error { return b.tryConnectAhead(ctx, storage) })
		b.Logger().Debug("connecting to STS ahead is over", "error", err)
		b.logPanic(err)
	})
}

func (b *Backend) tryConnectAhead(ctx context.Context, storage logical.Storage) error {
	if _, found, err := (store.Records{Storage: storage}).RootConfig(ctx); err != nil || !found {
		return err
	}
	root, err := b.root(ctx, storage)
	if err != nil {
		return err
	}
	return root.ConnectAhead(ctx)
}

// awaitConnecting waits until nothing connects ahead any more, or ctx ends.
func (b *Backend) awaitConnecting(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.connecting.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}
