package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
)

// KeyInfo is what IAM tells of an access key.
type KeyInfo struct {
	ID      string
	Created time.Time
	Active  bool
}

// StaticKeys is IAM as keys of static roles need it.
type StaticKeys interface {
	UserKeys
	// KeysOf lists the user's keys, all of them.
	KeysOf(ctx context.Context, user string) ([]KeyInfo, error)
	// LastUsed is when a key was last used; zero if never.
	LastUsed(ctx context.Context, id string) (time.Time, error)
	DeactivateAccessKey(ctx context.Context, user, id string) error
}

// Adoption says what becomes of the keys of a user who has two of them when a
// static role takes the user over.
type Adoption string

// The ways of adoption.
const (
	ReplaceInactive Adoption = "replace_inactive" // an inactive key goes; two active ones are refused
	ReplaceOldest   Adoption = "replace_oldest"
	AdoptNone       Adoption = "fail" // two keys are refused
)

// Adoptions are all ways, the default first.
var Adoptions = []Adoption{ReplaceInactive, ReplaceOldest, AdoptNone}

// StaticRotation is one rotation of a static role's key.
type StaticRotation struct {
	KeyRotation
	IAM      StaticKeys
	UserName string
	Account  string
	Role     string
	Assume   *AssumeStep
	Previous string   // the id of the key before the stored one; "" for none
	Adoption Adoption // of a user that the role has no key of yet
	RootKey  string   // the key this engine itself goes by: its user is left alone
}

// RotateStatic makes a new key for the user of a static role: create, prove,
// store (S1).
//
// The stored key is never deleted here; it stays valid as the previous one. Only
// where the user has two keys does one have to go first: the previous one, never
// a key that somebody else made since. On error the stored key is the one it was,
// and the new one is deleted; where that fails, the worker owes it. The caller
// sees to it that no other rotation of the role is under way.
func (m *Manager) RotateStatic(ctx context.Context, r StaticRotation) error {
	ctx, cancel := context.WithTimeout(ctx, rotateDeadline)
	defer cancel()
	ctx, release, err := r.Keys.Reserve(governor.As(ctx, governor.Rotate), rotationCalls, rotatePatience)
	if err != nil {
		return err
	}
	defer release()
	left, err := m.finishPending(ctx, r.KeyRotation, r.Role)
	if err != nil {
		return err
	}
	current, err := r.Store.StoredKey(ctx)
	if err != nil {
		return err
	}
	keys, err := r.IAM.KeysOf(ctx, r.UserName)
	if err != nil {
		return err
	}
	if slices.Contains(ids(keys), r.RootKey) {
		return cannotRotate("user %q has the root key of this mount, %s: put a key of another user into config/root", r.UserName, r.RootKey)
	}
	outgoing, err := m.outgoing(ctx, r, keys, current)
	if err != nil {
		return err
	}
	e, err := m.announce(ctx, r.Journal, KeyIntent{
		UserName: r.UserName, Account: r.Account, Seen: ids(keys), Old: current, KeepOld: true,
		BegunAt: m.clock.Now().UTC(), Role: r.Role, Assume: r.Assume,
	}, left)
	if err != nil {
		return err
	}
	failed := Recovered(func() error {
		if err := sideBySide(m.removal(ctx, r.Keys.DeleteAccessKey, r.UserName, outgoing)...); err != nil {
			return fmt.Errorf("make room for a new key of user %q: %w", r.UserName, err)
		}
		return m.changeKey(ctx, r.KeyRotation, &e)
	})
	_ = m.finishDetached(ctx, r.KeyRotation, e) // logged there, and the worker's then
	if failed == nil {
		m.Tell(Event{What: WasRotated, Type: TypeStaticKey, Bearer: Bearer{Role: r.Role}, User: r.UserName, AccessKey: e.Intent.New})
	}
	return failed
}

func ids(keys []KeyInfo) []string {
	out := make([]string, len(keys))
	for i, key := range keys {
		out[i] = key.ID
	}
	return out
}

// maxKeys is how many access keys IAM allows a user, active or not.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (checked 2026-11)
const maxKeys = 2

// outgoing is the key that has to go to make room, if any: the one that is not
// current and no younger. IAM tells the time of creation to the second. Where a
// human deleted the current key, the previous one goes: nobody would remember it
// once a new key is stored.
func (m *Manager) outgoing(ctx context.Context, r StaticRotation, keys []KeyInfo, current string) ([]string, error) {
	at := slices.IndexFunc(keys, func(k KeyInfo) bool { return k.ID == current })
	if current != "" && at < 0 && slices.Contains(ids(keys), r.Previous) {
		return []string{r.Previous}, nil
	}
	if len(keys) < maxKeys {
		return nil, nil
	}
	if current == "" {
		slices.SortFunc(keys, func(a, b KeyInfo) int { return a.Created.Compare(b.Created) })
		return m.adopted(ctx, r, keys)
	}
	if at < 0 {
		return nil, cannotRotate("user %q has two keys, %s and %s, and neither is the one of the static role: delete one in IAM", r.UserName, keys[0].ID, keys[1].ID)
	}
	other := keys[1-at]
	if other.Created.After(keys[at].Created) {
		return nil, cannotRotate("user %q has key %s beside the one of the static role, and it is younger: somebody else made it. Delete it in IAM if nothing uses it", r.UserName, other.ID)
	}
	return []string{other.ID}, nil
}

// adopted is the key that goes when a user with two keys, the older first, is
// taken over.
func (m *Manager) adopted(ctx context.Context, r StaticRotation, keys []KeyInfo) ([]string, error) {
	if r.Adoption == ReplaceOldest {
		return []string{keys[0].ID}, nil
	}
	if r.Adoption != AdoptNone {
		for _, key := range keys {
			if !key.Active {
				return []string{key.ID}, nil
			}
		}
	}
	return nil, cannotRotate("user %q has two keys: %s, and %s. Delete one in IAM, or write key_adoption=%s", r.UserName, m.describe(ctx, r, keys[0]), m.describe(ctx, r, keys[1]), ReplaceOldest)
}

// describe tells a person which key it is.
func (m *Manager) describe(ctx context.Context, r StaticRotation, key KeyInfo) string {
	state := "inactive"
	if key.Active {
		state = "active"
	}
	used := "last use unknown"
	switch at, err := r.IAM.LastUsed(ctx, key.ID); {
	case err == nil && at.IsZero():
		used = "never used"
	case err == nil:
		used = "last used " + at.UTC().Format(time.RFC3339)
	}
	age := m.clock.Now().Sub(key.Created).Truncate(time.Hour)
	return fmt.Sprintf("%s (%s, %s old, %s)", key.ID, state, age, used)
}

// DeleteStatic deletes keys of a static role's user; one that is gone counts as
// deleted.
func (m *Manager) DeleteStatic(ctx context.Context, iam UserKeys, user string, keys ...string) error {
	ctx, cancel := context.WithTimeout(ctx, revokeDeadline)
	defer cancel()
	return sideBySide(m.removal(ctx, iam.DeleteAccessKey, user, keys)...)
}
