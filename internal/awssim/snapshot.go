package awssim

import (
	"maps"
	"slices"
	"time"
)

// State is everything the simulator stores, but no secrets. It is a copy.
type State struct {
	Accounts map[string]Account `json:"accounts"` // by account id
}

// Account is one AWS account. Maps are by name, Policies by ARN.
type Account struct {
	Partition string            `json:"partition"`
	RootKeys  []Key             `json:"root_keys"`
	Users     map[string]User   `json:"users"` // the bootstrap administrator included
	Groups    map[string]Group  `json:"groups"`
	Roles     map[string]Role   `json:"roles"`
	Policies  map[string]Policy `json:"policies"` // customer managed ones
}

// User is an IAM user.
type User struct {
	Name             string            `json:"name"`
	ID               string            `json:"id"`
	Path             string            `json:"path"`
	ARN              string            `json:"arn"`
	Created          time.Time         `json:"created"`
	Tags             map[string]string `json:"tags"`
	Boundary         string            `json:"boundary"` // ARN of the permissions boundary; "": none
	Keys             []Key             `json:"keys"`
	InlinePolicies   map[string]string `json:"inline_policies"`   // documents by policy name
	AttachedPolicies []string          `json:"attached_policies"` // ARNs, sorted
	Groups           []string          `json:"groups"`            // names, sorted
	LoginProfile     bool              `json:"login_profile"`
	MFADevices       []string          `json:"mfa_devices"`         // serial numbers
	SideKeys         []string          `json:"side_keys,omitempty"` // ids of SSH keys, signing certificates and service-specific credentials
}

// Key is an access key, without its secret.
type Key struct {
	ID       string     `json:"id"`
	Status   string     `json:"status"` // Active or Inactive
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used"` // null: never
}

// Group is an IAM group.
type Group struct {
	Name             string            `json:"name"`
	ID               string            `json:"id"`
	Path             string            `json:"path"`
	ARN              string            `json:"arn"`
	Members          []string          `json:"members"` // user names, sorted
	InlinePolicies   map[string]string `json:"inline_policies"`
	AttachedPolicies []string          `json:"attached_policies"`
}

// Role is an IAM role.
type Role struct {
	Name             string            `json:"name"`
	ID               string            `json:"id"`
	Path             string            `json:"path"`
	ARN              string            `json:"arn"`
	Trust            string            `json:"trust"`       // the trust policy
	MaxSession       int               `json:"max_session"` // seconds
	Tags             map[string]string `json:"tags"`
	Boundary         string            `json:"boundary"`
	InlinePolicies   map[string]string `json:"inline_policies"`
	AttachedPolicies []string          `json:"attached_policies"`
}

// Policy is a customer managed policy.
type Policy struct {
	Name     string `json:"name"`
	ARN      string `json:"arn"`
	Document string `json:"document"`
	Attached int    `json:"attached"` // users, groups and roles; not as a boundary
}

// State returns a copy of everything the simulator stores.
func (s *Sim) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := State{Accounts: map[string]Account{}}
	for id, a := range s.world.accounts {
		out.Accounts[id] = a.snapshot()
	}
	return out
}

// Users returns the names of an account's users, sorted, without the
// bootstrap administrator.
func (s *Sim) Users(account string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	if a := s.world.accounts[account]; a != nil {
		for _, u := range a.users {
			if u.name != a.admin {
				names = append(names, u.name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func (a *account) snapshot() Account {
	out := Account{
		Partition: a.partition.name, RootKeys: snapshotKeys(a.root.keys),
		Users: map[string]User{}, Groups: map[string]Group{}, Roles: map[string]Role{}, Policies: map[string]Policy{},
	}
	for _, u := range a.users {
		out.Users[u.name] = u.snapshot()
	}
	for _, g := range a.groups {
		out.Groups[g.name] = g.snapshot()
	}
	for _, r := range a.roles {
		out.Roles[r.name] = r.snapshot()
	}
	for arn, p := range a.policies {
		out.Policies[arn] = Policy{Name: p.name, ARN: arn, Document: p.text().raw, Attached: a.attachments(p)}
	}
	return out
}

func (u *user) snapshot() User {
	out := User{
		Name: u.name, ID: u.id, Path: u.path, ARN: u.arn(), Created: u.created,
		Tags: tagMap(u.tags), Boundary: u.boundary.arnOrNone(), Keys: snapshotKeys(u.keys),
		InlinePolicies: u.inlineDocuments(), AttachedPolicies: u.attachedARNs(),
		Groups: []string{}, LoginProfile: u.login != nil, MFADevices: []string{},
	}
	for _, g := range u.groups {
		out.Groups = append(out.Groups, g.name)
	}
	slices.Sort(out.Groups)
	for _, d := range u.devices {
		out.MFADevices = append(out.MFADevices, d.serial)
	}
	for _, k := range u.sideKeys {
		out.SideKeys = append(out.SideKeys, k.id)
	}
	return out
}

func (g *group) snapshot() Group {
	out := Group{
		Name: g.name, ID: g.id, Path: g.path, ARN: g.arn(), Members: []string{},
		InlinePolicies: g.inlineDocuments(), AttachedPolicies: g.attachedARNs(),
	}
	for _, u := range g.members() {
		out.Members = append(out.Members, u.name)
	}
	return out
}

func (r *role) snapshot() Role {
	return Role{
		Name: r.name, ID: r.id, Path: r.path, ARN: r.arn(), Trust: r.trust.raw, MaxSession: r.maxSession,
		Tags: tagMap(r.tags), Boundary: r.boundary.arnOrNone(),
		InlinePolicies: r.inlineDocuments(), AttachedPolicies: r.attachedARNs(),
	}
}

func snapshotKeys(keys []*accessKey) []Key {
	out := []Key{}
	for _, k := range keys {
		key := Key{ID: k.id, Status: k.status(), Created: k.created}
		if k.lastUsed != nil {
			at := k.lastUsed.at
			key.LastUsed = &at
		}
		out = append(out, key)
	}
	return out
}

func tagMap(tags []tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[t.key] = t.value
	}
	return out
}

func (p *managedPolicy) arnOrNone() string {
	if p == nil {
		return ""
	}
	return p.arn
}

func (e *entity) inlineDocuments() map[string]string {
	out := map[string]string{}
	for name, text := range e.inline {
		out[name] = text.raw
	}
	return out
}

func (e *entity) attachedARNs() []string {
	out := []string{}
	for _, p := range e.attached {
		out = append(out, p.arn)
	}
	slices.Sort(out)
	return out
}

// members are the users of a group, by name.
func (g *group) members() []*user {
	var out []*user
	for _, name := range slices.Sorted(maps.Keys(g.account.users)) {
		if u := g.account.users[name]; slices.Contains(u.groups, g) {
			out = append(out, u)
		}
	}
	return out
}
