package awssim

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// IAM's own reads may miss what was changed a moment ago: a new user is not
// found, a deleted key is still listed. The simulator keeps the users, groups,
// roles and policies that calls change as they were before, and lets a read
// see the old ones with the chance of Settings.StaleReads.

// past is an entry of one of the account's maps as it was before a change.
type past struct {
	parameter string // by which calls name it
	name      string
	until     time.Time
	absent    bool
	restore   func() func() // puts it back, and returns what undoes that
}

// namesOf are the parameters by which calls name what they change.
var namesOf = []string{"UserName", "NewUserName", "GroupName", "RoleName", "PolicyArn"}

// remember keeps what a call is about to change. The function it returns is
// for the call's success.
func (s *Sim) remember(c *call) func() {
	if s.settings.StaleReads == 0 || c.service != serviceIAM || readsOnly(c.op.name) || c.account == nil {
		return func() {}
	}
	var changes []past
	for _, parameter := range namesOf {
		if name := c.changedName(parameter); name != "" {
			changes = append(changes, c.account.keep(parameter, name))
		}
	}
	return func() {
		until := s.now().Add(s.settings.StaleLag.drawn(c.req.met.chance("stale")))
		for _, p := range changes {
			p.until = until
			c.account.past = append(c.account.past, p)
		}
	}
}

// changedName is the key of what a call names by one of namesOf.
func (c *call) changedName(parameter string) string {
	if parameter == "PolicyArn" {
		return c.changedPolicy()
	}
	return fold(c.givenName(parameter))
}

// givenName is the name as the call gives it.
func (c *call) givenName(parameter string) string {
	if parameter == "UserName" && c.op.target == parameter {
		return c.target()
	}
	return c.in.text(parameter)
}

// keep copies what a parameter names.
func (a *account) keep(parameter, name string) past {
	p := past{parameter: parameter, name: name}
	switch parameter {
	case "PolicyArn":
		p.restore, p.absent = keep(a.policies, name, clonePolicy), a.policies[name] == nil
	case "GroupName":
		p.restore, p.absent = keep(a.groups, name, cloneGroup), a.groups[name] == nil
	case "RoleName":
		p.restore, p.absent = keep(a.roles, name, cloneRole), a.roles[name] == nil
	default:
		p.parameter = "UserName"
		p.restore, p.absent = keep(a.users, name, cloneUser), a.users[name] == nil
	}
	return p
}

// changedPolicy is the ARN of the managed policy that a call makes or changes;
// attaching one does not change it.
func (c *call) changedPolicy() string {
	switch c.op.name {
	case "CreatePolicy":
		return c.newPolicyARN()
	case "CreatePolicyVersion", "DeletePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy":
		return c.in.text("PolicyArn")
	}
	return ""
}

// keep copies an entry of a map. The function it returns puts the copy back,
// or the gap, and returns what undoes that.
func keep[T any](entries map[string]*T, key string, clone func(*T) *T) func() func() {
	var old *T
	if entry := entries[key]; entry != nil {
		old = clone(entry)
	}
	return func() func() {
		current := entries[key]
		put(entries, key, old)
		return func() { put(entries, key, current) }
	}
}

func put[T any](entries map[string]*T, key string, entry *T) {
	if entry == nil {
		delete(entries, key)
		return
	}
	entries[key] = entry
}

// lookBack lets a read see the account as it was, if chance will have it. The
// function it returns brings the present back.
func (s *Sim) lookBack(c *call) func() {
	if !s.staleFor(c) || !readsOnly(c.op.name) {
		return func() {}
	}
	var undo []func()
	for _, p := range slices.Backward(c.account.past) { // the oldest is put back last and wins
		undo = append(undo, p.restore())
	}
	return func() {
		for _, f := range slices.Backward(undo) {
			f()
		}
	}
}

// staleFor drops what is over of the past, and draws.
func (s *Sim) staleFor(c *call) bool {
	if c.account == nil || c.service != serviceIAM || len(c.account.past) == 0 {
		return false
	}
	c.account.past = slices.DeleteFunc(c.account.past, func(p past) bool { return !c.now.Before(p.until) })
	return c.req.met.chance("stale read") < s.settings.StaleReads
}

// notYetThere is the stage of a call that refuses, if chance will have it, to
// change a user, group or role that was made a moment ago. Terraform's
// provider retries NoSuchEntity for that reason (internal/service/iam/user.go).
func (s *Sim) notYetThere(c *call) error {
	if !s.staleFor(c) || readsOnly(c.op.name) || strings.HasPrefix(c.op.name, "Create") && c.op.name != "CreateAccessKey" {
		return nil
	}
	for _, p := range c.account.past {
		if p.absent && p.parameter != "PolicyArn" && c.changedName(p.parameter) == p.name {
			return cannotFind(strings.ToLower(strings.TrimSuffix(p.parameter, "Name")), c.givenName(p.parameter))
		}
	}
	return nil
}

func (e entity) clone() entity {
	e.inline, e.attached = maps.Clone(e.inline), slices.Clone(e.attached)
	return e
}

func cloneUser(u *user) *user {
	out := *u
	out.entity = u.clone()
	out.tags, out.keys, out.groups = slices.Clone(u.tags), slices.Clone(u.keys), slices.Clone(u.groups)
	out.devices, out.sideKeys = slices.Clone(u.devices), slices.Clone(u.sideKeys)
	return &out
}

func cloneGroup(g *group) *group { return &group{g.clone()} }

func cloneRole(r *role) *role {
	out := *r
	out.entity, out.tags = r.clone(), slices.Clone(r.tags)
	return &out
}

func clonePolicy(p *managedPolicy) *managedPolicy {
	out := *p
	out.versions, out.tags = slices.Clone(p.versions), slices.Clone(p.tags)
	return &out
}
