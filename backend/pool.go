package backend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// poolName is the display name that users made ahead of time are named with: who
// gets one is not known then.
const poolName = "pool"

// issuePooled hands out a user of the role's pool; nil if there is none.
func (b *Backend) issuePooled(ctx context.Context, o *order, life lifetime, ttl time.Duration) (*logical.Response, error) {
	if o.role.PoolSize == 0 || b.life.Err() != nil {
		return nil, nil
	}
	of, err := b.madeOf(o.role, o.root.config, life.Lease)
	if err != nil {
		return nil, err
	}
	user, found, err := b.users.TakeUser(ctx, lifecycle.Taking{Of: of, Account: o.root.KnownAccount(), Bearer: o.bearer, TTL: ttl})
	if err != nil || !found {
		return nil, err
	}
	resp := b.userAnswer(o, life, user.Key, userLease(o.roleName, user.Spec, user.IssuedUser, user.Latest))
	if o.role.PropagationTimeout != 0 {
		resp.Data["ready"], resp.Data["ready_after"] = true, moment(user.ReadyAt)
	}
	return resp, nil
}

// madeOf is a digest of all that a role's users are made of. What it leaves out
// changes none of them: how many there may be, how long their leases are, how often
// a call is repeated, and when the root key is rotated. The key itself is left out, too: that it is one of
// the same account is compared apart.
func (b *Backend) madeOf(role *store.Role, config *store.RootConfig, lease store.Lease) (string, error) {
	r, c := *role, *config
	r.PoolSize, r.MaxUsers, r.DefaultTTL, r.MaxTTL = 0, 0, 0, 0
	c.MaxUsers, c.MaxRetries, c.AccessKey, c.SecretKey, c.LastRotation = 0, 0, "", "", time.Time{}
	c.RotationSchedule, c.RotationWindow, c.RotationPeriod, c.DisableAutomatedRotation = "", 0, 0, false
	longest := time.Duration(0)
	if role.ExpiryPolicy {
		longest = b.longestLease(lease)
	}
	text, err := json.Marshal([]any{r, c, longest})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// pools lists the pools that the mount's roles ask for. A role that is read while
// it is changed is looked at again at the next pass.
func (b *Backend) pools(storage logical.Storage) lifecycle.Pools {
	records := store.Records{Storage: storage}
	return func(ctx context.Context) (pools []lifecycle.Pool, err error) {
		names, err := records.PoolRoles(ctx)
		if err != nil || len(names) == 0 || !b.ownsUsers() {
			return nil, err
		}
		root, err := b.root(ctx, storage)
		if err != nil {
			return nil, err
		}
		leases, _, err := records.Lease(ctx)
		if err != nil {
			return nil, err
		}
		learnAccount(ctx, root)
		for _, name := range names {
			role, err := records.Role(ctx, name)
			if err != nil {
				return nil, err
			}
			if role == nil || !role.Issues(store.IAMUser) || role.PoolSize == 0 || len(root.config.Forbids(role)) > 0 {
				continue
			}
			p, err := b.pool(storage, root, name, role, role.Lease(leases, b.System().DefaultLeaseTTL()))
			if err != nil {
				return nil, err
			}
			pools = append(pools, p)
		}
		return pools, nil
	}
}

// accountWait bounds the question which account the root credentials act in. A
// client that does not know takes nothing from a pool.
const accountWait = 5 * time.Second

func learnAccount(ctx context.Context, root *root) {
	ctx, cancel := context.WithTimeout(governor.For(ctx, governor.Refill, poolName), accountWait)
	defer cancel()
	_, _ = root.Account(ctx) // the first user that is made tells it, too
}

func (b *Backend) pool(storage logical.Storage, root *root, name string, role *store.Role, lease store.Lease) (lifecycle.Pool, error) {
	of, err := b.madeOf(role, root.config, lease)
	return lifecycle.Pool{
		Role: name, Of: of, Account: root.KnownAccount(), Size: role.PoolSize, MaxAge: role.PoolAge(),
		Order: func(ctx context.Context) (lifecycle.PoolOrder, error) {
			o := &order{
				storage: storage, displayName: poolName, roleName: name, role: role, root: root, shelf: role.PoolAge(),
				bearer: lifecycle.Bearer{Role: name, DisplayName: poolName},
			}
			spec, latest, err := b.planUser(ctx, o, lease)
			return lifecycle.PoolOrder{IAM: root, Spec: spec, Latest: latest, Provers: o.provers}, err
		},
	}, err
}

// poolsLock is what writing locks while the sizes of all pools are added up.
const poolsLock = "pools/"

// putRole writes a role whose pool is not too much for the mount.
func (b *Backend) putRole(ctx context.Context, records store.Records, name string, role *store.Role) error {
	if role.PoolSize == 0 {
		return records.PutRole(ctx, name, role)
	}
	unlock, err := b.writing.Lock(ctx, poolsLock)
	if err != nil {
		return err
	}
	defer unlock()
	names, err := records.PoolRoles(ctx)
	if err != nil {
		return err
	}
	total := role.PoolSize
	for _, other := range names {
		r, err := records.Role(ctx, other)
		if err != nil {
			return err
		}
		if r != nil && other != name {
			total += r.PoolSize
		}
	}
	if total > store.MaxPoolMount {
		return invalid("pool_size %d is too much: the pools of this mount would have %d users together, and may have %d", role.PoolSize, total, store.MaxPoolMount)
	}
	defer b.users.StirPools()
	return records.PutRole(ctx, name, role)
}

// poolWarnings tells of names that users made ahead of time may share.
func (b *Backend) poolWarnings(config *store.RootConfig, role *store.Role) []string {
	if role.PoolSize == 0 || b.namesUnique(config) {
		return nil
	}
	return []string{"pool_size: users of the pool are all named with the display name " + poolName +
		", and username_template of config/root may give two of them the same name: give it more of random"}
}
