package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"vault-plugin-secrets-aws/backend/awserr"
)

// ErrUnseen is that IAM does not show a user that it has made.
var ErrUnseen = errors.New("AWS does not show the new user everywhere yet; try again")

// attempt is what a request knows of the user it is making.
type attempt struct {
	entry     Entry
	account   string
	bearer    Bearer
	confirmed bool // AWS told that the user exists, by our call
	lost      bool // an answer to CreateUser was lost: the user may exist, or appear later
	record    UserRecord
	recorded  bool // the record was asked for: from then on the user is in it, or in the entry, or both
}

// makeUser creates, grants and keys the user. Everything but the key goes side
// by side with it, unless a part can restrict: then the key comes last.
func (m *Manager) makeUser(ctx context.Context, iam Users, spec UserSpec, a *attempt) (AccessKey, error) {
	if err := m.createUser(ctx, iam, spec, a); err != nil {
		return AccessKey{}, fmt.Errorf("create user %q: %w", spec.Name, err)
	}
	var key AccessKey
	grants := append(m.grants(ctx, iam, spec), m.noteAccount(ctx, a))
	makeKey := func() (err error) {
		key, err = m.createKey(ctx, iam, spec.Name)
		return err
	}
	if !spec.KeyLast {
		return key, m.inParallel(append(grants, makeKey)...)
	}
	if err := m.inParallel(grants...); err != nil {
		return key, err
	}
	return key, makeKey()
}

// noteAccount completes the entry of a mount's first user after a start, whose
// account only CreateUser told.
func (m *Manager) noteAccount(ctx context.Context, a *attempt) func() error {
	return func() error {
		if a.account == "" || a.entry.Intent.Account == a.account {
			return nil
		}
		a.entry.Intent.Account = a.account
		return m.journal.Reassert(ctx, a.entry)
	}
}

// createAttempts is how often a CreateUser whose answer was lost is sent.
const createAttempts = 3

// createUser makes the user, also when AWS's answer is lost (L8): a name with
// our own randomness is asked for again, and EntityAlreadyExists then means that
// the lost call was ours and took effect.
func (m *Manager) createUser(ctx context.Context, iam Users, spec UserSpec, a *attempt) (err error) {
	for range createAttempts {
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if a.lost {
			if noteErr := m.noteResent(ctx, a); noteErr != nil {
				return errors.Join(err, noteErr)
			}
		}
		err = m.settle(ctx, busy, func() (err error) {
			a.account, err = iam.CreateUser(ctx, spec)
			return err
		})
		if err == nil || a.lost && errors.Is(err, awserr.Exists) {
			a.confirmed = true
			return nil
		}
		if awserr.Refused(err) {
			return err
		}
		if a.lost = true; !spec.NameUnique {
			return err
		}
	}
	return err
}

// noteResent writes down that CreateUser is sent again: whoever rolls the entry
// back must not take the first user that turns up for the last.
func (m *Manager) noteResent(ctx context.Context, a *attempt) error {
	if a.entry.Intent.Resent {
		return nil
	}
	a.entry.Intent.Resent = true
	return m.journal.Reassert(ctx, a.entry)
}

// createKey makes the user's access key. After a lost answer (L8) every key the
// user has is one that nobody holds: it is deleted, and a key is made once more.
func (m *Manager) createKey(ctx context.Context, iam Users, user string) (key AccessKey, err error) {
	create := func() (err error) {
		key, err = iam.CreateAccessKey(ctx, user)
		return err
	}
	err = m.settleNoting(ctx, own, create)
	if err != nil && !awserr.Refused(err) && ctx.Err() == nil {
		err = m.settle(ctx, own, func() error { return m.deleteAllKeys(ctx, iam, user) })
		if err == nil {
			err = m.settle(ctx, own, create)
		}
	}
	if errors.Is(err, awserr.NotFound) {
		err = fmt.Errorf("%w: %w", ErrUnseen, err)
	}
	if err != nil {
		return AccessKey{}, fmt.Errorf("create access key of user %q: %w", user, err)
	}
	return key, nil
}

// grants returns the calls that give the user its permissions, in the order in
// which their errors count.
func (m *Manager) grants(ctx context.Context, iam Users, spec UserSpec) []func() error {
	var calls []func() error
	add := func(what string, call func() error) {
		calls = append(calls, func() error {
			if err := m.grant(ctx, call); err != nil {
				return fmt.Errorf("%s user %q: %w", what, spec.Name, err)
			}
			return nil
		})
	}
	for _, arn := range spec.PolicyARNs {
		add(fmt.Sprintf("attach policy %q to", arn), func() error { return iam.AttachPolicy(ctx, spec.Name, arn) })
	}
	for _, policy := range spec.InlinePolicies {
		add("put policy of", func() error { return iam.PutInlinePolicy(ctx, spec.Name, policy) })
	}
	for _, group := range spec.Groups {
		add(fmt.Sprintf("add to group %q", group), func() error { return iam.JoinGroup(ctx, spec.Name, group) })
	}
	return calls
}

// grant hangs something on the new user. What is not found may be a policy or a group
// that does not exist, and is not waited for long; where AWS says that it is the user,
// or that it is busy, that passes.
func (m *Manager) grant(ctx context.Context, call func() error) error {
	err := m.settleNoting(ctx, fresh, call)
	if isBusy(err) || isUnknownUser(err) {
		err = m.settleNoting(ctx, own, call)
	}
	if isUnknownUser(err) {
		return fmt.Errorf("%w: %w", ErrUnseen, err)
	}
	return err
}

// isUnknownUser reports whether AWS says that it is the user which it does not know,
// in words that all calls of IAM share. No name of IAM has a space, so that no
// policy's can be mistaken for them; the user's own is not looked at, since an
// endpoint may spell it in other cases.
func isUnknownUser(err error) bool {
	call := (*awserr.Error)(nil)
	return errors.As(err, &call) && call.Kind == awserr.NotFound && strings.Contains(call.Message, "user with name ")
}
