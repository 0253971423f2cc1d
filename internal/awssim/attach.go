package awssim

import (
	"net/http"
	"slices"
	"strings"
)

// maxAttached is IAM's default quota of managed policies on one entity; it
// can be raised for users and roles, which the simulator does not do.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxAttached = 10

// attachOperations are Attach, Detach and ListAttached of managed policies.
func (h holder) attachOperations() []operation {
	named, arn := required(h.param, h.attach), required("PolicyArn", arnType)
	return []operation{
		{name: "Attach" + h.kind + "Policy", target: h.param, asks: h.askPolicy, run: h.attachPolicy, members: []member{named, arn}},
		{name: "Detach" + h.kind + "Policy", target: h.param, asks: h.askPolicy, run: h.detachPolicy, members: []member{named, arn}},
		{
			name: "ListAttached" + h.kind + "Policies", target: h.param, asks: h.ask, run: h.listAttached,
			members: []member{
				named, optionalIn("PathPrefix", policyPathType),
				optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType),
			},
		},
	}
}

// askPolicy asks with the policy's ARN as iam:PolicyARN, and with the boundary.
func (h holder) askPolicy(c *call) []ask {
	keys := h.boundaryKey(c)
	keys.set("iam:PolicyARN", c.in.text("PolicyArn"))
	return c.ask(h.arn(c), keys)
}

// attachable is the managed policy of an ARN.
func (c *call) attachable(arn string) (*managedPolicy, error) {
	if _, ok := parseARN(arn); !ok {
		return nil, invalidInput("ARN %s is not valid.", arn)
	}
	p := c.account.policy(arn)
	if p == nil {
		return nil, noSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	if strings.HasPrefix(p.path, "/aws-service-role/") {
		return nil, refuse("PolicyNotAttachable", http.StatusBadRequest, "Cannot attach an AWS service role policy: %s", arn)
	}
	return p, nil
}

func (h holder) attachPolicy(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	p, err := c.attachable(c.in.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	if slices.Contains(e.attached, p) {
		return nil, nil
	}
	if len(e.attached) >= maxAttached {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", h.kind, maxAttached)
	}
	e.attached = append(e.attached, p)
	return nil, nil
}

func (h holder) detachPolicy(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	arn := c.in.text("PolicyArn")
	i := slices.IndexFunc(e.attached, func(p *managedPolicy) bool { return p.arn == arn })
	if i < 0 {
		return nil, noSuchEntity("Policy %s was not found.", arn)
	}
	e.attached = slices.Delete(e.attached, i, i+1)
	return nil, nil
}

func (h holder) listAttached(c *call) ([]node, error) {
	e, err := h.entity(c)
	if err != nil {
		return nil, err
	}
	attached := slices.DeleteFunc(slices.Clone(e.attached), func(p *managedPolicy) bool {
		return !strings.HasPrefix(p.path, c.prefixInput())
	})
	return listing(c, "AttachedPolicies", attached, func(p *managedPolicy) string { return p.arn },
		func(p *managedPolicy) []node { return []node{leaf("PolicyName", p.name), leaf("PolicyArn", p.arn)} })
}
