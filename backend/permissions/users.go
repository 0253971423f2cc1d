package permissions

import (
	"maps"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/store"
)

func issuesUsers(r *store.Role) bool { return r.Issues(store.IAMUser) }

func (m *Mount) userRoles(that func(*store.Role) bool) []*store.Role {
	return m.roles(func(r *store.Role) bool { return issuesUsers(r) && that(r) })
}

func everyOne(*store.Role) bool { return true }

// issuing is what makes users. The policies that may be attached are those of
// the roles, and where every role of a path has a boundary, users without one
// are not to be made there.
func (m *Mount) issuing() (needs []Need) {
	for _, g := range m.bounded(everyOne) {
		needs = append(needs, m.onUsers(g, "iam:CreateUser"))
	}
	for _, g := range m.bounded(func(r *store.Role) bool { return len(r.PolicyARNs) > 0 }) {
		need := m.onUsers(g, "iam:AttachUserPolicy")
		need.Condition = with(need.Condition, policyKey, of(g.roles, func(r *store.Role) []string { return r.PolicyARNs }))
		needs = append(needs, need)
	}
	for _, g := range m.bounded(func(r *store.Role) bool { return r.PolicyDocument != "" || r.ExpiryPolicy }) {
		needs = append(needs, m.onUsers(g, "iam:PutUserPolicy"))
	}
	return append(needs, m.onAllUsers("iam:CreateAccessKey"))
}

// destroying is what removes users with whatever policies hang on them: AWS
// itself attaches one to users whose key it found in public.
func (m *Mount) destroying() []Need {
	return []Need{m.onAllUsers(
		"iam:DeleteAccessKey", "iam:DeleteUser", "iam:DeleteUserPolicy", "iam:DetachUserPolicy",
		"iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies",
	)}
}

func (m *Mount) joining() []Need {
	joined := m.userRoles(func(r *store.Role) bool { return len(r.IAMGroups) > 0 })
	if len(joined) == 0 {
		return nil
	}
	patterns, samples := m.anyPath("group", of(joined, func(r *store.Role) []string { return r.IAMGroups }))
	return []Need{
		m.onAllUsers("iam:ListGroupsForUser"),
		{Actions: []string{"iam:AddUserToGroup", "iam:RemoveUserFromGroup"}, Resources: patterns, Samples: samples},
	}
}

func (m *Mount) tagging() []Need {
	tagged := m.userRoles(func(r *store.Role) bool { return m.Config.OwnerTags || len(r.IAMTags) > 0 })
	return []Need{m.onUsers(group{roles: tagged}, "iam:TagUser")}
}

// telling is for users whose creation was interrupted (lifecycle, L5).
func (m *Mount) telling() []Need {
	if m.NamesUnique {
		return nil
	}
	return []Need{m.onAllUsers("iam:GetUser")}
}

// tidying asks every user of the account for its tags.
func (m *Mount) tidying() []Need {
	if !m.Config.OwnerTags || len(m.userRoles(everyOne)) == 0 {
		return nil
	}
	return []Need{
		{Actions: []string{"iam:ListUsers"}, Resources: []string{"*"}, Samples: []string{m.arn("iam", "user/")}},
		{Actions: []string{"iam:ListUserTags"}, Resources: []string{m.arn("iam", "user/*")}, Samples: []string{m.arn("iam", "user/somebody")}},
		m.onAllUsers("iam:GetLoginProfile", "iam:GetUser"),
	}
}

// group is roles whose users' boundaries are alike; nil boundaries are none.
type group struct {
	roles      []*store.Role
	boundaries []string
}

// bounded divides the iam_user roles of which a condition holds by the
// boundaries that users under their paths have.
func (m *Mount) bounded(that func(*store.Role) bool) (groups []group) {
	byPath := map[string][]*store.Role{}
	for _, role := range m.userRoles(that) {
		byPath[pathOf(role)] = append(byPath[pathOf(role)], role)
	}
	byBoundaries := map[string]group{}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		boundaries := boundariesOf(byPath[path])
		key := strings.Join(boundaries, " ")
		byBoundaries[key] = group{append(byBoundaries[key].roles, byPath[path]...), boundaries}
	}
	for _, key := range slices.Sorted(maps.Keys(byBoundaries)) {
		groups = append(groups, byBoundaries[key])
	}
	return groups
}

// boundariesOf is nil if a role has none.
func boundariesOf(roles []*store.Role) []string {
	if slices.ContainsFunc(roles, func(r *store.Role) bool { return r.PermissionsBoundaryARN == "" }) {
		return nil
	}
	return of(roles, func(r *store.Role) []string { return []string{r.PermissionsBoundaryARN} })
}

func pathOf(r *store.Role) string {
	if r.UserPath == "" {
		return "/"
	}
	return r.UserPath
}

func (m *Mount) onAllUsers(actions ...string) Need {
	return m.onUsers(group{roles: m.userRoles(everyOne)}, actions...)
}

// onUsers is a need on the users of roles.
func (m *Mount) onUsers(g group, actions ...string) Need {
	need := Need{Actions: actions}
	for _, path := range of(g.roles, func(r *store.Role) []string { return []string{pathOf(r)} }) {
		begin := m.arn("iam", "user"+path+m.UserPrefix)
		need.Resources = append(need.Resources, begin+"*")
		need.Samples = append(need.Samples, begin+"diagnose")
	}
	if g.boundaries != nil {
		need.Condition = with(nil, boundaryKey, g.boundaries)
	}
	return need
}

func with(c Condition, key string, values []string) Condition {
	out := Condition{key: values}
	maps.Copy(out, c)
	return out
}
