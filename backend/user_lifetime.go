package backend

import (
	"context"
	"fmt"
	"time"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// lifetime is how long the lease of an IAM user lives, and why not as long as was
// asked for.
type lifetime struct {
	store.Lease
	asked    time.Duration // by the request; 0: nothing
	warnings []string
}

// userLifetime is that of the user to issue: as the role says, else config/lease;
// where the role says anything, the request may ask for another. The mount's
// maximum bounds all of it.
func (b *Backend) userLifetime(ctx context.Context, o *order) (life lifetime, err error) {
	config, _, err := store.Records{Storage: o.storage}.Lease(ctx)
	if err != nil {
		return life, err
	}
	life.Lease = o.role.Lease(config, b.System().DefaultLeaseTTL())
	ttl, asked := o.askedTTL()
	if !asked || !o.role.LimitsTTL() {
		return life, nil
	}
	if ttl <= 0 {
		return life, invalid("ttl %s is no life of a credential: send more, or leave it out for the default", ttl)
	}
	life.asked, life.warnings = cutTTL(ttl, []ttlLimit{
		{"the role's max_ttl", o.role.MaxTTL},
		{"lease_max of config/lease", life.LeaseMax}, // the role's, if it has one
		{"the mount's maximum lease TTL", b.System().MaxLeaseTTL()},
	})
	life.Lease.Lease = life.asked
	return life, nil
}

// takesTTL reports whether ttl counts for an IAM user of the role. Clients of the
// built-in engine, which takes none, send one all the same.
func (o *order) takesTTL() bool { return o.role.Issues(store.IAMUser) && o.role.LimitsTTL() }

// remember has a lease carry what it was issued by: the life that was asked for,
// and the role's limits for the time when the role is gone.
func (l lifetime) remember(lease map[string]any, role *store.Role) {
	for key, ttl := range map[string]time.Duration{"ttl": l.asked, "default_ttl": role.DefaultTTL, "max_ttl": role.MaxTTL} {
		if ttl > 0 {
			lease[key] = ttl
		}
	}
}

// renewalLease is by what a lease is renewed: by its role and config/lease as they
// are now. Where the role is gone, or gives out no IAM users any more, it is the
// limits that the lease was issued with, so that deleting a role lets nobody live
// longer.
func (b *Backend) renewalLease(ctx context.Context, records store.Records, l leased) (store.Lease, error) {
	config, _, err := records.Lease(ctx)
	if err != nil {
		return config, err
	}
	role := &store.Role{DefaultTTL: l.DefaultTTL, MaxTTL: l.MaxTTL}
	if l.Role != "" {
		now, err := records.Role(ctx, l.Role)
		if err != nil {
			return config, err
		}
		if now != nil && now.Issues(store.IAMUser) {
			role = now
		}
	}
	lease := role.Lease(config, b.System().DefaultLeaseTTL())
	if l.TTL > 0 {
		lease.Lease = l.TTL
	}
	return lease, nil
}

// lifetimeWarnings tells of lives that nobody will live. The role is stored by
// then, so that a config/lease that cannot be read is no error.
func (b *Backend) lifetimeWarnings(ctx context.Context, storage logical.Storage, role *store.Role) []string {
	config, _, err := store.Records{Storage: storage}.Lease(ctx)
	if err != nil {
		return nil
	}
	lease, most := role.Lease(config, 0), b.System().MaxLeaseTTL()
	switch {
	case role.MaxTTL > most:
		return []string{fmt.Sprintf("max_ttl %s is more than the mount's maximum lease TTL %s, which bounds every lease", role.MaxTTL, most)}
	case role.DefaultTTL > most:
		return []string{fmt.Sprintf("default_ttl %s is more than the mount's maximum lease TTL %s, which bounds every lease", role.DefaultTTL, most)}
	case lease.LeaseMax > 0 && role.DefaultTTL > lease.LeaseMax:
		return []string{fmt.Sprintf("default_ttl %s is more than lease_max %s of config/lease, which bounds roles without max_ttl", role.DefaultTTL, lease.LeaseMax)}
	}
	return nil
}
