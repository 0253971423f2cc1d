package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// Identifier tells who its credentials are in AWS.
type Identifier interface {
	Identity(ctx context.Context) (Identity, error)
}

// RootKeys is IAM and STS as rotating the root key needs them.
type RootKeys interface {
	Identifier
	ListAccessKeys(ctx context.Context, user string) (ids []string, err error)
	CreateAccessKey(ctx context.Context, user string) (AccessKey, error)
	DeleteAccessKey(ctx context.Context, user, id string) error
}

// Identity is who credentials are in AWS.
type Identity struct {
	Account string
	ARN     string
}

// RootConfig is where the root key is stored.
type RootConfig interface {
	// StoredKey is the id of the root key in force, "" for none.
	StoredKey(ctx context.Context) (string, error)
	// ReplaceKey stores a new key in place of the old. It returns
	// ErrConfigChanged, and stores nothing, if the stored key is not the old one.
	ReplaceKey(ctx context.Context, oldID string, key AccessKey) error
}

// KeyIntent is the journal entry that announces a key of the root user. It holds
// no secret.
type KeyIntent struct {
	UserName string    `json:"user_name"`
	Account  string    `json:"account"`
	Seen     []string  `json:"seen"` // ids of the keys that the user had before
	Old      string    `json:"old"`  // the key in force when the rotation began
	New      string    `json:"new"`  // "" until AWS told it
	BegunAt  time.Time `json:"begun_at"`
	RetireAt time.Time `json:"retire_at"` // when the old key may go, once it is replaced
}

// KeyEntry is a key's journal entry as read back.
type KeyEntry struct {
	ID     EntryID
	Intent KeyIntent
}

// KeyJournal is where keys to come are written down before AWS hears of them.
type KeyJournal interface {
	RecordKey(ctx context.Context, intent KeyIntent) (KeyEntry, error)
	StrikeKey(ctx context.Context, id EntryID) error
	KeyEntries(ctx context.Context) ([]EntryID, error)
	// LoadKey returns ErrNoEntry for an entry that is gone.
	LoadKey(ctx context.Context, id EntryID) (KeyEntry, error)
	// ReassertKey writes the entry again; it fails on a node that may not write.
	ReassertKey(ctx context.Context, e KeyEntry) error
}

// RootRotation is one rotation of the root key.
type RootRotation struct {
	Keys RootKeys // as the old key
	// As is STS as the new key, to prove it.
	As      func(ctx context.Context, key AccessKey) (Identifier, error)
	Config  RootConfig
	Journal KeyJournal
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

// ErrCannotRotate says that the root key is not one that can be rotated now. The
// text says why and what to do.
var ErrCannotRotate = errors.New("the root key cannot be rotated")

// ErrConfigChanged says that somebody stored another root key meanwhile.
var ErrConfigChanged = cannotRotate("config/root was changed meanwhile; the new key is deleted and nothing else happened")

func cannotRotate(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCannotRotate, fmt.Sprintf(format, args...))
}

const (
	rotateDeadline = 50 * time.Second
	// proofDeadline bounds the wait for AWS to know the new key; it takes
	// seconds, and AWS promises nothing.
	proofDeadline = 30 * time.Second
	proofEvery    = time.Second
	// proofs is how often in a row STS has to accept the new key: its servers
	// learn of it one after the other.
	proofs = 3
)

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

	e, err := m.announceKey(ctx, r)
	if err != nil {
		return Rotated{}, err
	}
	failed := Recovered(func() error { return m.replaceKey(ctx, r, &e) })
	leftover := m.finishDetached(ctx, r, e)
	if failed != nil {
		return Rotated{}, failed
	}
	return Rotated{AccessKey: e.Intent.New, Leftover: leftover}, nil
}

// announceKey finds out whose key is rotated and writes down that it will get
// another.
func (m *Manager) announceKey(ctx context.Context, r RootRotation) (KeyEntry, error) {
	oldID, err := r.Config.StoredKey(ctx)
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
	return r.Journal.RecordKey(ctx, KeyIntent{
		UserName: user, Account: identity.Account, Seen: seen, Old: oldID, BegunAt: now, RetireAt: now.Add(r.RetireAfter),
	})
}

// userOf is the name of the IAM user in the ARN of a caller.
func userOf(arn string) (string, error) {
	resource := arn[strings.LastIndex(arn, ":")+1:]
	if resource == "root" {
		return "", cannotRotate("these are keys of the account's root user (%s): use those of a dedicated IAM user", arn)
	}
	path, ok := strings.CutPrefix(resource, "user/")
	if !ok {
		return "", cannotRotate("the root credentials are not an IAM user's but %s", arn)
	}
	return path[strings.LastIndex(path, "/")+1:], nil
}

// replaceKey makes, proves and stores the new key.
func (m *Manager) replaceKey(ctx context.Context, r RootRotation, e *KeyEntry) error {
	key, err := m.makeRootKey(ctx, r, e.Intent)
	if err != nil {
		return fmt.Errorf("create access key of root user %q: %w", e.Intent.UserName, err)
	}
	e.Intent.New = key.ID
	if err := r.Journal.ReassertKey(ctx, *e); err != nil {
		return fmt.Errorf("journal the new root key: %w", err)
	}
	if err := m.proveKey(ctx, r, key); err != nil {
		return err
	}
	if m.overdue(e.Intent.BegunAt, rotateDeadline) {
		return fmt.Errorf("rotate the root key: %w", context.DeadlineExceeded)
	}
	return r.Config.ReplaceKey(ctx, e.Intent.Old, key)
}

// makeRootKey makes a key, also when AWS's answer is lost (L8): then a key that
// the user did not have before is one that nobody holds. It is deleted, and a key
// is made once more.
func (m *Manager) makeRootKey(ctx context.Context, r RootRotation, intent KeyIntent) (key AccessKey, err error) {
	create := func() (err error) {
		key, err = r.Keys.CreateAccessKey(ctx, intent.UserName)
		return err
	}
	err = m.settle(ctx, busy, create)
	if err == nil || awserr.Refused(err) || ctx.Err() != nil {
		return key, err
	}
	if err := m.deleteLost(ctx, r.Keys, intent, intent.Old); err != nil {
		return key, err
	}
	err = m.settle(ctx, busy, create)
	return key, err
}

// proveKey waits until STS accepts the new key three times in a row.
func (m *Manager) proveKey(ctx context.Context, r RootRotation, key AccessKey) error {
	sts, err := r.As(ctx, key)
	if err != nil {
		return err
	}
	end := m.clock.Now().Add(proofDeadline)
	for accepted := 0; ; {
		_, err := sts.Identity(ctx)
		if accepted++; err != nil {
			accepted = 0
		}
		switch {
		case accepted == proofs:
			return nil
		case err != nil && m.clock.Now().After(end):
			return fmt.Errorf("prove the new root key: %w", err)
		}
		if err := m.clock.Sleep(ctx, proofEvery); err != nil {
			return fmt.Errorf("prove the new root key: %w", err)
		}
	}
}

// finishDetached is finishKey for a request that may have ended. What it could
// not do is left to the worker.
func (m *Manager) finishDetached(ctx context.Context, r RootRotation, e KeyEntry) error {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	err := Recovered(func() error { return m.finishKey(ctx, r, e) })
	if err != nil {
		m.log.Warn("keys of the root user are left to the worker", "user", e.Intent.UserName, "error", err)
	}
	return err
}

// finishKey brings the root user to the one stored key and strikes the entry. It
// asks storage which key is in force, since a write whose answer was lost may
// have replaced it. The old key goes only if the rotation's own key is stored,
// and when its time has come; while it has to stay, the entry stays too. It may
// be repeated.
func (m *Manager) finishKey(ctx context.Context, r RootRotation, e KeyEntry) error {
	stored, err := r.Config.StoredKey(ctx)
	if err != nil {
		return err
	}
	if stored == e.Intent.New && stored != "" {
		if m.clock.Now().Before(e.Intent.RetireAt) {
			return nil
		}
		err = sideBySide(m.removal(ctx, r.Keys.DeleteAccessKey, e.Intent.UserName, []string{e.Intent.Old})...)
	} else {
		err = m.deleteLost(ctx, r.Keys, e.Intent, stored)
	}
	if err != nil {
		return fmt.Errorf("delete the unused key of root user %q: %w", e.Intent.UserName, err)
	}
	return r.Journal.StrikeKey(ctx, e.ID)
}

// deleteLost deletes the key that the rotation made and nobody uses. Where AWS's
// answer was lost it is the one that the user did not have when the rotation
// began: there was room for one only, and the rotation asked for it.
func (m *Manager) deleteLost(ctx context.Context, iam RootKeys, intent KeyIntent, keep string) error {
	lost := []string{intent.New}
	if intent.New == "" {
		ids, err := iam.ListAccessKeys(ctx, intent.UserName)
		if err != nil {
			return err
		}
		lost = slices.DeleteFunc(ids, func(id string) bool { return id == keep || slices.Contains(intent.Seen, id) })
	}
	return sideBySide(m.removal(ctx, iam.DeleteAccessKey, intent.UserName, lost)...)
}

// RootKeyDuty is the worker's duty over the journal of root keys: it finishes what
// a rotation left, a key that nobody uses or an old one whose time has come.
func (m *Manager) RootKeyDuty(journal KeyJournal, rotation func(ctx context.Context) (RootRotation, error)) Duty {
	return Duty{
		Name:  "root key",
		Items: journal.KeyEntries,
		Attend: func(ctx context.Context, id EntryID) error {
			ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
			defer cancel()
			return m.attendKey(ctx, journal, rotation, id)
		},
	}
}

func (m *Manager) attendKey(ctx context.Context, journal KeyJournal, rotation func(ctx context.Context) (RootRotation, error), id EntryID) error {
	e, err := journal.LoadKey(ctx, id)
	if errors.Is(err, ErrNoEntry) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load journal entry: %w", err)
	}
	if !m.overdue(e.Intent.BegunAt, RollbackMinAge) || m.clock.Now().Before(e.Intent.RetireAt) {
		return nil
	}
	r, err := rotation(ctx)
	if err != nil {
		return err
	}
	identity, err := r.Keys.Identity(ctx)
	if err != nil {
		return err
	}
	if err := compareAccounts(e.Intent.Account, identity.Account); err != nil {
		return fmt.Errorf("finish the rotation of user %q: %w", e.Intent.UserName, err)
	}
	if err := journal.ReassertKey(ctx, e); err != nil {
		return fmt.Errorf("finish the rotation of user %q: %w", e.Intent.UserName, err)
	}
	return m.finishKey(ctx, r, e)
}
