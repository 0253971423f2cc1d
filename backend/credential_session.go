package backend

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/policy"

	"github.com/hashicorp/vault/sdk/logical"
)

// session is how a session of one credential type is made.
type session struct {
	name   string // in AWS; "" if it has none
	limits ttlRange
	mint   func(ctx context.Context, ttl time.Duration) (lifecycle.Session, error)
}

// ttlRange is what AWS takes as DurationSeconds.
type ttlRange struct {
	least, most time.Duration
	why         string // what the reader would not expect of it
}

// The ranges of the STS calls (botocore sts/2011-06-15), and that of AssumeRole by
// temporary credentials, which AWS calls role chaining. That of AssumeRole ends
// earlier where the IAM role's MaxSessionDuration says so; AWS tells.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining (checked 2026-11)
var (
	assumeRoleTTL = ttlRange{least: 15 * time.Minute, most: 12 * time.Hour}
	chainedTTL    = ttlRange{least: 15 * time.Minute, most: time.Hour, why: "the root credentials are temporary, and AWS gives an IAM role that they assume an hour at most"}
	tokenTTL      = ttlRange{least: 15 * time.Minute, most: 36 * time.Hour}
)

// assumeRole issues a session of an IAM role.
func (b *Backend) assumeRole(ctx context.Context, o *order) (*logical.Response, error) {
	spec := lifecycle.AssumeRoleSpec{ExternalID: o.role.ExternalID, Tags: o.role.SessionTags, TransitiveTags: o.role.TransitiveTagKeys}
	var err error
	if spec.RoleARN, err = o.roleARN(); err != nil {
		return nil, err
	}
	if spec.SessionName, err = b.sessionName(o); err != nil {
		return nil, err
	}
	if spec.SourceIdentity, err = b.sourceIdentity(o); err != nil {
		return nil, err
	}
	if spec.Policy, spec.PolicyARNs, err = o.sessionPolicies(ctx); err != nil {
		return nil, err
	}
	return b.mint(ctx, o, session{
		name:   spec.SessionName,
		limits: o.assumeRoleTTL(ctx),
		mint: func(ctx context.Context, ttl time.Duration) (lifecycle.Session, error) {
			spec.TTL = ttl
			return o.root.AssumeRole(ctx, spec)
		},
	})
}

// assumeRoleTTL is the range of AssumeRole by the root credentials.
func (o *order) assumeRoleTTL(ctx context.Context) ttlRange {
	if source, err := o.root.Source(ctx); err == nil && source.Temporary {
		return chainedTTL
	}
	return assumeRoleTTL
}

// roleARN is the IAM role to assume: the request's, which the role has to allow,
// or the role's only one.
func (o *order) roleARN() (string, error) {
	requested := o.Get("role_arn").(string)
	switch {
	case requested != "" && !slices.Contains(o.role.RoleARNs, requested):
		return "", invalid("role_arn %q not in allowed role arns of role %q: use one of its role_arns", requested, o.roleName)
	case requested != "":
		return requested, nil
	case len(o.role.RoleARNs) == 1:
		return o.role.RoleARNs[0], nil
	}
	return "", invalid("did not supply a role_arn parameter and unable to determine one: role %q has %d role_arns; send role_arn with one of them", o.roleName, len(o.role.RoleARNs))
}

// federationToken issues a token of the root user's, limited by the role.
func (b *Backend) federationToken(ctx context.Context, o *order) (*logical.Response, error) {
	name, err := o.name(naming.STS)
	if err != nil {
		return nil, err
	}
	spec := lifecycle.FederationSpec{Name: name.Text}
	if spec.Policy, spec.PolicyARNs, err = o.sessionPolicies(ctx); err != nil {
		return nil, err
	}
	if spec.Policy == "" && len(spec.PolicyARNs) == 0 {
		return nil, invalid("role %q must have a policy_document, policy_arns or iam_groups with policies: AWS gives a federation token no permissions but those", o.roleName)
	}
	return b.mint(ctx, o, session{
		name:   spec.Name,
		limits: tokenTTL,
		mint: func(ctx context.Context, ttl time.Duration) (lifecycle.Session, error) {
			spec.TTL = ttl
			return o.root.FederationToken(ctx, spec)
		},
	})
}

// mfaCode is STS's tokenCodeType.
var mfaCode = regexp.MustCompile(`^[0-9]{6}$`)

// sessionToken issues a session of the root user itself.
func (b *Backend) sessionToken(ctx context.Context, o *order) (*logical.Response, error) {
	spec := lifecycle.SessionTokenSpec{MFASerial: o.role.MFASerialNumber, MFACode: o.Get("mfa_code").(string)}
	if spec.MFASerial != "" && spec.MFACode == "" {
		return nil, invalid("mfa_code is required: role %q has an mfa_serial_number; send the six digits that its device shows", o.roleName)
	}
	if spec.MFASerial == "" && spec.MFACode != "" {
		return nil, invalid("mfa_code cannot be used: role %q has no mfa_serial_number; leave it out, or write one to the role", o.roleName)
	}
	if spec.MFACode != "" && !mfaCode.MatchString(spec.MFACode) {
		return nil, invalid("mfa_code is not six digits: send those that the MFA device shows") // AWS would quote it
	}
	return b.mint(ctx, o, session{
		limits: tokenTTL,
		mint: func(ctx context.Context, ttl time.Duration) (lifecycle.Session, error) {
			spec.TTL = ttl
			return o.root.SessionToken(ctx, spec)
		},
	})
}

// Limits of what narrows a session, inline and managed policies together being
// no longer than the first. AWS also packs them into an undisclosed number of
// bytes, which only it can judge.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (checked 2026-11)
const (
	maxSessionPolicy     = 2048 // characters
	maxSessionPolicyARNs = 10
)

// sessionPolicies are the policies that limit a session: the role's own, and
// those of its IAM groups.
func (o *order) sessionPolicies(ctx context.Context) (document string, arns []string, err error) {
	document, arns, err = o.foldedPolicies(ctx)
	if n := utf8.RuneCountInString(document); err == nil && n > maxSessionPolicy {
		err = invalid("the policies of role %q and its iam_groups have %d characters; AWS takes %d for a session: shorten policy_document, or attach policies to the IAM role instead", o.roleName, n, maxSessionPolicy)
	}
	if err == nil && len(arns) > maxSessionPolicyARNs {
		err = invalid("role %q and its iam_groups have %d managed policies; AWS takes %d for a session: take some out of policy_arns or iam_groups", o.roleName, len(arns), maxSessionPolicyARNs)
	}
	return document, arns, err
}

func (o *order) foldedPolicies(ctx context.Context) (document string, arns []string, err error) {
	if len(o.role.IAMGroups) == 0 {
		return o.role.PolicyDocument, o.role.PolicyARNs, nil
	}
	groups, err := o.root.GroupPolicies(ctx, o.role.IAMGroups)
	if err != nil {
		return "", nil, err
	}
	arns = slices.Concat(o.role.PolicyARNs, groups.ARNs)
	if len(groups.Documents) == 0 {
		return o.role.PolicyDocument, arns, nil
	}
	documents := groups.Documents
	if o.role.PolicyDocument != "" {
		documents = append([]string{o.role.PolicyDocument}, documents...)
	}
	if document, err = policy.Merge(documents...); err != nil {
		return "", nil, invalid("the policies of role %q and its iam_groups cannot be merged: %v; correct policy_document, or the group's policy", o.roleName, err)
	}
	return document, arns, nil
}

// mint makes the session and its lease, which ends when AWS ends the session.
func (b *Backend) mint(ctx context.Context, o *order, s session) (*logical.Response, error) {
	ttl, cut, err := o.ttl(b.System().MaxLeaseTTL(), s.limits)
	if err != nil {
		return nil, err
	}
	made, err := lifecycle.Mint(ctx, func(ctx context.Context) (lifecycle.Session, error) { return s.mint(ctx, ttl) })
	if err != nil {
		return nil, err
	}
	left := made.Expires.Sub(b.options.Clock.Now()).Truncate(time.Second)
	data := map[string]any{
		"access_key":     made.AccessKey,
		"secret_key":     made.SecretKey.Reveal(),
		"session_token":  made.SessionToken.Reveal(),
		"security_token": made.SessionToken.Reveal(),
		"ttl":            uint64(max(left, 0).Seconds()),
		"expiration":     made.Expires.UTC().Format(time.RFC3339),
	}
	if made.ARN != "" {
		data["arn"] = made.ARN
	}
	if made.SourceIdentity != "" {
		data["source_identity"] = made.SourceIdentity
	}
	resp := b.Secret(secretAccessKeys).Response(data, sessionLease(o.roleName, s.name))
	resp.Secret.TTL, resp.Secret.Renewable = left, false
	resp.Warnings = cut
	return resp, nil
}

// wantedTTL is the life that the request asks for, else the role's default, else
// an hour, for which nobody asked.
func (o *order) wantedTTL() (ttl time.Duration, asked bool) {
	if ttl, asked = o.askedTTL(); asked {
		return ttl, true
	}
	if o.role.DefaultSTSTTL > 0 {
		return o.role.DefaultSTSTTL, true
	}
	return defaultTTL, false
}

// askedTTL is the life that the request asks for; an empty one is none.
func (o *order) askedTTL() (ttl time.Duration, asked bool) {
	if o.Raw["ttl"] == nil || o.Raw["ttl"] == "" {
		return 0, false
	}
	return time.Duration(o.Get("ttl").(int)) * time.Second, true
}

// ttlLimit is a longest life, and who says so; 0 is none.
type ttlLimit struct {
	name string
	max  time.Duration
}

// cutTTL shortens a life to the limits, and tells of each that it went beyond.
func cutTTL(ttl time.Duration, limits []ttlLimit) (_ time.Duration, warnings []string) {
	for _, limit := range limits {
		if limit.max > 0 && ttl > limit.max {
			warnings = append(warnings, fmt.Sprintf("ttl %s is cut to %s: %s", ttl, limit.max, limit.name))
			ttl = limit.max
		}
	}
	return ttl, warnings
}

// ttl is the life to ask AWS for: at most the role's maximum and the mount's, so
// that the session does not outlive its lease. What somebody asked for is not cut
// without a warning.
func (o *order) ttl(mountMax time.Duration, limits ttlRange) (ttl time.Duration, warnings []string, err error) {
	wanted, asked := o.wantedTTL()
	ttl, warnings = cutTTL(wanted, []ttlLimit{{"the role's max_sts_ttl", o.role.MaxSTSTTL}, {"the mount's maximum lease TTL", mountMax}})
	if ttl < limits.least || ttl > limits.most {
		return 0, nil, invalid("ttl %s is out of the range that AWS takes for %s: %s to %s%s", wanted, credentialTypes(o.role), limits.least, limits.most, because(append(warnings, limits.reasons()...)))
	}
	if !asked {
		warnings = nil
	}
	return ttl, warnings, nil
}

func (r ttlRange) reasons() []string {
	if r.why == "" {
		return nil
	}
	return []string{r.why}
}

func because(cuts []string) string {
	if len(cuts) == 0 {
		return ""
	}
	return " (" + strings.Join(cuts, "; ") + ")"
}
