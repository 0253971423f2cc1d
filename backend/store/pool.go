package store

import (
	"context"
	"fmt"
	"time"
)

// poolKeys is where roles with a pool are listed, so that nobody reads all roles
// to find them. A name that is listed says only that its role is to be looked at.
const poolKeys = "pools/"

// What a role may ask for; the numbers are lifecycle's MaxPool and MaxPoolMount.
const (
	maxPool = 20
	// MaxPoolMount is the most of all roles of a mount together.
	MaxPoolMount = 100

	leastPoolAge = 10 * time.Minute // less would make users for nothing but their end
	mostPoolAge  = 30 * 24 * time.Hour
	// DefaultPoolMaxAge is for a role that says nothing.
	DefaultPoolMaxAge = 24 * time.Hour
)

// PoolAge is how long a user may lie in the role's pool.
func (r *Role) PoolAge() time.Duration {
	if r.PoolMaxAge == 0 {
		return DefaultPoolMaxAge
	}
	return r.PoolMaxAge
}

func (r *Role) poolProblem() string {
	switch {
	case r.PoolSize < 0 || r.PoolSize > maxPool:
		return fmt.Sprintf("pool_size %d is out of range: 0 (no pool) to %d", r.PoolSize, maxPool)
	case r.PoolMaxAge != 0 && (r.PoolMaxAge < leastPoolAge || r.PoolMaxAge > mostPoolAge):
		return fmt.Sprintf("pool_max_age %s is out of range: %s to %s, or 0 for %s", r.PoolMaxAge, leastPoolAge, mostPoolAge, DefaultPoolMaxAge)
	case r.MaxUsers > 0 && r.PoolSize > r.MaxUsers:
		return fmt.Sprintf("pool_size %d is more than max_users %d, which counts the users in the pool, too", r.PoolSize, r.MaxUsers)
	}
	return ""
}

// PoolRoles lists the names of roles that may have a pool.
func (r Records) PoolRoles(ctx context.Context) ([]string, error) {
	names, err := r.Storage.List(ctx, poolKeys)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", poolKeys, err)
	}
	return names, nil
}

// announcePool lists a role that is going to have a pool.
func (r Records) announcePool(ctx context.Context, name string, role *Role) error {
	if role.PoolSize == 0 {
		return nil
	}
	return r.save(ctx, poolKeys+name, struct{}{})
}

// retractPool ends the listing of a role that has no pool any more.
func (r Records) retractPool(ctx context.Context, name string) error {
	entry, err := r.Storage.Get(ctx, poolKeys+name)
	if err != nil {
		return fmt.Errorf("read %s: %w", poolKeys+name, err)
	}
	if entry == nil {
		return nil
	}
	return r.remove(ctx, poolKeys+name)
}
