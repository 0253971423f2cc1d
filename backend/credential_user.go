package backend

import (
	"context"
	"maps"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/policy"

	"github.com/hashicorp/vault/sdk/logical"
)

// Limits of IAM on what a user has
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
// checked 2026-11).
const (
	maxPolicyName     = 128  // characters (botocore iam/2010-05-08, policyNameType)
	maxInlinePolicies = 2048 // characters of all inline policies of a user, white space not counted
	maxUserTags       = 50
)

// issueUser issues an IAM user with one access key.
func (b *Backend) issueUser(ctx context.Context, o *order) (*logical.Response, error) {
	// Read first: a lease that cannot be told must not cost a user.
	o.begun = b.options.Clock.Now()
	life, err := b.userLifetime(ctx, o)
	if err != nil {
		return nil, err
	}
	name, err := o.name(naming.IAM)
	if err != nil {
		return nil, err
	}
	spec := userSpec(o, name)
	if spec.TTL, err = b.leaseTTL(0, life.Lease, time.Time{}); err != nil {
		return nil, err
	}
	latest, err := b.addExpiry(o, life.Lease, &spec)
	if err != nil {
		return nil, err
	}
	if err := b.addOwner(ctx, o, &spec); err != nil {
		return nil, err
	}
	user, err := b.users.IssueUser(ctx, o.root, spec)
	if err != nil {
		return nil, err
	}
	internal := userLease(o.roleName, spec, user, latest)
	life.remember(internal, o.role)
	resp := b.Secret(secretAccessKeys).Response(map[string]any{
		"access_key":     user.Key.ID,
		"secret_key":     user.Key.Secret.Reveal(),
		"session_token":  nil,
		"security_token": nil,
	}, internal)
	resp.Secret.TTL, resp.Secret.MaxTTL = life.Lease.Lease, life.LeaseMax
	resp.Warnings = life.warnings
	return resp, b.awaitReady(ctx, o, user, resp)
}

func userSpec(o *order, name naming.Name) lifecycle.UserSpec {
	role := o.role
	spec := lifecycle.UserSpec{
		Name:       name.Text,
		NameUnique: name.Unique(),
		Path:       role.UserPath,
		Boundary:   role.PermissionsBoundaryARN,
		Tags:       role.IAMTags,
		PolicyARNs: role.PolicyARNs,
		Groups:     role.IAMGroups,
		KeyLast:    len(role.IAMGroups) > 0,
		Bearer:     o.bearer,
		Caps:       lifecycle.Caps{Role: role.MaxUsers, Mount: o.root.config.MaxUsers},
	}
	if role.PolicyDocument != "" {
		spec.KeyLast = spec.KeyLast || policy.CanRestrict(role.PolicyDocument)
		policyName := o.roleName[:min(len(o.roleName), maxPolicyName)]
		spec.InlinePolicies = []lifecycle.InlinePolicy{{Name: policyName, Document: role.PolicyDocument}}
	}
	return spec
}

// addOwner adds the tags by which tidy tells the users of this mount.
func (b *Backend) addOwner(ctx context.Context, o *order, spec *lifecycle.UserSpec) error {
	if !o.root.config.OwnerTags {
		return nil
	}
	state, err := b.users.State(ctx)
	if err != nil {
		return err
	}
	tags := state.OwnerTags(o.bearer)
	maps.Copy(tags, spec.Tags)
	if len(tags) > maxUserTags {
		return invalid("role %q has %d iam_tags: with iam_owner_tags of config/root, AWS leaves room for %d: remove some", o.roleName, len(spec.Tags), maxUserTags-len(tags)+len(spec.Tags))
	}
	spec.Tags = tags
	return nil
}
