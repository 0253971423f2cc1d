package awssim

import (
	"slices"
	"strings"
	"time"
)

// Whoever enforces policies learns of changes late. For each user and role
// the simulator keeps what was in force before a change, until the change has
// arrived.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency

// view is all that decides what a user or role may do, and who may be it.
type view struct {
	identity []*policyText // its own and its groups' policies, in no order
	boundary *policyText
	trust    *policyText       // of a role
	trusted  map[string]string // likewise
}

// oldView is a view that is in force although it has been changed.
type oldView struct {
	view
	until time.Time
}

// same reports whether two views are of the same documents.
func (v view) same(other view) bool {
	return v.boundary == other.boundary && v.trust == other.trust && len(v.identity) == len(other.identity) &&
		!slices.ContainsFunc(v.identity, func(text *policyText) bool { return !slices.Contains(other.identity, text) })
}

func (e *entity) texts() []*policyText {
	var out []*policyText
	for _, text := range e.inline {
		out = append(out, text)
	}
	for _, p := range e.attached {
		out = append(out, p.text())
	}
	return out
}

func (u *user) present() view {
	v := view{identity: u.texts(), boundary: u.boundary.textOrNone()}
	for _, g := range u.groups {
		v.identity = append(v.identity, g.texts()...)
	}
	return v
}

func (r *role) present() view {
	return view{identity: r.texts(), boundary: r.boundary.textOrNone(), trust: r.trust, trusted: r.trusted}
}

func (p *managedPolicy) textOrNone() *policyText {
	if p == nil {
		return nil
	}
	return p.text()
}

// inForce is the view that is enforced: the oldest that is not over, or the
// present one.
func (e *entity) inForce(now time.Time, present view) view {
	for len(e.old) > 0 && !now.Before(e.old[0].until) {
		e.old = e.old[1:]
	}
	if len(e.old) > 0 {
		return e.old[0].view
	}
	return present
}

// changing remembers what is in force while a call may change it. The
// function it returns compares and starts the lag of whatever did change.
func (s *Sim) changing(c *call) func() {
	if s.settings.PolicyLag == (Lag{}) || c.service != serviceIAM || readsOnly(c.op.name) || c.account == nil {
		return func() {}
	}
	before := c.views()
	return func() {
		for e, now := range c.views() {
			if was := before[e]; !was.same(now) {
				s.delayPolicy(e, was)
			}
		}
	}
}

// views are the views of those whom a call may concern: the user or role it
// names or, if it names none, all. One that is not there yet has the empty
// view.
func (c *call) views() map[*entity]view {
	userName, roleName := c.changedName("UserName"), c.changedName("RoleName")
	out := map[*entity]view{}
	for name, u := range c.account.users {
		if roleName == "" && (userName == "" || name == userName) {
			out[&u.entity] = u.present()
		}
	}
	for name, r := range c.account.roles {
		if userName == "" && (roleName == "" || name == roleName) {
			out[&r.entity] = r.present()
		}
	}
	return out
}

// delayPolicy keeps a view in force for a while. Changes arrive in order.
func (s *Sim) delayPolicy(e *entity, was view) {
	met := encounter{seed: s.options.Seed, actor: e.arn(), action: "policy change"}
	s.encounters[met]++
	met.nth = s.encounters[met]
	until := s.now().Add(s.settings.PolicyLag.drawn(met.chance("lag")))
	if n := len(e.old); n > 0 && until.Before(e.old[n-1].until) {
		until = e.old[n-1].until
	}
	e.old = append(e.old, oldView{was, until})
}

// readsOnly reports whether an operation changes nothing.
func readsOnly(name string) bool {
	return strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List")
}
