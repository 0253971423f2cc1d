package awssim

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// holder is one kind of entity that policies can be given to.
type holder struct {
	kind   string // "User": as the operations' names have it
	param  string // the member that names the entity
	shape  *shape // of that member, for the inline operations
	attach *shape // of that member, for the attaching ones
	quota  int    // characters of all inline policies together, white space not counted
	find   func(*call, string) (*entity, error)
}

// holders are the kinds of entity that policies can be given to. Quotas:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func holders() []holder {
	return []holder{
		{"User", "UserName", existingUserNameType, userNameType, 2048, func(c *call, name string) (*entity, error) {
			u, err := c.account.user(name)
			if err != nil {
				return nil, err
			}
			return &u.entity, nil
		}},
		{"Group", "GroupName", groupNameType, groupNameType, 5120, func(c *call, name string) (*entity, error) {
			g, err := c.account.group(name)
			if err != nil {
				return nil, err
			}
			return &g.entity, nil
		}},
		{"Role", "RoleName", roleNameType, roleNameType, 10240, func(c *call, name string) (*entity, error) {
			r, err := c.account.role(name)
			if err != nil {
				return nil, err
			}
			return &r.entity, nil
		}},
	}
}

// entity is the one that the call names.
func (h holder) entity(c *call) (*entity, error) { return h.find(c, c.in.text(h.param)) }

// ask asks about the entity, which need not exist.
func (h holder) ask(c *call) []ask { return c.ask(h.arn(c), nil) }

func (h holder) arn(c *call) string {
	e, err := h.entity(c)
	if err != nil {
		e = nil
	}
	return c.entityARN(e, strings.ToLower(h.kind), c.in.text(h.param))
}

// inlineOperations are Put, Get, Delete and List of inline policies.
func (h holder) inlineOperations() []operation {
	named, policy := required(h.param, h.shape), required("PolicyName", policyNameType)
	return []operation{
		{
			name: "Put" + h.kind + "Policy", target: h.param, asks: h.askBoundary, run: h.put,
			members: []member{named, policy, required("PolicyDocument", policyDocumentType)},
		},
		{name: "Get" + h.kind + "Policy", target: h.param, asks: h.ask, run: h.get, members: []member{named, policy}},
		{name: "Delete" + h.kind + "Policy", target: h.param, asks: h.askBoundary, run: h.remove, members: []member{named, policy}},
		{
			name: "List" + h.kind + "Policies", target: h.param, asks: h.ask, run: h.list,
			members: []member{named, optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)},
		},
	}
}

func (h holder) put(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	name := c.in.text("PolicyName")
	text, err := parseIdentityPolicy(c.in.text("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	size := compactSize(text.raw)
	for other, old := range e.inline {
		if other != name {
			size += compactSize(old.raw)
		}
	}
	if size > h.quota {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for %s %s", h.quota, e.kind, e.name)
	}
	e.inline[name] = text
	return nil, nil
}

// compactSize counts the characters of a policy that are no white space: what
// IAM's quotas are in.
func compactSize(policy string) int {
	n := 0
	for _, r := range policy {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// named is the inline policy that the call names, and whose it is.
func (h holder) named(c *call) (*entity, *policyText, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, nil, err
	}
	name := c.in.text("PolicyName")
	if text := e.inline[name]; text != nil {
		return e, text, nil
	}
	return nil, nil, cannotFind(e.kind+" policy", name)
}

func (h holder) get(c *call) ([]node, error) {
	e, text, err := h.named(c)
	if err != nil {
		return nil, err
	}
	return []node{
		leaf(h.param, e.name), leaf("PolicyName", c.in.text("PolicyName")), document("PolicyDocument", text.raw),
	}, nil
}

func (h holder) remove(c *call) ([]node, error) {
	e, _, err := h.named(c)
	if err != nil {
		return nil, err
	}
	delete(e.inline, c.in.text("PolicyName"))
	return nil, nil
}

func (h holder) list(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(e.inline))
	shown, tail, err := page(c, names, func(name string) string { return name })
	if err != nil {
		return nil, err
	}
	return append([]node{texts("PolicyNames", shown)}, tail...), nil
}
