package awssim

import (
	"maps"
	"slices"
	"strings"
)

// Quotas of groups.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxGroupsPerUser = 10
	maxGroups        = 300
)

// groupOperations are IAM's operations on groups and their members. Adding to
// and removing from a group is authorized on the group (service authorization
// reference of IAM: resource type group*).
func groupOperations() []operation {
	marker, maxItems := optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)
	name, userName := required("GroupName", groupNameType), required("UserName", existingUserNameType)
	return []operation{
		{
			name: "CreateGroup", target: "GroupName", asks: onNewGroup, run: createGroup,
			members: []member{optionalIn("Path", pathType), name},
		},
		{name: "GetGroup", target: "GroupName", asks: onGroup, run: getGroup, members: []member{name, marker, maxItems}},
		{name: "DeleteGroup", target: "GroupName", asks: onGroup, run: deleteGroup, members: []member{name}},
		{
			name: "ListGroups", asks: onGroups, run: listGroups,
			members: []member{optionalIn("PathPrefix", pathPrefixType), marker, maxItems},
		},
		{name: "AddUserToGroup", target: "UserName", asks: onGroup, run: addUserToGroup, members: []member{name, userName}},
		{name: "RemoveUserFromGroup", target: "UserName", asks: onGroup, run: removeUserFromGroup, members: []member{name, userName}},
		{
			name: "ListGroupsForUser", target: "UserName", asks: onUser, run: listGroupsForUser,
			members: []member{userName, marker, maxItems},
		},
	}
}

func onGroup(c *call) []ask {
	name := c.in.text("GroupName")
	if g := c.account.groups[fold(name)]; g != nil {
		return c.ask(g.arn(), nil)
	}
	return c.ask(c.entityARN(nil, "group", name), nil)
}

func onNewGroup(c *call) []ask {
	return c.ask(c.account.arn(serviceIAM, "group"+c.pathInput()+c.in.text("GroupName")), nil)
}

func onGroups(c *call) []ask { return c.ask(c.account.arn(serviceIAM, "group"+c.prefixInput()), nil) }

// makeGroup stores a group. The caller has checked name and quota.
func (s *Sim) makeGroup(a *account, name, path string) *group {
	g := &group{s.newEntity(a, "group", name, path)}
	a.groups[fold(name)] = g
	return g
}

func (g *group) describe() []node { return g.identify("Group") }

func createGroup(c *call) ([]node, error) {
	name := c.in.text("GroupName")
	if c.account.groups[fold(name)] != nil {
		return nil, alreadyExists("Group with name %s already exists.", name)
	}
	if len(c.account.groups) >= maxGroups {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerAccount: %d", maxGroups)
	}
	g := c.sim.makeGroup(c.account, name, c.pathInput())
	return []node{branch("Group", g.describe()...)}, nil
}

func (c *call) namedGroup() (*group, error) { return c.account.group(c.in.text("GroupName")) }

// getGroup describes the group and lists its members.
func getGroup(c *call) ([]node, error) {
	g, err := c.namedGroup()
	if err != nil {
		return nil, err
	}
	users, err := listing(c, "Users", g.members(), func(u *user) string { return u.name }, (*user).summary)
	if err != nil {
		return nil, err
	}
	return append([]node{branch("Group", g.describe()...)}, users...), nil
}

func deleteGroup(c *call) ([]node, error) {
	g, err := c.namedGroup()
	if err != nil {
		return nil, err
	}
	switch {
	case len(g.members()) > 0:
		return nil, deleteConflict("remove users from group first")
	case len(g.inline) > 0:
		return nil, deleteConflict("delete policies first")
	case len(g.attached) > 0:
		return nil, deleteConflict("detach all policies first")
	}
	delete(c.account.groups, fold(g.name))
	return nil, nil
}

func listGroups(c *call) ([]node, error) {
	groups := slices.Collect(maps.Values(c.account.groups))
	groups = slices.DeleteFunc(groups, func(g *group) bool { return !strings.HasPrefix(g.path, c.prefixInput()) })
	return listing(c, "Groups", groups, func(g *group) string { return g.name }, (*group).describe)
}

// membership is the group and the user that the call names.
func (c *call) membership() (*group, *user, error) {
	g, err := c.namedGroup()
	if err != nil {
		return nil, nil, err
	}
	u, err := c.namedUser()
	return g, u, err
}

func addUserToGroup(c *call) ([]node, error) {
	g, u, err := c.membership()
	if err != nil {
		return nil, err
	}
	if slices.Contains(u.groups, g) {
		return nil, nil
	}
	if len(u.groups) >= maxGroupsPerUser {
		return nil, limitExceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroupsPerUser)
	}
	u.groups = append(u.groups, g)
	return nil, nil
}

// removeUserFromGroup succeeds for a user who is no member. What AWS does
// then is not documented; callers have to accept NoSuchEntity as well.
func removeUserFromGroup(c *call) ([]node, error) {
	g, u, err := c.membership()
	if err != nil {
		return nil, err
	}
	u.groups = slices.DeleteFunc(u.groups, func(other *group) bool { return other == g })
	return nil, nil
}

func listGroupsForUser(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	return listing(c, "Groups", slices.Clone(u.groups), func(g *group) string { return g.name }, (*group).describe)
}
