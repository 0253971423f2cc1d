package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
)

// Doomed is a user to destroy, and what is known about it.
type Doomed struct {
	Name    string
	Account string    // the account it was made in; "" if unknown
	Born    time.Time // when it was announced; zero counts as long ago

	// Unconfirmed says that AWS never told us that it made this user, so a user
	// of this name may be somebody else's.
	Unconfirmed bool
	NameUnique  bool // the name carries at least 60 bits of our own randomness

	// Known is what hangs on the user as far as we made it; nil: ask AWS.
	Known *Parts
}

// Parts names what hangs on a user and keeps IAM from deleting it.
type Parts struct {
	AccessKeys     []string // ids, AKIA…
	PolicyARNs     []string
	InlinePolicies []string
	Groups         []string
}

// held is how many parts beside keys keep IAM from deleting the user.
func (p Parts) held() int { return len(p.PolicyARNs) + len(p.InlinePolicies) + len(p.Groups) }

// DestroyUser removes a user and whatever keeps IAM from deleting it: the one
// way to remove a user in the whole program.
//
// It may be repeated from any state and converges to gone (L3). Keys go first,
// so that a user a later step fails on can no longer act (L4); nothing is
// detached while a key may live, since a policy may carry a Deny. What is
// known to hang on the user is removed without asking; only if IAM still
// refuses is everything listed, and credentials that people gave the user last.
// On error, what was removed stays removed.
func (m *Manager) DestroyUser(ctx context.Context, iam Users, u Doomed) error {
	ctx = governor.As(ctx, governor.Revoke)
	if err := m.mayDestroy(ctx, iam, u); err != nil {
		return fmt.Errorf("destroy user %q: %w", u.Name, err)
	}
	w := &witness{Users: iam}
	raze := func() error { return m.raze(ctx, w, u) }
	err := raze()
	if errors.Is(err, awserr.NotFound) && !u.Unconfirmed && !m.overdue(u.Born, unseenAge) {
		err = m.settle(ctx, w.patience(), raze)
	}
	if err != nil {
		return fmt.Errorf("destroy user %q: %w", u.Name, err)
	}
	return nil
}

// witness notes whether AWS has just deleted a key of the user: then the user is
// there, whatever another server of IAM says.
type witness struct {
	Users
	saw atomic.Bool
}

// patience is short with a user that nobody has seen: it may be gone indeed.
func (w *witness) patience() patience {
	p := unseen
	if !w.saw.Load() {
		p.most = 500 * time.Millisecond
	}
	return p
}

// DeleteAccessKey implements UserRemover.
func (w *witness) DeleteAccessKey(ctx context.Context, user, id string) error {
	err := w.Users.DeleteAccessKey(ctx, user, id)
	if err == nil {
		w.saw.Store(true)
	}
	return err
}

// raze strips and deletes a user once, and judges what NoSuchEntity means.
func (m *Manager) raze(ctx context.Context, iam Users, u Doomed) error {
	err := m.strip(ctx, iam, u)
	switch {
	case err == nil:
		m.graves.add(u.Name, m.clock.Now())
	case errors.Is(err, awserr.NotFound) && m.graves.has(u.Name):
		return nil
	case errors.Is(err, awserr.NotFound):
		return m.believeGone(ctx, iam, u, err)
	}
	return err
}

// strip removes first what is known, then, on DeleteConflict, what AWS lists,
// then, where that is not all either, the side credentials.
func (m *Manager) strip(ctx context.Context, iam Users, u Doomed) error {
	if u.Known != nil {
		err := m.deleteWith(ctx, iam, u.Name, *u.Known)
		if !errors.Is(err, awserr.InUse) {
			return err
		}
	}
	err := m.deleteListed(ctx, iam, u.Name)
	if errors.Is(err, awserr.InUse) && errors.Is(err, errKeysDeleted) {
		return m.deleteWithSideCredentials(ctx, iam, u.Name)
	}
	return err
}

// conflict is DeleteConflict or a concurrent change: what was just detached may
// still be seen by DeleteUser.
var conflict = patience{
	passes: func(err error) bool { return isBusy(err) || errors.Is(err, awserr.InUse) },
	most:   time.Second,
}

// deleteListed asks AWS for the keys, kills them, then asks for the rest. A list
// that is refused does not stop the deletion: what it would show may not exist.
func (m *Manager) deleteListed(ctx context.Context, iam Users, user string) error {
	if err := m.deleteAllKeys(ctx, iam, user); err != nil {
		return err
	}
	var parts Parts
	listed := sideBySide(
		lister(ctx, &parts.PolicyARNs, iam.ListAttachedPolicies, user),
		lister(ctx, &parts.InlinePolicies, iam.ListInlinePolicies, user),
		lister(ctx, &parts.Groups, iam.ListGroups, user),
	)
	err := m.deleteWith(ctx, iam, user, parts)
	if errors.Is(err, awserr.InUse) && listed != nil {
		return &keylessError{listed}
	}
	return err
}

func lister(ctx context.Context, to *[]string, list func(context.Context, string) ([]string, error), user string) func() error {
	return func() (err error) {
		*to, err = list(ctx, user)
		return err
	}
}

// deleteAllKeys deletes every access key that IAM lists for the user.
func (m *Manager) deleteAllKeys(ctx context.Context, iam Users, user string) error {
	ids, err := iam.ListAccessKeys(governor.As(ctx, governor.KillKey), user)
	if err != nil {
		return err
	}
	return m.deleteKeys(ctx, iam, user, ids)
}

// deleteKeys goes before the rest of every other user's removal, too.
func (m *Manager) deleteKeys(ctx context.Context, iam Users, user string, ids []string) error {
	ctx = governor.As(ctx, governor.KillKey)
	return sideBySide(m.removal(ctx, iam.DeleteAccessKey, user, ids)...)
}

// deleteWith removes the parts, keys first, and then the user. A part that could
// not be removed matters only if IAM then refuses to delete the user: it may
// have been gone. DeleteUser is the judge.
func (m *Manager) deleteWith(ctx context.Context, iam Users, user string, parts Parts) error {
	if err := m.deleteKeys(ctx, iam, user, parts.AccessKeys); err != nil {
		return err
	}
	err := m.detachAndDelete(ctx, iam, user, parts)
	if err == nil || errors.Is(err, awserr.NotFound) {
		return err // of a user that cannot be seen, nothing is known
	}
	return &keylessError{err}
}

// detachAndDelete is what follows when the keys are gone.
func (m *Manager) detachAndDelete(ctx context.Context, iam Users, user string, parts Parts) error {
	ctx, release, err := iam.Reserve(ctx, 1+parts.held(), revokeDeadline)
	if err != nil {
		return err
	}
	defer release()
	removed := sideBySide(slices.Concat(
		m.removal(ctx, iam.DetachPolicy, user, parts.PolicyARNs),
		m.removal(ctx, iam.DeleteInlinePolicy, user, parts.InlinePolicies),
		m.removal(ctx, iam.LeaveGroup, user, parts.Groups),
	)...)
	err = m.settle(ctx, busy, func() error { return iam.DeleteUser(ctx, user) })
	if errors.Is(err, awserr.InUse) && removed != nil {
		return removed
	}
	return err
}

// removal returns a call per part; a part that is already gone is removed.
func (m *Manager) removal(ctx context.Context, remove func(ctx context.Context, user, part string) error, user string, parts []string) []func() error {
	var calls []func() error
	for _, part := range parts {
		calls = append(calls, func() error {
			err := m.settle(ctx, busy, func() error { return remove(ctx, user, part) })
			if errors.Is(err, awserr.NotFound) {
				return nil
			}
			return err
		})
	}
	return calls
}

// mayDestroy refuses to act on a user that may not be ours: one of the same name
// in another account, or one that AWS never told us it made and whose name
// anybody could have chosen (L5).
func (m *Manager) mayDestroy(ctx context.Context, iam Users, u Doomed) error {
	if u.NameUnique {
		// A user of this name is ours wherever it is, so revoking does not
		// depend on STS; what is known already costs nothing to compare.
		return compareAccounts(u.Account, iam.KnownAccount())
	}
	if err := m.sameAccount(ctx, iam, u); err != nil || !u.Unconfirmed {
		return err
	}
	created, err := iam.CreatedAt(ctx, u.Name)
	if errors.Is(err, awserr.NotFound) {
		return nil // strip comes to the same answer, and believeGone judges it
	}
	if err != nil {
		return fmt.Errorf("tell whether the user is ours: %w", err)
	}
	if created.Before(u.Born.Truncate(time.Second)) {
		return fmt.Errorf("%w: it was made at %s, before we announced it", ErrNotOurs, created.UTC().Format(time.RFC3339))
	}
	return nil
}

// sameAccount checks that the root credentials are those of the user's account.
// Where AWS refuses to tell the account, the check is skipped and logged.
func (m *Manager) sameAccount(ctx context.Context, iam Users, u Doomed) error {
	if u.Account == "" {
		return nil
	}
	account, err := iam.Account(ctx)
	if err != nil && !awserr.Refused(err) {
		return fmt.Errorf("tell the account of the root credentials: %w", err)
	}
	if err != nil {
		m.log.Warn("AWS does not tell the account of the root credentials; the user's account is not checked", "user", u.Name, "error", err)
	}
	return compareAccounts(u.Account, account)
}

// compareAccounts refuses two accounts that are known to differ.
func compareAccounts(users, roots string) error {
	if users == "" || roots == "" || users == roots {
		return nil
	}
	return fmt.Errorf("%w: it lives in account %s, the root credentials are those of account %s; put credentials of account %s into config/root",
		ErrWrongAccount, users, roots, users)
}

// believeGone decides whether NoSuchEntity means that the user is gone (L7). In
// another account it says nothing; IAM may not show a young user yet; and a
// CreateUser whose answer was lost may still be under way.
//
// A DeleteUser whose answer was lost is no exception, not even where AWS has just
// shown the user by deleting its key: IAM does not promise that what one call saw
// the next one sees, and the one that was lost may have had no effect. Such a
// revoke fails until the user is old, which Vault's own tries outlast.
func (m *Manager) believeGone(ctx context.Context, iam Users, u Doomed, notFound error) error {
	if err := m.sameAccount(ctx, iam, u); err != nil {
		return err
	}
	wait := confirmedGoneAge
	if u.Unconfirmed {
		wait = announcedGoneAge
	}
	if u.Born.IsZero() || m.overdue(u.Born, wait) {
		return nil
	}
	return fmt.Errorf("%w; it is believed to be gone %s after it was announced", notFound, wait)
}

// Why a user is not destroyed.
var (
	// ErrNotOurs: the user was there before we announced one of its name, or
	// the journal entry is of another kind.
	ErrNotOurs = errors.New("not ours")
	// ErrWrongAccount: the root credentials act in another account.
	ErrWrongAccount = errors.New("wrong account")
	// ErrNoEntry: the journal entry is gone.
	ErrNoEntry = errors.New("no such journal entry")

	// errKeysDeleted: what failed came after the deletion of the keys.
	errKeysDeleted = errors.New("the keys are deleted")
)

// keylessError is an error that came after the deletion of the keys: what is left
// of the user can do no harm.
type keylessError struct{ cause error }

// Error says so, since it is what an operator wants to know first.
func (e *keylessError) Error() string { return "its access keys are deleted, but: " + e.cause.Error() }

func (e *keylessError) Unwrap() error { return e.cause }

// Is reports errKeysDeleted.
func (e *keylessError) Is(target error) bool { return target == errKeysDeleted }
