package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// maxPolicyName is the longest name of an inline policy (botocore
// iam/2010-05-08, policyNameType).
const maxPolicyName = 128

// issueUser issues an IAM user with one access key.
func (b *Backend) issueUser(ctx context.Context, o *order) (*logical.Response, error) {
	// Read first: a lease that cannot be told must not cost a user.
	lease, _, err := store.Records{Storage: o.storage}.Lease(ctx)
	if err != nil {
		return nil, err
	}
	name, err := o.name(naming.IAM)
	if err != nil {
		return nil, err
	}
	spec := userSpec(o.roleName, o.role, name)
	spec.Bearer = o.bearer
	if spec.TTL, err = b.leaseTTL(0, lease, time.Time{}); err != nil {
		return nil, err
	}
	user, err := b.users.IssueUser(ctx, o.root, spec)
	if err != nil {
		return nil, err
	}
	resp := b.Secret(secretAccessKeys).Response(map[string]any{
		"access_key":     user.Key.ID,
		"secret_key":     user.Key.Secret.Reveal(),
		"session_token":  nil,
		"security_token": nil,
	}, userLease(o.roleName, spec, user))
	resp.Secret.TTL, resp.Secret.MaxTTL = lease.Lease, lease.LeaseMax
	return resp, nil
}

func userSpec(roleName string, role *store.Role, name naming.Name) lifecycle.UserSpec {
	spec := lifecycle.UserSpec{
		Name:       name.Text,
		NameUnique: name.Unique(),
		Path:       role.UserPath,
		Boundary:   role.PermissionsBoundaryARN,
		Tags:       role.IAMTags,
		PolicyARNs: role.PolicyARNs,
		Groups:     role.IAMGroups,
		KeyLast:    len(role.IAMGroups) > 0,
	}
	if role.PolicyDocument != "" {
		spec.KeyLast = spec.KeyLast || policy.CanRestrict(role.PolicyDocument)
		policyName := roleName[:min(len(roleName), maxPolicyName)]
		spec.InlinePolicies = []lifecycle.InlinePolicy{{Name: policyName, Document: role.PolicyDocument}}
	}
	return spec
}
