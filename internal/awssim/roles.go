package awssim

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	maxRoles = 1000
	// maxTrustSize is IAM's default quota of a role's trust policy.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	maxTrustSize = 2048
	// defaultMaxSession of a role, in seconds.
	// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
	defaultMaxSession = 3600
)

// roleOperations are IAM's operations on roles.
func roleOperations() []operation {
	marker, maxItems := optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)
	name := required("RoleName", roleNameType)
	description := optionalIn("Description", roleDescriptionType)
	maxSession := optionalIn("MaxSessionDuration", roleMaxSessionDuration)
	return []operation{
		{
			name: "CreateRole", target: "RoleName", asks: onNewRole, run: createRole,
			members: []member{
				optionalIn("Path", pathType), name, required("AssumeRolePolicyDocument", policyDocumentType),
				description, maxSession, optionalIn("PermissionsBoundary", arnType), optionalIn("Tags", tagListType),
			},
		},
		{name: "GetRole", target: "RoleName", asks: onRole, run: getRole, members: []member{demanded("RoleName", roleNameType)}},
		{
			name: "UpdateAssumeRolePolicy", target: "RoleName", asks: onRole, run: updateAssumeRolePolicy,
			members: []member{name, required("PolicyDocument", policyDocumentType)},
		},
		{name: "UpdateRole", target: "RoleName", asks: onRole, run: updateRole, members: []member{name, description, maxSession}},
		{name: "DeleteRole", target: "RoleName", asks: onRole, run: deleteRole, members: []member{demanded("RoleName", roleNameType)}},
		{
			name: "ListRoles", asks: onRoles, run: listRoles,
			members: []member{optionalIn("PathPrefix", pathPrefixType), marker, maxItems},
		},
	}
}

func onRole(c *call) []ask { return c.ask(c.roleARN(), nil) }

func (c *call) roleARN() string {
	name := c.in.text("RoleName")
	if r := c.account.roles[fold(name)]; r != nil {
		return r.arn()
	}
	return c.entityARN(nil, "role", name)
}

func onNewRole(c *call) []ask {
	return c.askWithTags(c.account.arn(serviceIAM, "role"+c.pathInput()+c.in.text("RoleName")), "iam:TagRole")
}

func onRoles(c *call) []ask { return c.ask(c.account.arn(serviceIAM, "role"+c.prefixInput()), nil) }

// makeRole stores a role without a trust policy. The caller has checked name
// and quota.
func (s *Sim) makeRole(a *account, name, path string) *role {
	r := &role{entity: s.newEntity(a, "role", name, path), maxSession: defaultMaxSession, trust: &policyText{}}
	a.roles[fold(name)] = r
	return r
}

func createRole(c *call) ([]node, error) {
	name := c.in.text("RoleName")
	if c.account.roles[fold(name)] != nil {
		return nil, alreadyExists("Role with name %s already exists.", name)
	}
	if len(c.account.roles) >= maxRoles {
		return nil, limitExceeded("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	var r role
	if err := c.sim.setTrust(&r, c.in.text("AssumeRolePolicyDocument")); err != nil {
		return nil, err
	}
	tags, err := checkTags(c.in.tags("Tags"))
	if err != nil {
		return nil, err
	}
	bound, err := c.boundaryInput()
	if err != nil {
		return nil, err
	}
	made := c.sim.makeRole(c.account, name, c.pathInput())
	made.trust, made.trusted, made.tags, made.boundary = r.trust, r.trusted, tags, bound
	made.description = c.in.text("Description")
	if seconds := c.in.number("MaxSessionDuration"); seconds > 0 {
		made.maxSession = seconds
	}
	return []node{branch("Role", made.describe()...)}, nil
}

// summary renders a role as lists do.
func (r *role) summary() []node {
	return slices.Concat(r.identify("Role"), []node{
		document("AssumeRolePolicyDocument", r.trust.raw), leaf("MaxSessionDuration", strconv.Itoa(r.maxSession)),
	}, optional("Description", r.description))
}

// describe has a RoleLastUsed, empty for a role that was never used.
func (r *role) describe() []node {
	used := branch("RoleLastUsed")
	if r.lastUsed != nil {
		used.kids = []node{stamp("LastUsedDate", r.lastUsed.at), leaf("Region", r.lastUsed.region)}
	}
	return append(slices.Concat(r.summary(), describeBoundary(r.boundary), describeTags(r.tags)), used)
}

func (c *call) namedRole() (*role, error) { return c.account.role(c.in.text("RoleName")) }

func getRole(c *call) ([]node, error) {
	r, err := c.namedRole()
	if err != nil {
		return nil, err
	}
	return []node{branch("Role", r.describe()...)}, nil
}

func updateAssumeRolePolicy(c *call) ([]node, error) {
	r, err := c.namedRole()
	if err != nil {
		return nil, err
	}
	return nil, c.sim.setTrust(r, c.in.text("PolicyDocument"))
}

// updateRole has an empty result, which is not the same as none.
func updateRole(c *call) ([]node, error) {
	r, err := c.namedRole()
	if err != nil {
		return nil, err
	}
	if c.in.has("Description") {
		r.description = c.in.text("Description")
	}
	if seconds := c.in.number("MaxSessionDuration"); seconds > 0 {
		r.maxSession = seconds
	}
	return []node{}, nil
}

func deleteRole(c *call) ([]node, error) {
	r, err := c.namedRole()
	if err != nil {
		return nil, err
	}
	switch {
	case len(r.inline) > 0:
		return nil, deleteConflict("delete policies first")
	case len(r.attached) > 0:
		return nil, deleteConflict("detach all policies first")
	}
	r.gone = true
	delete(c.account.roles, fold(r.name))
	return nil, nil
}

func listRoles(c *call) ([]node, error) {
	roles := slices.Collect(maps.Values(c.account.roles))
	roles = slices.DeleteFunc(roles, func(r *role) bool { return !strings.HasPrefix(r.path, c.prefixInput()) })
	return listing(c, "Roles", roles, func(r *role) string { return r.name }, (*role).summary)
}
