package backend

import (
	"context"
	"fmt"
	"strings"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/logical"
)

const (
	userRecords   = "users/" // local to the cluster; no secret
	mountStateKey = ownJournal + "mount"
)

// recordStore keeps lifecycle's records of users and the state of the mount.
type recordStore struct{ storage logical.Storage }

// PutRecord implements lifecycle.Records.
func (s recordStore) PutRecord(ctx context.Context, r lifecycle.UserRecord) error {
	return s.put(ctx, userRecords+r.UserName, r)
}

// Record implements lifecycle.Records.
func (s recordStore) Record(ctx context.Context, user string) (r lifecycle.UserRecord, err error) {
	entry, err := s.storage.Get(ctx, userRecords+user)
	if err != nil {
		return r, err
	}
	if entry == nil {
		return r, lifecycle.ErrNoRecord
	}
	if err := entry.DecodeJSON(&r); err != nil {
		return r, fmt.Errorf("decode %s%s: %w: %w", userRecords, user, lifecycle.ErrUnreadable, err)
	}
	r.UserName = user // whatever the text says
	return r, nil
}

// DeleteRecord implements lifecycle.Records.
func (s recordStore) DeleteRecord(ctx context.Context, user string) error {
	return s.storage.Delete(ctx, userRecords+user)
}

// RecordNames implements lifecycle.Records.
func (s recordStore) RecordNames(ctx context.Context) ([]string, error) {
	return s.storage.List(ctx, userRecords)
}

// MountState implements lifecycle.StateStore.
func (s recordStore) MountState(ctx context.Context) (state lifecycle.MountState, err error) {
	entry, err := s.storage.Get(ctx, mountStateKey)
	if err != nil || entry == nil {
		return state, err
	}
	return state, entry.DecodeJSON(&state)
}

// PutMountState implements lifecycle.StateStore.
func (s recordStore) PutMountState(ctx context.Context, state lifecycle.MountState) error {
	return s.put(ctx, mountStateKey, state)
}

func (s recordStore) put(ctx context.Context, key string, record any) error {
	entry, err := logical.StorageEntryJSON(key, record)
	if err != nil {
		return err
	}
	return s.storage.Put(ctx, entry)
}

// recordOfKey is the user whose record lies under a storage key.
func recordOfKey(key string) (user string, is bool) { return strings.CutPrefix(key, userRecords) }
