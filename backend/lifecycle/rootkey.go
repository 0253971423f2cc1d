package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
)

// RootRotation is one rotation of the root key.
type RootRotation struct {
	KeyRotation
	// RetireAfter is how long the old key stays after it was replaced; 0: it
	// goes at once.
	RetireAfter time.Duration
}

// Rotated is the outcome of a rotation.
type Rotated struct {
	AccessKey string // the new key in force
	// Leftover is why the old key could not be deleted yet, nil if it is gone
	// or is to stay for a while. The worker deletes it.
	Leftover error
}

// RotateRoot replaces the root key by a new one.
//
// The new key is journalled before it is made, proven before it is stored, and
// stored before the old one is deleted (R1). On error the stored key is the one
// it was and works, and the new key is deleted; where that fails, the worker
// owes it. No more than one rotation of a mount runs at a time.
func (m *Manager) RotateRoot(ctx context.Context, r RootRotation) (Rotated, error) {
	if !m.rotating.TryLock() {
		return Rotated{}, cannotRotate("another rotation is under way; wait for it")
	}
	defer m.rotating.Unlock()
	ctx, cancel := context.WithTimeout(ctx, rotateDeadline)
	defer cancel()
	ctx, release, err := r.Keys.Reserve(governor.As(ctx, governor.Rotate), rotationCalls, rotatePatience)
	if err != nil {
		return Rotated{}, err
	}
	defer release()

	left, err := m.finishPending(ctx, r.KeyRotation, "")
	if err != nil {
		return Rotated{}, err
	}
	e, err := m.announceKey(ctx, r, left)
	if err != nil {
		return Rotated{}, err
	}
	failed := Recovered(func() error { return m.changeKey(ctx, r.KeyRotation, &e) })
	leftover := m.finishDetached(ctx, r.KeyRotation, e)
	if failed != nil {
		return Rotated{}, failed
	}
	m.Tell(Event{What: WasRotated, Type: TypeRootKey, User: e.Intent.UserName, AccessKey: e.Intent.New})
	if lost := (*lostKeyError)(nil); errors.As(leftover, &lost) {
		leftover = nil // the old key is gone
	}
	return Rotated{AccessKey: e.Intent.New, Leftover: leftover}, nil
}

// announceKey finds out whose key is rotated and writes down that it will get
// another.
func (m *Manager) announceKey(ctx context.Context, r RootRotation, left inherited) (KeyEntry, error) {
	oldID, err := r.Store.StoredKey(ctx)
	if err != nil {
		return KeyEntry{}, err
	}
	identity, err := r.Keys.Identity(ctx)
	if err != nil {
		return KeyEntry{}, err
	}
	user, err := userOf(identity.ARN)
	if err != nil {
		return KeyEntry{}, err
	}
	seen, err := r.Keys.ListAccessKeys(ctx, user)
	if err != nil {
		return KeyEntry{}, err
	}
	if others := slices.DeleteFunc(slices.Clone(seen), func(id string) bool { return id == oldID }); len(seen) > 1 {
		return KeyEntry{}, cannotRotate("IAM user %q has two keys, and AWS allows no third: delete %s in IAM if nothing uses it", user, strings.Join(others, ", "))
	}
	now := m.clock.Now().UTC()
	return m.announce(ctx, r.Journal, KeyIntent{
		UserName: user, Account: identity.Account, Seen: seen, Old: oldID, BegunAt: now, RetireAt: now.Add(r.RetireAfter),
	}, left)
}

// userOf is the name of the IAM user in the ARN of a caller.
func userOf(arn string) (string, error) {
	resource := arn[strings.LastIndex(arn, ":")+1:]
	if resource == "root" {
		return "", cannotRotate("these are keys of the account's root user (%s): use those of a dedicated IAM user", arn)
	}
	path, ok := strings.CutPrefix(resource, "user/")
	if !ok {
		return "", cannotRotate("the root credentials are not an IAM user's but %s: put an IAM user's key into config/root", arn)
	}
	return path[strings.LastIndex(path, "/")+1:], nil
}
