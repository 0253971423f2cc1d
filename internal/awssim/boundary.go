package awssim

// boundaryOperations set and remove the permissions boundary of a user or
// role; groups have none.
func (h holder) boundaryOperations() []operation {
	if h.kind == "Group" {
		return nil
	}
	named := required(h.param, h.attach)
	return []operation{
		{
			name: "Put" + h.kind + "PermissionsBoundary", target: h.param, asks: h.askBoundary, run: h.putBoundary,
			members: []member{named, required("PermissionsBoundary", arnType)},
		},
		{
			name: "Delete" + h.kind + "PermissionsBoundary", target: h.param, asks: h.askBoundary, run: h.deleteBoundary,
			members: []member{named},
		},
	}
}

// askBoundary asks with iam:PermissionsBoundary.
func (h holder) askBoundary(c *call) []ask { return c.ask(h.arn(c), h.boundaryKey(c)) }

// boundaryKey is iam:PermissionsBoundary: the boundary to be set, or else that of
// the user or role whose boundary or policies the call changes.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func (h holder) boundaryKey(c *call) contextKeys {
	keys := contextKeys{}
	if arn := c.in.text("PermissionsBoundary"); arn != "" {
		keys.set("iam:PermissionsBoundary", arn)
	} else if e, err := h.entity(c); err == nil && e.boundary != nil {
		keys.set("iam:PermissionsBoundary", e.boundary.arn)
	}
	return keys
}

// boundaryInput is the policy that the call's PermissionsBoundary names, or
// nil.
func (c *call) boundaryInput() (*managedPolicy, error) {
	arn := c.in.text("PermissionsBoundary")
	if arn == "" {
		return nil, nil
	}
	return c.attachable(arn)
}

func (h holder) putBoundary(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	bound, err := c.boundaryInput()
	if err != nil {
		return nil, err
	}
	e.boundary = bound
	return nil, nil
}

func (h holder) deleteBoundary(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	if e.boundary == nil {
		return nil, noSuchEntity("%s %s does not have a permissions boundary.", h.kind, e.name)
	}
	e.boundary = nil
	return nil, nil
}

func describeBoundary(p *managedPolicy) []node {
	if p == nil {
		return nil
	}
	return []node{branch("PermissionsBoundary",
		leaf("PermissionsBoundaryType", "Policy"), leaf("PermissionsBoundaryArn", p.arn))}
}
