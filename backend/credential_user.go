package backend

import (
	"context"
	"maps"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"

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

// issueUser issues an IAM user with one access key: one from the role's pool, or a
// new one.
func (b *Backend) issueUser(ctx context.Context, o *order) (*logical.Response, error) {
	// Read first: a lease that cannot be told must not cost a user.
	o.begun = b.options.Clock.Now()
	life, err := b.userLifetime(ctx, o)
	if err != nil {
		return nil, err
	}
	ttl, err := b.leaseTTL(0, life.Lease, time.Time{})
	if err != nil {
		return nil, err
	}
	if resp, err := b.issuePooled(ctx, o, life, ttl); resp != nil || err != nil {
		return resp, err
	}
	spec, latest, err := b.planUser(ctx, o, life.Lease)
	if err != nil {
		return nil, err
	}
	spec.TTL = ttl
	user, err := b.users.IssueUser(ctx, o.root, spec)
	if err != nil {
		return nil, err
	}
	resp := b.userAnswer(o, life, user.Key, userLease(o.roleName, spec, user, latest))
	return resp, b.awaitReady(ctx, o, user, resp)
}

// planUser is the user to make, and the latest end of its lease; zero if nothing
// but the lease ends it.
func (b *Backend) planUser(ctx context.Context, o *order, lease store.Lease) (spec lifecycle.UserSpec, latest time.Time, err error) {
	name, err := o.name(naming.IAM)
	if err != nil {
		return spec, latest, err
	}
	spec = userSpec(o, name)
	if latest, err = b.addExpiry(o, lease, &spec); err != nil {
		return spec, latest, err
	}
	return spec, latest, b.addOwner(ctx, o, &spec)
}

// userAnswer hands out a key under a lease.
func (b *Backend) userAnswer(o *order, life lifetime, key lifecycle.AccessKey, internal map[string]any) *logical.Response {
	life.remember(internal, o.role)
	resp := b.Secret(secretAccessKeys).Response(map[string]any{
		"access_key":     key.ID,
		"secret_key":     key.Secret.Reveal(),
		"session_token":  nil,
		"security_token": nil,
	}, internal)
	resp.Secret.TTL, resp.Secret.MaxTTL = life.Lease.Lease, life.LeaseMax
	resp.Warnings = life.warnings
	return resp
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
