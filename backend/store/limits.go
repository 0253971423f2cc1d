package store

import (
	"fmt"
	"slices"
	"strings"
)

// Limits are what the operator of a mount sets to those who write its roles. In
// the patterns * stands for any text, slashes included; an empty list is no
// limit.
type Limits struct {
	AllowedPolicyARNs              []string `json:"allowed_policy_arns,omitempty"`
	AllowedRoleARNs                []string `json:"allowed_role_arns,omitempty"`
	AllowedUsernames               []string `json:"allowed_usernames,omitempty"` // of static roles
	AllowedUserPaths               []string `json:"allowed_user_paths,omitempty"`
	RequiredPermissionsBoundaryARN string   `json:"required_permissions_boundary_arn,omitempty"`
}

// Forbids lists what of the role is outside of the limits. Each names the field,
// the value and the limit.
func (l Limits) Forbids(r *Role) (problems []string) {
	problems = append(problems, outside("policy_arns", r.PolicyARNs, "allowed_policy_arns", l.AllowedPolicyARNs)...)
	problems = append(problems, outside("role_arns", r.RoleARNs, "allowed_role_arns", l.AllowedRoleARNs)...)
	if !r.Issues(IAMUser) {
		return problems
	}
	path := r.UserPath
	if path == "" {
		path = "/"
	}
	problems = append(problems, outside("user_path", []string{path}, "allowed_user_paths", l.AllowedUserPaths)...)
	if required := l.RequiredPermissionsBoundaryARN; required != "" && r.PermissionsBoundaryARN != required {
		problems = append(problems, fmt.Sprintf("permissions_boundary_arn %q is not %q, the required_permissions_boundary_arn of config/root", r.PermissionsBoundaryARN, required))
	}
	return problems
}

// ForbidsStatic is Forbids for a static role.
func (l Limits) ForbidsStatic(r *StaticRole) (problems []string) {
	problems = outside("username", []string{r.Username}, "allowed_usernames", l.AllowedUsernames)
	if r.AssumeRoleARN != "" {
		problems = append(problems, outside("assume_role_arn", []string{r.AssumeRoleARN}, "allowed_role_arns", l.AllowedRoleARNs)...)
	}
	return problems
}

// outside lists the values that match none of the patterns.
func outside(field string, values []string, limit string, patterns []string) (problems []string) {
	for _, value := range values {
		allows := func(pattern string) bool { return matches(pattern, value) }
		if len(patterns) > 0 && !slices.ContainsFunc(patterns, allows) {
			problems = append(problems, fmt.Sprintf("%s %q is outside of %s of config/root: %s", field, value, limit, strings.Join(patterns, ", ")))
		}
	}
	return problems
}

// matches reports whether the text fits the pattern, in which * stands for any
// text.
func matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	last := len(parts) - 1
	if last == 0 {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}
