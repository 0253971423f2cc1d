package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/awserr"
)

// SideCredential is a kind of credential beside access keys. The engine makes
// none of them; people add them to users, and each keeps IAM from deleting its
// user.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
type SideCredential string

// The kinds of side credentials.
const (
	LoginProfile       SideCredential = "login profile" // the console password
	ServiceCredential  SideCredential = "service-specific credential"
	MFADevice          SideCredential = "MFA device"
	SSHKey             SideCredential = "SSH public key"
	SigningCertificate SideCredential = "signing certificate"
)

// sideCredentials are all kinds; those that open most come first.
var sideCredentials = []SideCredential{LoginProfile, ServiceCredential, MFADevice, SSHKey, SigningCertificate}

// deleteWithSideCredentials removes the side credentials and then the user, with
// whatever was hung on it meanwhile. What is refused matters only if IAM then
// refuses to delete the user: the error names every action that was refused.
func (m *Manager) deleteWithSideCredentials(ctx context.Context, iam Users, user string) error {
	refused := allErrors(m.sideRemovals(ctx, iam, user)...)
	err := m.settle(ctx, conflict, func() error { return m.deleteListed(ctx, iam, user) })
	if errors.Is(err, awserr.InUse) {
		return explain(err, refused)
	}
	return err
}

// sideRemovals returns a call per kind, which lists and removes it.
func (m *Manager) sideRemovals(ctx context.Context, iam Users, user string) []func() error {
	var calls []func() error
	for _, kind := range sideCredentials {
		remove := func(ctx context.Context, user, id string) error { return iam.DeleteSideCredential(ctx, user, kind, id) }
		calls = append(calls, func() error {
			ids, err := iam.ListSideCredentials(ctx, user, kind)
			if err != nil {
				return err
			}
			return sideBySide(m.removal(ctx, remove, user, ids)...)
		})
	}
	return calls
}

// explain puts before a DeleteConflict why what it speaks of is still there: the
// first refusal, and the actions of the others.
func explain(conflict error, refused []error) error {
	refused = slices.DeleteFunc(refused, func(err error) bool { return err == nil })
	if len(refused) == 0 {
		return conflict
	}
	var others string
	if ops := actions(refused[1:]); len(ops) > 0 {
		others = " (likewise " + strings.Join(ops, ", ") + ")"
	}
	return fmt.Errorf("%w%s; %w", refused[0], others, conflict)
}

// actions are the operations of failed calls.
func actions(errs []error) (ops []string) {
	for _, err := range errs {
		if call := (*awserr.Error)(nil); errors.As(err, &call) {
			ops = append(ops, call.Op)
		}
	}
	return ops
}
