package backend

import (
	"context"
	"fmt"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/logical"
)

// requestDeadline is how long a request may take in all, the wait included.
const requestDeadline = 50 * time.Second

// awaitReady waits until the new key is known to STS, where the role asks for
// that, and says so in the answer. A client that has left meanwhile costs the
// user, since nobody can learn its key any more.
func (b *Backend) awaitReady(ctx context.Context, o *order, user lifecycle.IssuedUser, resp *logical.Response) error {
	if o.role.PropagationTimeout == 0 {
		return nil
	}
	left := requestDeadline - b.options.Clock.Now().Sub(o.begun)
	state := b.users.AwaitReady(ctx, b.life, o.provers(user.Key), max(min(o.role.PropagationTimeout, left), 0))
	if err := ctx.Err(); err != nil && b.life.Err() == nil {
		b.users.AbandonUser(ctx, b.connect(o.storage), user.Name)
		return fmt.Errorf("wait until the key of user %q is ready: %w", user.Name, err)
	}
	resp.Data["ready"], resp.Data["ready_after"] = state.Ready, moment(state.At)
	if !state.Ready {
		resp.AddWarning("the access key may not work yet: " + state.Why)
	}
	return nil
}

// provers ask STS who the new key is, one for each region of the role.
func (o *order) provers(key lifecycle.AccessKey) (provers []lifecycle.Identifier) {
	for _, region := range o.role.PropagationRegions {
		provers = append(provers, o.root.WithKeyIn(key, region))
	}
	if len(provers) == 0 {
		provers = append(provers, o.root.WithKey(key))
	}
	return provers
}
