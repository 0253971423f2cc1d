package permissions

import (
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// diagnosing is what diagnose looks at, and no credential needs. It changes
// nothing.
func (m *Mount) diagnosing() (needs []Need) {
	if !m.Diagnose {
		return nil
	}
	if m.Root.UserName != "" {
		needs = append(needs, on([]string{m.Root.ARN}, "iam:ListAccessKeys", "iam:SimulatePrincipalPolicy"))
	}
	if m.Root.RoleName != "" {
		self, samples := m.anyPath("role", []string{m.Root.RoleName})
		needs = append(needs, Need{Actions: []string{"iam:GetRole", "iam:SimulatePrincipalPolicy"}, Resources: self, Samples: samples})
	}
	all := m.roles(everyOne)
	roles := m.ours(of(all, roleARNs))
	policies := m.ours(of(all, func(r *store.Role) []string {
		return append(slices.Clone(r.PolicyARNs), boundariesOf([]*store.Role{r})...)
	}))
	groups, samples := m.anyPath("group", of(all, func(r *store.Role) []string { return r.IAMGroups }))
	return append(needs, on(roles, "iam:GetRole"), on(policies, "iam:GetPolicy"), Need{Actions: []string{"iam:GetGroup"}, Resources: groups, Samples: samples})
}

func on(arns []string, actions ...string) Need {
	return Need{Actions: actions, Resources: arns, Samples: arns}
}

// ours are the ARNs of the root credentials' account, and AWS's own.
func (m *Mount) ours(arns []string) []string {
	return slices.DeleteFunc(arns, func(text string) bool {
		arn, err := policy.ParseARN(strings.TrimSpace(text))
		return err != nil || arn.Account != m.Root.Account && arn.Account != "aws"
	})
}
