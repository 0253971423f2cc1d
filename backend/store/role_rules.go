package store

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/policy"
)

// Limits of what a request may send for a role.
//
// The numbers of policies, groups and tags are IAM's quotas
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html,
// checked 2026-11), 20 being what the 10 managed policies can be raised to.
const (
	maxPolicyDocument = 131072 // bytes, the wire limit of IAM's policyDocumentType
	maxPolicyARNs     = 20
	maxGroups         = 10
	maxTags           = 50
	maxRegions        = 10 // ours: each is asked once a second
)

var (
	stsTypes    = []CredentialType{AssumedRole, FederationToken, SessionToken}
	policyTypes = []CredentialType{IAMUser, AssumedRole, FederationToken}
)

// validFor says which credential types each parameter applies to. docs/api.md
// has the same table.
var validFor = []struct {
	param string
	set   func(*Role) bool
	types []CredentialType
}{
	{"role_arns", func(r *Role) bool { return len(r.RoleARNs) > 0 }, []CredentialType{AssumedRole}},
	{"policy_arns", func(r *Role) bool { return len(r.PolicyARNs) > 0 }, policyTypes},
	{"policy_document", func(r *Role) bool { return r.PolicyDocument != "" }, policyTypes},
	{"session_tags", func(r *Role) bool { return len(r.SessionTags) > 0 }, []CredentialType{AssumedRole}},
	{"external_id", func(r *Role) bool { return r.ExternalID != "" }, []CredentialType{AssumedRole}},
	{"role_session_name_template", func(r *Role) bool { return r.RoleSessionNameTemplate != "" }, []CredentialType{AssumedRole}},
	{"source_identity_template", func(r *Role) bool { return r.SourceIdentityTemplate != "" }, []CredentialType{AssumedRole}},
	{"transitive_tag_keys", func(r *Role) bool { return len(r.TransitiveTagKeys) > 0 }, []CredentialType{AssumedRole}},
	{"default_sts_ttl", func(r *Role) bool { return r.DefaultSTSTTL != 0 }, stsTypes},
	{"max_sts_ttl", func(r *Role) bool { return r.MaxSTSTTL != 0 }, stsTypes},
	{"user_path", func(r *Role) bool { return r.UserPath != "" }, []CredentialType{IAMUser}},
	{"permissions_boundary_arn", func(r *Role) bool { return r.PermissionsBoundaryARN != "" }, []CredentialType{IAMUser}},
	{"expiry_policy", func(r *Role) bool { return r.ExpiryPolicy }, []CredentialType{IAMUser}},
	{"max_users", func(r *Role) bool { return r.MaxUsers != 0 }, []CredentialType{IAMUser}},
	{"default_ttl", func(r *Role) bool { return r.DefaultTTL != 0 }, []CredentialType{IAMUser}},
	{"max_ttl", func(r *Role) bool { return r.MaxTTL != 0 }, []CredentialType{IAMUser}},
	{"propagation_timeout", func(r *Role) bool { return r.PropagationTimeout != 0 }, []CredentialType{IAMUser}},
	{"propagation_regions", func(r *Role) bool { return len(r.PropagationRegions) > 0 }, []CredentialType{IAMUser}},
}

// instead names the parameter that does the same for the other types.
var instead = map[string]string{
	"default_sts_ttl": ", or use default_ttl",
	"max_sts_ttl":     ", or use max_ttl",
	"default_ttl":     ", or use default_sts_ttl",
	"max_ttl":         ", or use max_sts_ttl",
}

// noEffect says which parameters are accepted for a credential type although
// they change nothing, as the built-in engine accepts them.
var noEffect = []struct {
	param string
	set   func(*Role) bool
	types []CredentialType // the types on which it has an effect
}{
	{"iam_groups", func(r *Role) bool { return len(r.IAMGroups) > 0 }, policyTypes},
	{"iam_tags", func(r *Role) bool { return len(r.IAMTags) > 0 }, []CredentialType{IAMUser}},
	{"mfa_serial_number", func(r *Role) bool { return r.MFASerialNumber != "" }, []CredentialType{SessionToken}},
}

// Problems lists every rule the role breaks, in a fixed order; each names the
// field and the remedy.
func (r *Role) Problems() []string {
	problems := r.typeProblems()
	for _, rule := range validFor {
		if len(r.CredentialTypes) > 0 && rule.set(r) && !r.IssuesAny(rule.types) {
			problems = append(problems, fmt.Sprintf("%s is only valid for credential_type %s; clear it by writing it empty%s", rule.param, oneOf(rule.types), instead[rule.param]))
		}
	}
	for _, check := range []func() string{r.sessionTTLProblem, r.userTTLProblem, r.pathProblem, r.boundaryProblem, r.sizeProblem, r.tagProblem, r.transitiveProblem, r.capProblem, r.propagationProblem} {
		if problem := check(); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems
}

func (r *Role) typeProblems() (problems []string) {
	if len(r.CredentialTypes) == 0 {
		return []string{"credential_type is required: one of " + oneOf(CredentialTypes)}
	}
	known := &Role{CredentialTypes: CredentialTypes}
	for _, t := range r.CredentialTypes {
		if !known.Issues(t) {
			problems = append(problems, fmt.Sprintf("credential_type %q is not one of %s", t, oneOf(CredentialTypes)))
		}
	}
	return problems
}

func (r *Role) sessionTTLProblem() string {
	if r.MaxSTSTTL == 0 || r.DefaultSTSTTL <= r.MaxSTSTTL {
		return ""
	}
	return fmt.Sprintf("default_sts_ttl %s is more than max_sts_ttl %s: lower it, or raise max_sts_ttl", r.DefaultSTSTTL, r.MaxSTSTTL)
}

func (r *Role) userTTLProblem() string {
	switch {
	case r.DefaultTTL < 0 || r.MaxTTL < 0:
		return "default_ttl and max_ttl cannot be negative: 0 leaves them to config/lease"
	case r.MaxTTL == 0 || r.DefaultTTL <= r.MaxTTL:
		return ""
	}
	return fmt.Sprintf("default_ttl %s is more than max_ttl %s: lower it, or raise max_ttl", r.DefaultTTL, r.MaxTTL)
}

// userPath is IAM's pathType: printable ASCII between two slashes, 512 bytes.
var userPath = regexp.MustCompile(`^/([\x21-\x7E]{0,510}/)?$`)

func (r *Role) pathProblem() string {
	if r.UserPath == "" || userPath.MatchString(r.UserPath) {
		return ""
	}
	return `user_path must be "/", or begin and end with "/" around at most 510 printable ASCII characters`
}

func (r *Role) boundaryProblem() string {
	if r.PermissionsBoundaryARN == "" {
		return ""
	}
	arn, err := policy.ParseARN(r.PermissionsBoundaryARN)
	switch {
	case err != nil:
		return fmt.Sprintf("permissions_boundary_arn is not an ARN: %v", err)
	case arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "policy/"):
		return "permissions_boundary_arn is not the ARN of a managed policy: arn:aws:iam::<account>:policy/<name>"
	}
	return ""
}

// ownTags begins the keys of tags that are the engine's own, as
// lifecycle.OwnerTagPrefix; keys of user tags differ in more than case.
const ownTags = "vault-aws:"

func (r *Role) tagProblem() string {
	for key := range r.IAMTags {
		if strings.HasPrefix(strings.ToLower(key), ownTags) {
			return fmt.Sprintf("iam_tags has key %q: keys beginning with %s are the engine's own", key, ownTags)
		}
	}
	return ""
}

// transitiveProblem: AWS takes as transitive what is among the session's tags, whose
// keys it tells apart ignoring case.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (checked 2026-11)
func (r *Role) transitiveProblem() string {
	for _, key := range r.TransitiveTagKeys {
		same := func(tag string) bool { return strings.EqualFold(tag, key) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(r.SessionTags)), same) {
			return fmt.Sprintf("transitive_tag_keys has %q, which is no key of session_tags: add it there, or take it out here", key)
		}
	}
	return ""
}

func (r *Role) capProblem() string {
	if r.MaxUsers < 0 {
		return fmt.Sprintf("max_users %d is negative: 0 stands for no limit", r.MaxUsers)
	}
	return ""
}

// maxPropagation is lifecycle.MaxPropagation.
const maxPropagation = 25 * time.Second

// RegionShape is what may be a region, of AWS or of another server.
var RegionShape = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (r *Role) propagationProblem() string {
	if r.PropagationTimeout < 0 || r.PropagationTimeout > maxPropagation {
		return fmt.Sprintf("propagation_timeout %s is out of range: 0 (no wait) to %s", r.PropagationTimeout, maxPropagation)
	}
	for _, region := range r.PropagationRegions {
		if !RegionShape.MatchString(region) {
			return fmt.Sprintf("propagation_regions has %q, which is not a region: it must be 1 to 40 of a-z, 0-9 and -, such as eu-west-1", region)
		}
	}
	return ""
}

func (r *Role) sizeProblem() string {
	for _, limit := range []struct {
		param     string
		have, max int
		unit      string
	}{
		{"policy_document", len(r.PolicyDocument), maxPolicyDocument, "bytes"},
		{"policy_arns", len(r.PolicyARNs), maxPolicyARNs, "ARNs"},
		{"iam_groups", len(r.IAMGroups), maxGroups, "groups"},
		{"propagation_regions", len(r.PropagationRegions), maxRegions, "regions"},
		{"iam_tags", len(r.IAMTags), maxTags, "tags"},
		{"session_tags", len(r.SessionTags), maxTags, "tags"},
		{"transitive_tag_keys", len(r.TransitiveTagKeys), maxTags, "keys"},
	} {
		if limit.have > limit.max {
			return fmt.Sprintf("%s has %d %s; at most %d are taken", limit.param, limit.have, limit.unit, limit.max)
		}
	}
	return ""
}

// Warnings lists what is accepted but will not do what its writer may expect.
func (r *Role) Warnings() (warnings []string) {
	for _, rule := range noEffect {
		if rule.set(r) && !r.IssuesAny(rule.types) {
			warnings = append(warnings, fmt.Sprintf("%s has no effect: it applies to credential_type %s only", rule.param, oneOf(rule.types)))
		}
	}
	if r.Issues(AssumedRole) && len(r.RoleARNs) == 0 {
		warnings = append(warnings, "role_arns is empty: no credentials can be issued until it names an IAM role")
	}
	if r.Issues(FederationToken) && r.PolicyDocument == "" && len(r.PolicyARNs) == 0 && len(r.IAMGroups) == 0 {
		warnings = append(warnings, "the role has no policy_document, policy_arns or iam_groups: no federation token can be issued")
	}
	warnings = append(warnings, notARNs("policy_arns", r.PolicyARNs)...)
	warnings = append(warnings, notARNs("role_arns", r.RoleARNs)...)
	if r.PolicyDocument != "" {
		warnings = append(warnings, policy.Warnings(r.PolicyDocument)...)
	}
	return warnings
}

func notARNs(param string, arns []string) (warnings []string) {
	for _, arn := range arns {
		if _, err := policy.ParseARN(arn); err != nil {
			warnings = append(warnings, fmt.Sprintf("%s holds %q, which is not an ARN", param, arn))
		}
	}
	return warnings
}

func oneOf(types []CredentialType) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}
