package backend

import (
	"fmt"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

const expiryPolicyName = "vault-aws-expiry"

// expiryPolicy denies a user everything from a moment on, and other ways in at
// any time. IAM evaluates it, so it holds although Vault, its journal and its
// snapshots are gone. It takes the time as AWS writes it (ISO 8601).
const expiryPolicy = `{"Version":"2012-10-17","Statement":[` +
	`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"%s"}}},` +
	`{"Effect":"Deny","Action":["iam:CreateAccessKey","iam:CreateLoginProfile","iam:UpdateLoginProfile"],` +
	`"Resource":["arn:*:iam::*:user/${aws:username}","arn:*:iam::*:user/*/${aws:username}"]}]}`

// addExpiry adds the expiry policy to a user of a role that asks for it, and
// returns the latest possible end of its lease; zero without one.
func (b *Backend) addExpiry(o *order, lease store.Lease, spec *lifecycle.UserSpec) (latest time.Time, err error) {
	if !o.role.ExpiryPolicy {
		return time.Time{}, nil
	}
	latest = b.options.Clock.Now().UTC().Add(o.shelf + b.longestLease(lease)).Truncate(time.Second)
	document := fmt.Sprintf(expiryPolicy, latest.Add(lifecycle.DeadlineGrace).Format(time.RFC3339))
	if size := policy.Size(o.role.PolicyDocument) + policy.Size(document); size > maxInlinePolicies {
		return latest, invalid("role %q: policy_document and the expiry policy have %d characters together, and AWS takes %d of all inline policies of a user: move parts of it to policy_arns, or write expiry_policy=false", o.roleName, size, maxInlinePolicies)
	}
	spec.InlinePolicies = append(spec.InlinePolicies, lifecycle.InlinePolicy{Name: expiryPolicyName, Document: document})
	return latest, nil
}

// expiryWarnings tells of a role whose policies IAM will not take.
func expiryWarnings(role *store.Role) []string {
	size := policy.Size(role.PolicyDocument) + policy.Size(expiryPolicy)
	if !role.ExpiryPolicy || size <= maxInlinePolicies {
		return nil
	}
	return []string{fmt.Sprintf("policy_document and the expiry policy have about %d characters together, and AWS takes %d: no user can be issued", size, maxInlinePolicies)}
}

// longestLease is how long a lease can live with all its renewals.
func (b *Backend) longestLease(lease store.Lease) time.Duration {
	most := b.System().MaxLeaseTTL()
	if lease.LeaseMax > 0 {
		most = min(most, lease.LeaseMax)
	}
	return most
}

// checkExpiry refuses a renewal past the time from which the user's expiry policy
// denies everything: the lease would promise what the key cannot do.
func (l leased) checkExpiry(deadline time.Time) error {
	if l.Expires.IsZero() || !deadline.After(l.Expires.Add(time.Minute)) {
		return nil
	}
	return fmt.Errorf("renew user %q: the expiry policy that it was issued with ends it at %s; the longest lease was raised since. Ask for a new credential, or for a shorter increment",
		l.UserName, l.Expires.Format(time.RFC3339))
}
