package awssim

import "strings"

// ask is one question of authorization.
type ask struct {
	action   string // "iam:CreateUser"
	resource string // ARN, or "*" for an action that has none
	keys     contextKeys
}

// decision is what a set of policies says to a question.
type decision int

const (
	implicitDeny decision = iota // nothing said
	allowed
	explicitDeny
)

// authorize puts the operation's questions to the caller's policies.
func authorize(c *call) error {
	if c.op.asks == nil || c.caller == nil {
		return nil
	}
	for _, question := range c.op.asks(c) {
		if err := c.permit(question); err != nil {
			return err
		}
	}
	return nil
}

// permit evaluates one question: an explicit deny anywhere refuses; else the
// identity's policies, its boundary and its session policies must all allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (c *call) permit(q ask) error {
	q.keys = c.context(q)
	sets := c.caller.policySets()
	for _, set := range sets {
		if set.decide(q) == explicitDeny {
			return c.denied(q, "with an explicit deny in "+set.article+" "+set.kind)
		}
	}
	for _, set := range sets {
		if set.decide(q) != allowed {
			return c.denied(q, "because no "+set.kind+" allows the "+q.action+" action")
		}
	}
	return nil
}

// denied words a refusal as the IAM User Guide's "Troubleshoot access denied"
// does.
func (c *call) denied(q ask, because string) error {
	message := "User: " + c.caller.arn + " is not authorized to perform: " + q.action
	if q.resource != "*" || c.service != serviceEC2 {
		message += " on resource: " + q.resource
	}
	if because != "" {
		message += " " + because
	}
	return accessDenied("%s", message)
}

// policySet is a set of policies that must allow what its owner does.
type policySet struct {
	kind      string
	article   string
	documents []policyDocument
}

func (s policySet) decide(q ask) decision {
	out := implicitDeny
	for _, doc := range s.documents {
		switch doc.decide(q) {
		case explicitDeny:
			return explicitDeny
		case allowed:
			out = allowed
		}
	}
	return out
}

// policySets are all that a caller is held to.
func (w *caller) policySets() []policySet {
	v := w.view()
	sets := []policySet{{"identity-based policy", "an", documents(v.identity)}}
	if v.boundary != nil {
		sets = append(sets, policySet{"permissions boundary", "a", []policyDocument{v.boundary.doc}})
	}
	if w.session != nil && (w.session.limited || w.kind == callerFederated) {
		sets = append(sets, policySet{"session policy", "a", documents(w.session.policies)})
	}
	return sets
}

// view of a federated user or a session token is that of the user behind it.
// The root user may do everything.
func (w *caller) view() view {
	switch {
	case w.role != nil:
		return w.role.inForce(w.now, w.role.present())
	case w.user.isRoot():
		return view{identity: []*policyText{allowEverything()}}
	}
	return w.user.inForce(w.now, w.user.present())
}

func documents(texts []*policyText) []policyDocument {
	out := make([]policyDocument, len(texts))
	for i, text := range texts {
		out[i] = text.doc
	}
	return out
}

func allowEverything() *policyText {
	return &policyText{doc: policyDocument{version: version2012, statements: []statement{
		{effect: "Allow", actions: []string{"*"}, resources: []string{"*"}},
	}}}
}

// decide is what one document says.
func (d policyDocument) decide(q ask) decision {
	out := implicitDeny
	for i := range d.statements {
		st := &d.statements[i]
		if !st.matches(q, d.version) {
			continue
		}
		if st.effect == "Deny" {
			return explicitDeny
		}
		out = allowed
	}
	return out
}

// matches reports whether a statement speaks of the question.
func (st *statement) matches(q ask, version string) bool {
	return st.matchesAction(q.action) && st.matchesResource(q, version) && st.matchesConditions(q.keys, version)
}

func (st *statement) matchesAction(action string) bool {
	for _, pattern := range st.actions {
		if globFold(pattern, action) {
			return true
		}
	}
	for _, pattern := range st.notActions {
		if globFold(pattern, action) {
			return false
		}
	}
	return len(st.notActions) > 0
}

// matchesResource holds for a trust policy, which names no resource.
func (st *statement) matchesResource(q ask, version string) bool {
	if st.resources == nil && st.notResources == nil {
		return true
	}
	for _, pattern := range st.resources {
		if matchesPattern(pattern, q.resource, q.keys, version) {
			return true
		}
	}
	for _, pattern := range st.notResources {
		if matchesPattern(pattern, q.resource, q.keys, version) {
			return false
		}
	}
	return len(st.notResources) > 0
}

// matchesPattern matches a text that may hold policy variables. A variable
// without a value matches nothing.
func matchesPattern(pattern, value string, keys contextKeys, version string) bool {
	resolved, ok := keys.resolve(pattern, version)
	return ok && glob(resolved, value)
}

func globFold(pattern, value string) bool {
	return glob(strings.ToLower(pattern), strings.ToLower(value))
}

// literal marks characters that a policy variable brought in: they are never
// wildcards, whatever a user name or a tag contains.
const literal = '\x00'

// glob matches "*" with any text and "?" with any character.
func glob(pattern, value string) bool {
	star, mark := -1, 0
	p, v := 0, 0
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, v
			p++
		case matchesOne(pattern, p, value[v]):
			p += width(pattern, p)
			v++
		case star >= 0:
			mark++
			p, v = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

func matchesOne(pattern string, p int, c byte) bool {
	switch {
	case p >= len(pattern):
		return false
	case pattern[p] == literal && p+1 < len(pattern):
		return pattern[p+1] == c
	}
	return pattern[p] == '?' || pattern[p] == c
}

func width(pattern string, p int) int {
	if pattern[p] == literal {
		return 2
	}
	return 1
}
