package store

import (
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
