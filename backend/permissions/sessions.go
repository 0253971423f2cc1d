package permissions

import (
	"maps"
	"slices"

	"vault-plugin-secrets-aws/backend/store"
)

func roleARNs(r *store.Role) []string { return r.RoleARNs }

func (m *Mount) assuming() []Need {
	arns := of(m.roles(func(r *store.Role) bool { return r.Issues(store.AssumedRole) }), roleARNs)
	return []Need{{Actions: []string{"sts:AssumeRole"}, Resources: arns, Samples: arns}}
}

func (m *Mount) taggingSessions() []Need {
	arns := of(m.roles(func(r *store.Role) bool { return r.Issues(store.AssumedRole) && len(r.SessionTags) > 0 }), roleARNs)
	return []Need{{Actions: []string{"sts:TagSession"}, Resources: arns, Samples: arns}}
}

func (m *Mount) namingSources() []Need {
	arns := of(m.roles(func(r *store.Role) bool { return r.Issues(store.AssumedRole) && r.SourceIdentityTemplate != "" }), roleARNs)
	return []Need{{Actions: []string{"sts:SetSourceIdentity"}, Resources: arns, Samples: arns}}
}

// readingGroups is for the policies of groups that limit sessions.
func (m *Mount) readingGroups() []Need {
	limited := m.roles(func(r *store.Role) bool {
		return r.IssuesAny([]store.CredentialType{store.AssumedRole, store.FederationToken})
	})
	patterns, samples := m.anyPath("group", of(limited, func(r *store.Role) []string { return r.IAMGroups }))
	return []Need{{
		Actions:   []string{"iam:GetGroupPolicy", "iam:ListAttachedGroupPolicies", "iam:ListGroupPolicies"},
		Resources: patterns, Samples: samples,
	}}
}

// federating is what makes tokens. What they may do the root user must be
// allowed, too; that is for the operator to grant.
func (m *Mount) federating() []Need {
	if len(m.FederatedRoles()) == 0 {
		return nil
	}
	begin := m.arn("sts", "federated-user/"+m.FederatedPrefix)
	return []Need{{Actions: []string{"sts:GetFederationToken"}, Resources: []string{begin + "*"}, Samples: []string{begin + "diagnose"}}}
}

// FederatedRoles are the names of the roles that give out federation tokens.
func (m *Mount) FederatedRoles() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(m.Roles)) {
		if m.Roles[name].Issues(store.FederationToken) {
			names = append(names, name)
		}
	}
	return names
}
