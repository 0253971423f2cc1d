package diagnose

import (
	"context"
	"errors"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// How a trust policy is proven: the shortest session there is, which may do
// nothing.
const (
	proofSession = "vault-diagnose"
	proofTTL     = 15 * time.Minute
	proofPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`
)

// assumption is an IAM role that something of the mount assumes.
type assumption struct {
	subject    string
	arn        string
	externalID string
	tags       map[string]string
	transitive []string
	sourced    bool // its sessions name a source identity
}

func (a assumption) key() string { return a.subject + " " + a.arn }

// assumptions are those of all roles and static roles.
func assumptions(m Mount) (all []assumption) {
	for _, role := range m.Roles {
		if !role.Issues(store.AssumedRole) {
			continue
		}
		for _, arn := range role.RoleARNs {
			all = append(all, assumption{"roles/" + role.Name, arn, role.ExternalID, role.SessionTags, role.TransitiveTagKeys, role.SourceIdentityTemplate != ""})
		}
	}
	for _, role := range m.Statics {
		if role.AssumeRoleARN != "" {
			all = append(all, assumption{subject: "static-roles/" + role.Name, arn: role.AssumeRoleARN, externalID: role.ExternalID})
		}
	}
	return all
}

// prove assumes the role. What AWS answers is dropped unread.
func (a assumption) prove(aws AWS) func(context.Context) (struct{}, error) {
	return func(ctx context.Context) (struct{}, error) {
		spec := lifecycle.AssumeRoleSpec{
			RoleARN: a.arn, SessionName: proofSession, ExternalID: a.externalID, Tags: a.tags, TransitiveTags: a.transitive, Policy: proofPolicy, TTL: proofTTL,
		}
		if a.sourced {
			spec.SourceIdentity = proofSession
		}
		_, err := aws.AssumeRole(ctx, spec)
		return struct{}{}, err
	}
}

// checkTrust tells of IAM roles that cannot be assumed.
func checkTrust(q *inquiry) {
	if q.identity.err != nil || !q.identity.asked {
		return
	}
	for _, a := range assumptions(q.Mount) {
		if q.Assume {
			q.proven(a)
			continue
		}
		q.trusted(a)
	}
}

func (q *inquiry) proven(a assumption) {
	proof := q.assumed.of(a.key())
	switch {
	case !proof.asked:
		q.skip(a.subject, "whether %s can be assumed: %s", a.arn, reason(proof))
	case proof.err == nil:
	case errors.Is(proof.err, awserr.Unavailable), errors.Is(proof.err, awserr.Throttled):
		q.skip(a.subject, "whether %s can be assumed: %v", a.arn, proof.err)
	default:
		q.find(Error, a.subject, "check that the IAM role exists, that its trust policy names "+q.root.ARN+" (and the external_id, and sts:TagSession with session_tags), and that the root credentials may call sts:AssumeRole on it",
			"%s cannot be assumed: %v", a.arn, proof.err)
	}
}

// trusted reads the trust policy where it can be read.
func (q *inquiry) trusted(a assumption) {
	parsed, err := policy.ParseARN(a.arn)
	if err != nil {
		return // told by the rules
	}
	role := q.iamRoles.of(a.arn)
	switch {
	case parsed.Account != q.root.Account:
		q.skip(a.subject, "whether %s, of another account, can be assumed: ask with assume=true", a.arn)
	case errors.Is(role.err, awserr.NotFound):
		q.find(Error, a.subject, "correct the ARN, or create the IAM role", "the IAM role %s does not exist", a.arn)
	case reason(role) != "":
		q.skip(a.subject, "the trust policy of %s: %s. Allow iam:GetRole on it, or ask with assume=true", a.arn, reason(role))
	case role.value.ARN != a.arn:
		q.find(Error, a.subject, "write "+role.value.ARN, "the IAM role %s does not exist; the one of that name is %s", a.arn, role.value.ARN)
	default:
		q.trust(a, role.value.Trust)
	}
}
