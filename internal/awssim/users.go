package awssim

import (
	"maps"
	"slices"
	"strings"
)

// makeUser stores a user. The caller has checked name and quota.
func (s *Sim) makeUser(a *account, name, path string) *user {
	u := &user{entity: s.newEntity(a, "user", name, path)}
	a.users[fold(name)] = u
	return u
}

var idPrefixes = map[string]string{"user": prefixUser, "group": prefixGroup, "role": prefixRole}

func (s *Sim) newEntity(a *account, kind, name, path string) entity {
	return entity{
		kind: kind, account: a, name: name, path: path,
		id: s.ids.entity(idPrefixes[kind]), created: s.now(), inline: map[string]*policyText{},
	}
}

// pathInput is the call's Path, "/" by default.
func (c *call) pathInput() string {
	if path := c.in.text("Path"); path != "" {
		return path
	}
	return "/"
}

// entityARN is the ARN that a call on a named entity is judged by: the
// entity's, or for one that does not exist the one it would have at "/".
func (c *call) entityARN(e *entity, kind, name string) string {
	if e != nil {
		return e.arn()
	}
	return c.account.arn(serviceIAM, kind+"/"+name)
}

func (c *call) ask(resource string, keys contextKeys) []ask {
	return []ask{{c.action(), resource, keys}}
}

// onUser asks about the user that the call names.
func onUser(c *call) []ask { return c.ask(c.userARN(c.in.text("UserName")), nil) }

func (c *call) userARN(name string) string {
	if u := c.account.users[fold(name)]; u != nil {
		return u.arn()
	}
	return c.entityARN(nil, "user", name)
}

// onUserOrCaller asks about the user that the call names or, if it names
// none, the one that signed it.
func onUserOrCaller(c *call) []ask {
	if c.in.has("UserName") || c.caller.user == nil {
		return onUser(c)
	}
	return c.ask(c.caller.user.arn(), nil)
}

// onAccount asks about the account as a whole.
func onAccount(c *call) []ask { return c.ask("*", nil) }

// onUsers asks about all users under a path, as lists do.
func onUsers(c *call) []ask { return c.ask(c.account.arn(serviceIAM, "user"+c.prefixInput()), nil) }

func (c *call) prefixInput() string {
	if prefix := c.in.text("PathPrefix"); prefix != "" {
		return prefix
	}
	return "/"
}

// onNewUser asks for CreateUser and, if tags are given, for TagUser too.
func onNewUser(c *call) []ask {
	arn := c.account.arn(serviceIAM, "user"+c.pathInput()+c.in.text("UserName"))
	return c.askWithTags(arn, "iam:TagUser")
}

// askWithTags asks for a creation, and for the tagging that rides in it.
func (c *call) askWithTags(arn, tagging string) []ask {
	tags := c.in.tags("Tags")
	keys := tagKeys(tags)
	if bound := c.in.text("PermissionsBoundary"); bound != "" {
		keys.set("iam:PermissionsBoundary", bound)
	}
	out := c.ask(arn, keys)
	if len(tags) > 0 && c.sim.asksForTagging() {
		out = append(out, ask{tagging, arn, keys})
	}
	return out
}

// namedUser is the user that the call names.
func (c *call) namedUser() (*user, error) { return c.account.user(c.in.text("UserName")) }

// userOrCaller is the user that the call names or, if it names none, the one
// whose long-term key or session token signed it.
func (c *call) userOrCaller() (*user, error) {
	if c.in.has("UserName") {
		return c.namedUser()
	}
	if u := c.caller.user; u != nil {
		return u, nil
	}
	return nil, validationError("Must specify userName when calling with non-User credentials")
}

func createUser(c *call) ([]node, error) {
	name := c.in.text("UserName")
	if c.account.users[fold(name)] != nil {
		return nil, alreadyExists("User with name %s already exists.", name)
	}
	if most := c.sim.settings.MaxUsers; len(c.account.users) >= most {
		return nil, limitExceeded("Cannot exceed quota for UsersPerAccount: %d", most)
	}
	tags, err := checkTags(c.in.tags("Tags"))
	if err != nil {
		return nil, err
	}
	bound, err := c.boundaryInput()
	if err != nil {
		return nil, err
	}
	u := c.sim.makeUser(c.account, name, c.pathInput())
	u.tags, u.boundary = tags, bound
	return []node{branch("User", u.describe()...)}, nil
}

// identify renders what every answer about an entity begins with.
func (e *entity) identify(kind string) []node {
	return []node{
		leaf("Path", e.path), leaf(kind+"Name", e.name), leaf(kind+"Id", e.id),
		leaf("Arn", e.arn()), stamp("CreateDate", e.created),
	}
}

// summary renders a user as lists do: without tags and boundary.
func (u *user) summary() []node {
	if u.isRoot() {
		return []node{leaf("UserId", u.id), leaf("Arn", u.arn()), stamp("CreateDate", u.created)}
	}
	return u.identify("User")
}

func (u *user) describe() []node {
	return slices.Concat(u.summary(), describeBoundary(u.boundary), describeTags(u.tags))
}

func getUser(c *call) ([]node, error) {
	u, err := c.userOrCaller()
	if err != nil {
		return nil, err
	}
	return []node{branch("User", u.describe()...)}, nil
}

func listUsers(c *call) ([]node, error) {
	users := slices.Collect(maps.Values(c.account.users))
	users = slices.DeleteFunc(users, func(u *user) bool { return !strings.HasPrefix(u.path, c.prefixInput()) })
	return listing(c, "Users", users, func(u *user) string { return u.name }, (*user).summary)
}

// updateUser renames or moves a user. Trust policies that name it follow by
// its id.
func updateUser(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	if name := c.in.text("NewUserName"); name != "" && name != u.name {
		if other := c.account.users[fold(name)]; other != nil && other != u {
			return nil, alreadyExists("User with name %s already exists.", name)
		}
		delete(c.account.users, fold(u.name))
		u.name = name
		c.account.users[fold(name)] = u
	}
	if path := c.in.text("NewPath"); path != "" {
		u.path = path
	}
	return nil, nil
}

// onUpdatedUser asks about the user as it is and as it will be.
func onUpdatedUser(c *call) []ask {
	out := onUser(c)
	u := c.account.users[fold(c.in.text("UserName"))]
	if u == nil {
		return out
	}
	next := entity{kind: "user", account: c.account, name: u.name, path: u.path}
	if name := c.in.text("NewUserName"); name != "" {
		next.name = name
	}
	if path := c.in.text("NewPath"); path != "" {
		next.path = path
	}
	return append(out, c.ask(next.arn(), nil)...)
}

// deleteUser refuses as long as something hangs on the user. Tags and the
// boundary go with it.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
func deleteUser(c *call) ([]node, error) {
	u, err := c.namedUser()
	if err != nil {
		return nil, err
	}
	for _, obstacle := range []struct {
		there bool
		what  string
	}{
		{len(u.keys) > 0, "delete access keys first"},
		{u.login != nil, "delete login profile first"},
		{len(u.devices) > 0, "delete MFA device first"},
		{len(u.sideKeys) > 0, "remove referenced objects first"},
		{len(u.groups) > 0, "remove users from group first"},
		{len(u.inline) > 0, "delete policies first"},
		{len(u.attached) > 0, "detach all policies first"},
	} {
		if obstacle.there {
			return nil, deleteConflict(obstacle.what)
		}
	}
	u.gone = true
	delete(c.account.users, fold(u.name))
	return nil, nil
}
