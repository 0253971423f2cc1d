package backend

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// secretAccessKeys is the secret type of all leases. Name and the internal data
// that the built-in engine needs (username, is_sts) are its format.
const secretAccessKeys = "access_keys"

func (b *Backend) secretAccessKeys() *framework.Secret {
	return &framework.Secret{
		Type: secretAccessKeys,
		Fields: map[string]*framework.FieldSchema{
			"access_key":     {Type: framework.TypeString, Description: "Access key id."},
			"secret_key":     {Type: framework.TypeString, Description: "Secret access key."},
			"session_token":  {Type: framework.TypeString, Description: "Session token; null for IAM users."},
			"security_token": {Type: framework.TypeString, Description: "The same, under its old name."},
		},
		Renew:  b.renew,
		Revoke: b.revoke,
	}
}

// leased is what a lease remembers of an IAM user: enough to revoke it without
// asking AWS what hangs on it. No secret, and no policy text.
type leased struct {
	UserName   string   `json:"username"`
	IsSTS      bool     `json:"is_sts"`
	Role       string   `json:"role,omitempty"`
	NameUnique bool     `json:"name_unique,omitempty"`
	Account    string   `json:"account,omitempty"`
	AccessKey  string   `json:"access_key_id,omitempty"`
	PolicyARNs []string `json:"policy_arns,omitempty"`
	Policies   []string `json:"policy_names,omitempty"`
	Groups     []string `json:"groups,omitempty"`

	TTL        time.Duration `json:"ttl,omitempty"`         // that the request asked for
	DefaultTTL time.Duration `json:"default_ttl,omitempty"` // of the role at the time
	MaxTTL     time.Duration `json:"max_ttl,omitempty"`     // the same

	Expires time.Time `json:"expires,omitzero"` // the latest end that its expiry policy leaves it
}

// userLease is the internal data of an IAM user's lease.
func userLease(roleName string, spec lifecycle.UserSpec, user lifecycle.IssuedUser, latest time.Time) map[string]any {
	parts := spec.Parts(user.Key)
	l := map[string]any{
		"username":      user.Name,
		"is_sts":        false,
		"role":          roleName,
		"name_unique":   spec.NameUnique,
		"account":       user.Account,
		"access_key_id": user.Key.ID,
		"policy_arns":   parts.PolicyARNs,
		"policy_names":  parts.InlinePolicies,
		"groups":        parts.Groups,
	}
	if !latest.IsZero() {
		l["expires"] = latest
	}
	return l
}

// sessionLease is the internal data of a session's lease.
func sessionLease(roleName, sessionName string) map[string]any {
	return map[string]any{"username": sessionName, "is_sts": true, "role": roleName}
}

// record is what a lease knows of its user. A lease of the built-in engine knows
// only the name.
func (l leased) record(issued time.Time) lifecycle.UserRecord {
	return lifecycle.UserRecord{
		UserName: l.UserName, NameUnique: l.NameUnique, Account: l.Account, Issued: issued,
		Bearer:    lifecycle.Bearer{Role: l.Role},
		AccessKey: l.AccessKey, PolicyARNs: l.PolicyARNs, Policies: l.Policies, Groups: l.Groups,
	}
}

// leaseTTL is how long a lease lives from now, as Vault's core will reckon it: a
// client's increment counts instead of our TTL, up to the maxima.
func (b *Backend) leaseTTL(increment time.Duration, lease store.Lease, issued time.Time) (time.Duration, error) {
	ttl, _, err := framework.CalculateTTL(b.System(), increment, lease.Lease, 0, lease.LeaseMax, 0, issued)
	return ttl, err
}

func leaseOf(req *logical.Request) (leased, error) {
	var l leased
	if req.Secret == nil {
		return l, errors.New("the request carries no lease")
	}
	if err := convert(req.Secret.InternalData, &l); err != nil {
		return l, fmt.Errorf("decode lease: %w", err)
	}
	if !l.IsSTS && l.UserName == "" {
		return l, errors.New("secret is missing username internal data")
	}
	return l, nil
}

// renew extends the lease of an IAM user by its role and config/lease as they are
// now. AWS fixes the end of sessions, so their leases are not renewable.
func (b *Backend) renew(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	l, err := leaseOf(req)
	if err != nil || l.IsSTS {
		return nil, err
	}
	lease, err := b.renewalLease(ctx, store.Records{Storage: req.Storage}, l)
	if err != nil {
		return nil, err
	}
	ttl, err := b.leaseTTL(req.Secret.Increment, lease, req.Secret.IssueTime)
	if err != nil {
		return nil, err
	}
	known := l.record(req.Secret.IssueTime)
	known.Deadline = b.options.Clock.Now().UTC().Add(ttl)
	if err := l.checkExpiry(known.Deadline); err != nil {
		return nil, err
	}
	if err := b.users.RenewUser(ctx, known); err != nil {
		return nil, err
	}
	resp := &logical.Response{Secret: req.Secret}
	resp.Secret.TTL, resp.Secret.MaxTTL = lease.Lease, lease.LeaseMax
	return resp, nil
}

// revoke destroys the IAM user of a lease; a session is left to AWS. It returns
// plain errors: Vault shows them as they are and tries again.
func (b *Backend) revoke(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	l, err := leaseOf(req)
	if err != nil || l.IsSTS {
		return nil, err
	}
	if err := b.users.RevokeUser(ctx, b.connect(req.Storage), l.record(req.Secret.IssueTime)); err != nil {
		return nil, revokeError(err)
	}
	return nil, nil
}

// revokeError adds what to do about it. It is never an error that makes Vault
// call the lease irrevocable at once.
func revokeError(err error) error {
	if remedy := awserr.Remedy(err); remedy != "" {
		return fmt.Errorf("%w. %s", err, remedy)
	}
	return err
}
