package store

import (
	"cmp"
	"context"
	"time"
)

const leaseKey = "config/lease"

// Lease is what config/lease holds: how long IAM user credentials live. Zero
// values leave it to the mount. The JSON names are Go's own, as in the built-in
// engine's record.
type Lease struct {
	Lease    time.Duration
	LeaseMax time.Duration
}

// LimitsTTL reports whether the role says how long its IAM users live, and so
// lets a request say it.
func (r *Role) LimitsTTL() bool { return r.DefaultTTL > 0 || r.MaxTTL > 0 }

// Lease is how long the role's IAM users live: what the role does not set is that
// of config/lease, and what that does not set the mount's. A default that the role
// did not set is not above the maximum that it did: nobody asked for more.
func (r *Role) Lease(config Lease, mountDefault time.Duration) Lease {
	lease := Lease{Lease: cmp.Or(r.DefaultTTL, config.Lease), LeaseMax: cmp.Or(r.MaxTTL, config.LeaseMax)}
	if r.DefaultTTL == 0 && r.MaxTTL > 0 && cmp.Or(lease.Lease, mountDefault) > r.MaxTTL {
		lease.Lease = r.MaxTTL
	}
	return lease
}

// Lease reads the lease settings, and whether there are any.
func (r Records) Lease(ctx context.Context) (Lease, bool, error) {
	var l Lease
	found, err := r.load(ctx, leaseKey, &l)
	return l, found, err
}

// PutLease writes the lease settings.
func (r Records) PutLease(ctx context.Context, l Lease) error {
	return r.save(ctx, leaseKey, l)
}
