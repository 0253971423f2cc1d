package permissions

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// Refusals lists why a policy for the needs would allow more than is meant: what
// somebody wrote into a role would be read as a pattern, or names begin with
// nothing that could be one. Each names where, what and the remedy.
func (m *Mount) Refusals() (reasons []string) {
	for _, name := range slices.Sorted(maps.Keys(m.Roles)) {
		reasons = append(reasons, roleRefusals("roles/"+name, m.Roles[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Static)) {
		reasons = append(reasons, staticRefusals("static-roles/"+name, m.Static[name])...)
	}
	if m.UserPrefix == "" && len(m.userRoles(everyOne)) > 0 {
		reasons = append(reasons, emptyPrefix("IAM users", "user"))
	}
	if m.FederatedPrefix == "" && len(m.FederatedRoles()) > 0 {
		reasons = append(reasons, emptyPrefix("federated users", "federated-user"))
	}
	return append(reasons, m.Root.refusals()...)
}

func emptyPrefix(bearers, kind string) string {
	return fmt.Sprintf("username_template of config/root begins names of %s with no literal text, so the policy would be for %s/*, which is everybody: begin the template with a word such as vault-", bearers, kind)
}

func roleRefusals(where string, r *store.Role) []string {
	reasons := badARNs(where, "role_arns", r.RoleARNs)
	reasons = append(reasons, badARNs(where, "policy_arns", r.PolicyARNs)...)
	if r.PermissionsBoundaryARN != "" {
		reasons = append(reasons, badARNs(where, "permissions_boundary_arn", []string{r.PermissionsBoundaryARN})...)
	}
	if pattern(r.UserPath) {
		reasons = append(reasons, isPattern(where, "user_path", r.UserPath))
	}
	return append(reasons, badNames(where, "iam_groups", r.IAMGroups)...)
}

func staticRefusals(where string, r *store.StaticRole) []string {
	reasons := badNames(where, "username", []string{r.Username})
	if r.AssumeRoleARN != "" {
		reasons = append(reasons, badARNs(where, "assume_role_arn", []string{r.AssumeRoleARN})...)
	}
	return reasons
}

func badARNs(where, field string, arns []string) (reasons []string) {
	for _, text := range arns {
		if pattern(text) {
			reasons = append(reasons, isPattern(where, field, text))
		} else if _, err := policy.ParseARN(text); err != nil {
			reasons = append(reasons, fmt.Sprintf("%s: %s holds %.100q, which is not an ARN: correct the role", where, field, text))
		}
	}
	return reasons
}

// name is IAM's pattern of the names of users and groups.
var name = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

func badNames(where, field string, names []string) (reasons []string) {
	for _, text := range names {
		if !name.MatchString(text) {
			reasons = append(reasons, fmt.Sprintf("%s: %s holds %.100q, which is no name of IAM's and would be read as a pattern or a path: correct the role", where, field, text))
		}
	}
	return reasons
}

// pattern reports whether IAM reads the text as more than itself: wildcards and
// policy variables.
func pattern(text string) bool {
	return strings.ContainsAny(text, "*?") || strings.Contains(text, "${")
}

func isPattern(where, field, text string) string {
	return fmt.Sprintf("%s: %s holds %.100q, in which IAM reads *, ? and ${ as a pattern: write it without", where, field, text)
}

// account is how AWS writes an account; other servers have names of their own.
var account = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

func (r Root) refusals() []string {
	if !account.MatchString(r.Account) || !account.MatchString(r.Partition) || pattern(r.ARN) {
		return []string{fmt.Sprintf("the root credentials are those of %.100q in account %.64q, of which no policy can be made", r.ARN, r.Account)}
	}
	return nil
}
