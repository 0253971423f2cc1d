package lifecycle_test

import (
	"context"
	"maps"
	"slices"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

// records is the records and the state of the mount as one process reaches them.
type records struct{ *process }

var (
	_ lifecycle.Records    = records{}
	_ lifecycle.StateStore = records{}
)

// PutRecord implements lifecycle.Records.
func (r records) PutRecord(ctx context.Context, record lifecycle.UserRecord) error {
	return r.call(ctx, call{"records:PutRecord", record.UserName}, func() error {
		r.world.records[record.UserName] = record
		return nil
	})
}

// Record implements lifecycle.Records.
func (r records) Record(ctx context.Context, user string) (record lifecycle.UserRecord, err error) {
	err = r.call(ctx, call{"records:Record", user}, func() error {
		var found bool
		if record, found = r.world.records[user]; !found {
			return lifecycle.ErrNoRecord
		}
		return nil
	})
	return record, err
}

// DeleteRecord implements lifecycle.Records.
func (r records) DeleteRecord(ctx context.Context, user string) error {
	return r.call(ctx, call{"records:DeleteRecord", user}, func() error {
		delete(r.world.records, user)
		return nil
	})
}

// RecordNames implements lifecycle.Records.
func (r records) RecordNames(ctx context.Context) (names []string, err error) {
	err = r.call(ctx, call{op: "records:RecordNames"}, func() error {
		names = slices.Sorted(maps.Keys(r.world.records))
		return nil
	})
	return names, err
}

// MountState implements lifecycle.StateStore.
func (r records) MountState(ctx context.Context) (s lifecycle.MountState, err error) {
	err = r.call(ctx, call{op: "records:MountState"}, func() error {
		s = r.world.state
		return nil
	})
	return s, err
}

// PutMountState implements lifecycle.StateStore.
func (r records) PutMountState(ctx context.Context, s lifecycle.MountState) error {
	return r.call(ctx, call{op: "records:PutMountState"}, func() error {
		r.world.state = s
		return nil
	})
}
