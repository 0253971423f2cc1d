package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
)

// Identifier tells who its credentials are in AWS.
type Identifier interface {
	Identity(ctx context.Context) (Identity, error)
}

// UserKeys is IAM and STS as changing a key needs them.
type UserKeys interface {
	Reserver
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

// KeyStore is where a key is stored: config/root, or a static role's credentials.
type KeyStore interface {
	// StoredKey is the id of the key in force, "" for none.
	StoredKey(ctx context.Context) (string, error)
	// ReplaceKey stores a new key in place of the old. It returns
	// ErrConfigChanged, and stores nothing, if the stored key is not the old one.
	ReplaceKey(ctx context.Context, oldID string, key AccessKey) error
}

// KeyIntent is the journal entry that announces a key. It holds no secret.
type KeyIntent struct {
	UserName string    `json:"user_name"`
	Account  string    `json:"account"`
	Seen     []string  `json:"seen"` // ids of the keys that the user had before
	Old      string    `json:"old"`  // the key in force when the rotation began
	New      string    `json:"new"`  // "" until AWS told it
	BegunAt  time.Time `json:"begun_at"`
	RetireAt time.Time `json:"retire_at"` // when the old key may go, once it is replaced
	// Lost is how many answers to CreateAccessKey were lost and whose keys were
	// not found yet: a list may not show a key of seconds ago.
	Lost int `json:"lost,omitempty"`
	// KeepOld leaves the old key to whoever asked for the rotation.
	KeepOld bool `json:"keep_old,omitempty"`

	Role   string      `json:"role,omitempty"`   // the static role; "" for the root key
	Assume *AssumeStep `json:"assume,omitempty"` // how the user's account is reached; nil: it is the root's
}

// AssumeStep is an IAM role of another account, through which its users are
// reached.
type AssumeStep struct {
	RoleARN     string `json:"role_arn"`
	SessionName string `json:"session_name"`
	ExternalID  string `json:"external_id,omitempty"`
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

// KeyRotation is the change of an IAM user's access key in some store.
type KeyRotation struct {
	Keys UserKeys // as somebody who may change the user's keys
	// As is STS as the new key, to prove it.
	As      func(ctx context.Context, key AccessKey) (Identifier, error)
	Store   KeyStore
	Journal KeyJournal
}

// ErrCannotRotate says that a key is not one that can be rotated now. The
// text says why and what to do.
var ErrCannotRotate = errors.New("the key cannot be rotated")

// ErrConfigChanged says that somebody stored another key meanwhile.
var ErrConfigChanged = cannotRotate("the stored key was changed meanwhile; the new key is deleted and nothing else happened; rotate again")

func cannotRotate(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCannotRotate, fmt.Sprintf(format, args...))
}

const (
	rotateDeadline = 50 * time.Second
	// rotationCalls are those of IAM: list, create, delete.
	rotationCalls = 3
	// proofDeadline bounds the wait for AWS to know the new key; it takes
	// seconds, and AWS promises nothing.
	proofDeadline = 30 * time.Second
)

// changeKey makes, proves and stores the new key.
func (m *Manager) changeKey(ctx context.Context, r KeyRotation, e *KeyEntry) error {
	key, err := m.makeKey(ctx, r, &e.Intent)
	if err != nil {
		return fmt.Errorf("create access key of user %q: %w", e.Intent.UserName, err)
	}
	e.Intent.New = key.ID
	if err := r.Journal.ReassertKey(ctx, *e); err != nil {
		return fmt.Errorf("journal the new key: %w", err)
	}
	if err := m.proveKey(ctx, r, key); err != nil {
		return err
	}
	if m.overdue(e.Intent.BegunAt, rotateDeadline) {
		return fmt.Errorf("change the key of user %q: %w", e.Intent.UserName, context.DeadlineExceeded)
	}
	return r.Store.ReplaceKey(ctx, e.Intent.Old, key)
}

// makeKey makes a key, also when AWS's answer is lost (L8): then a key that
// the user did not have before is one that nobody holds. It is deleted, and a key
// is made once more.
func (m *Manager) makeKey(ctx context.Context, r KeyRotation, intent *KeyIntent) (key AccessKey, err error) {
	create := func() error {
		err := m.settle(ctx, busy, func() (err error) {
			key, err = r.Keys.CreateAccessKey(ctx, intent.UserName)
			return err
		})
		if err != nil && !awserr.Refused(err) {
			intent.Lost++
		}
		return err
	}
	if err = create(); err == nil || awserr.Refused(err) || ctx.Err() != nil {
		return key, err
	}
	if err := m.deleteLost(ctx, r.Keys, intent, intent.Old); err != nil {
		return key, err
	}
	err = create()
	return key, err
}

// proveKey waits until STS accepts the new key three times in a row.
func (m *Manager) proveKey(ctx context.Context, r KeyRotation, key AccessKey) error {
	sts, err := r.As(ctx, key)
	if err != nil {
		return err
	}
	if err := m.prove(ctx, proofDeadline, sts); err != nil {
		return fmt.Errorf("prove the new key: %w", err)
	}
	return nil
}

// finishDetached is finishKey for a request that may have ended. What it could
// not do is left to the worker.
func (m *Manager) finishDetached(ctx context.Context, r KeyRotation, e KeyEntry) error {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	err := Recovered(func() error { return m.finishKey(ctx, r, e) })
	if err != nil {
		m.log.Warn("keys of a user are left to the worker", "user", e.Intent.UserName, "error", err)
	}
	return err
}

// finishKey deletes the key that is not needed and strikes the entry. It
// asks storage which key is in force, since a write whose answer was lost may
// have replaced it. The old key goes only if the rotation's own key is stored,
// and when its time has come; while it has to stay, the entry stays too. So it
// does while a lost key may yet appear, with an error. It may be repeated.
func (m *Manager) finishKey(ctx context.Context, r KeyRotation, e KeyEntry) error {
	stored, err := r.Store.StoredKey(ctx)
	if err != nil {
		return err
	}
	used := stored != "" && stored == e.Intent.New
	if !used || e.Intent.Lost > 0 {
		err = m.deleteLost(ctx, r.Keys, &e.Intent, stored)
	}
	if err == nil && used {
		if m.clock.Now().Before(e.Intent.RetireAt) {
			return nil
		}
		err = m.deleteOld(ctx, r.Keys, e.Intent)
	}
	if err != nil {
		return fmt.Errorf("delete the unused key of user %q: %w", e.Intent.UserName, err)
	}
	if e.Intent.Lost > 0 && !m.overdue(e.Intent.BegunAt, confirmedGoneAge) {
		return &lostKeyError{user: e.Intent.UserName, lost: e.Intent.Lost, until: e.Intent.BegunAt.Add(confirmedGoneAge)}
	}
	return r.Journal.StrikeKey(ctx, e.ID)
}

// lostKeyError says that AWS's answer was lost, and that a key which nobody holds
// may yet show.
type lostKeyError struct {
	user  string
	lost  int
	until time.Time
}

func (e *lostKeyError) Error() string {
	return fmt.Sprintf("AWS's answer was lost when user %q was to get a key: one that nobody holds may yet show, and is looked for until %s", e.user, e.until.UTC().Format(time.RFC3339))
}

// deleteOld deletes the key that was replaced, unless it is to stay.
func (m *Manager) deleteOld(ctx context.Context, iam UserKeys, intent KeyIntent) error {
	if intent.KeepOld {
		return nil
	}
	return sideBySide(m.removal(ctx, iam.DeleteAccessKey, intent.UserName, []string{intent.Old})...)
}

// deleteLost deletes the keys that the rotation made and nobody uses. Where AWS's
// answer was lost it is the one that the user did not have when the rotation
// began: there was room for one only, and the rotation asked for it.
func (m *Manager) deleteLost(ctx context.Context, iam UserKeys, intent *KeyIntent, keep string) error {
	if intent.Lost > 0 {
		if err := m.deleteUnseen(ctx, iam, intent, keep); err != nil {
			return err
		}
	}
	if intent.New == "" || intent.New == keep {
		return nil
	}
	return sideBySide(m.removal(ctx, iam.DeleteAccessKey, intent.UserName, []string{intent.New})...)
}

// deleteUnseen deletes the keys that IAM lists beside those that the intent
// knows. One that is deleted is not lost any more; one that is gone already may
// have been shown by a list that lags, and counts for nothing.
func (m *Manager) deleteUnseen(ctx context.Context, iam UserKeys, intent *KeyIntent, keep string) error {
	ids, err := iam.ListAccessKeys(ctx, intent.UserName)
	if err != nil {
		return err
	}
	known := append([]string{keep, intent.New, intent.Old}, intent.Seen...)
	for _, id := range ids {
		if slices.Contains(known, id) {
			continue
		}
		err := m.settle(ctx, busy, func() error { return iam.DeleteAccessKey(ctx, intent.UserName, id) })
		if err == nil {
			intent.Lost = max(0, intent.Lost-1)
		} else if !errors.Is(err, awserr.NotFound) {
			return err
		}
	}
	return nil
}

// asFound is an entry that was read: one without a key may be of a process that
// died before it saw AWS's answer.
func (e KeyEntry) asFound() KeyEntry {
	if e.Intent.New == "" {
		e.Intent.Lost = max(1, e.Intent.Lost)
	}
	return e
}

// inherited is what earlier changes of a key leave to the next one.
type inherited struct {
	lost    int // keys that may yet show
	entries []EntryID
}

// finishPending finishes what earlier changes of the same key left, before
// another one makes a key: an old entry could not tell that key from the one it
// has lost. What cannot be finished yet is left to the new entry.
func (m *Manager) finishPending(ctx context.Context, r KeyRotation, role string) (left inherited, err error) {
	entries, err := r.Journal.KeyEntries(ctx)
	if err != nil {
		return left, err
	}
	for _, id := range entries {
		e, err := r.Journal.LoadKey(ctx, id)
		if errors.Is(err, ErrNoEntry) || err == nil && e.Intent.Role != role {
			continue
		}
		if err != nil {
			return left, err
		}
		// A write before the act (L12): a deposed leader cannot write, so cannot act.
		if err := r.Journal.ReassertKey(ctx, e); err != nil {
			return left, fmt.Errorf("finish an earlier rotation: %w", err)
		}
		err = m.finishKey(ctx, r, e.asFound())
		if lost := (*lostKeyError)(nil); errors.As(err, &lost) {
			left.lost, left.entries = left.lost+lost.lost, append(left.entries, id)
		} else if err != nil {
			return left, fmt.Errorf("finish an earlier rotation: %w", err)
		}
	}
	return left, nil
}

// announce journals a key to come, and strikes the entries whose lost keys are
// from now on looked for by the new one.
func (m *Manager) announce(ctx context.Context, j KeyJournal, intent KeyIntent, left inherited) (KeyEntry, error) {
	intent.Lost = left.lost
	e, err := j.RecordKey(ctx, intent)
	if err != nil {
		return e, err
	}
	for _, id := range left.entries {
		if err := j.StrikeKey(ctx, id); err != nil {
			return e, fmt.Errorf("strike the entry of an earlier rotation: %w", err)
		}
	}
	return e, nil
}

// Rotations returns how the key of an intent is reached and stored.
type Rotations func(ctx context.Context, intent KeyIntent) (KeyRotation, error)

// KeyDuty is the worker's duty over a journal of keys: it finishes what a change
// left, a key that nobody uses or an old one whose time has come.
func (m *Manager) KeyDuty(name string, journal KeyJournal, rotations Rotations) Duty {
	return Duty{
		Name:  name,
		Items: journal.KeyEntries,
		Attend: func(ctx context.Context, id EntryID) error {
			ctx, cancel := context.WithTimeout(governor.As(ctx, governor.Rotate), rollbackDeadline)
			defer cancel()
			return m.attendKey(ctx, journal, rotations, id)
		},
	}
}

func (m *Manager) attendKey(ctx context.Context, journal KeyJournal, rotations Rotations, id EntryID) error {
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
	r, err := rotations(ctx, e.Intent)
	if err != nil {
		return err
	}
	identity, err := r.Keys.Identity(ctx)
	if err != nil {
		return err
	}
	if err := compareAccounts(e.Intent.Account, identity.Account); err != nil {
		return fmt.Errorf("finish the change of keys of user %q: %w", e.Intent.UserName, err)
	}
	if err := journal.ReassertKey(ctx, e); err != nil {
		return fmt.Errorf("finish the change of keys of user %q: %w", e.Intent.UserName, err)
	}
	return m.finishKey(ctx, r, e.asFound())
}
