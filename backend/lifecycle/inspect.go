package lifecycle

import (
	"context"
	"errors"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/awserr"
)

// quarantine begins the names of the policies that AWS attaches to users whose
// key it found in public.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html (checked 2026-11)
const quarantine = "AWSCompromisedKeyQuarantine"

// inspectIssued inspects a user whose record says that it is issued.
func (t *Tidy) inspectIssued(ctx context.Context, iam Surveyor, user string, state RecordState) error {
	if state != Issued {
		return nil
	}
	r, err := t.manager.UserRecord(ctx, user)
	if errors.Is(err, ErrNoRecord) {
		return nil // revoked meanwhile
	}
	if err != nil {
		return err
	}
	return t.inspect(ctx, iam, r)
}

// inspect reports what hangs on an issued user and is not from us; it changes
// nothing.
func (t *Tidy) inspect(ctx context.Context, iam Surveyor, r UserRecord) error {
	if r.AccessKey == "" {
		return nil // its lease is the built-in engine's, and does not tell what it made
	}
	for _, look := range []func(context.Context, Surveyor, UserRecord) error{
		t.inspectKeys, t.inspectPolicies, t.inspectInline, t.inspectSignIn,
	} {
		err := look(ctx, iam, r)
		if errors.Is(err, awserr.NotFound) {
			return nil // gone since it was listed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tidy) inspectKeys(ctx context.Context, iam Surveyor, r UserRecord) error {
	ids, err := iam.ListAccessKeys(ctx, r.UserName)
	for _, id := range ids {
		if id != r.AccessKey {
			t.find(r.UserName, "has access key %s, which is not from this mount", id)
		}
	}
	return err
}

func (t *Tidy) inspectPolicies(ctx context.Context, iam Surveyor, r UserRecord) error {
	arns, err := iam.ListAttachedPolicies(ctx, r.UserName)
	for _, arn := range arns {
		switch {
		case strings.Contains(arn, quarantine):
			t.find(r.UserName, "exposed key: AWS found %s in public and attached %s; revoke its lease", r.AccessKey, arn)
		case !slices.Contains(r.PolicyARNs, arn):
			t.find(r.UserName, "has policy %s, which is not from this mount", arn)
		}
	}
	return err
}

func (t *Tidy) inspectInline(ctx context.Context, iam Surveyor, r UserRecord) error {
	names, err := iam.ListInlinePolicies(ctx, r.UserName)
	for _, name := range names {
		if !slices.Contains(r.Policies, name) {
			t.find(r.UserName, "has inline policy %q, which is not from this mount", name)
		}
	}
	return err
}

func (t *Tidy) inspectSignIn(ctx context.Context, iam Surveyor, r UserRecord) error {
	signsIn, err := iam.SignsIn(ctx, r.UserName)
	if signsIn {
		t.find(r.UserName, "has a login profile: somebody can sign in to the console as this user")
	}
	return err
}
