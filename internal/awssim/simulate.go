package awssim

import (
	"slices"
	"strconv"
	"strings"
)

// simulateOperations are IAM's policy simulator, as far as it goes by the
// policies of a principal: neither resource policies nor the handling of EC2's
// many resources are modelled.
func simulateOperations() []operation {
	documents := listOf(policyDocumentType, 0, 0)
	return []operation{{
		name: "SimulatePrincipalPolicy", asks: onPolicySource, run: simulatePrincipalPolicy,
		members: []member{
			required("PolicySourceArn", arnType), optionalIn("PolicyInputList", documents),
			optionalIn("PermissionsBoundaryPolicyInputList", documents),
			required("ActionNames", listOf(actionNameType, 0, 0)), optionalIn("ResourceArns", listOf(resourceNameType, 0, 0)),
			optionalIn("ResourcePolicy", policyDocumentType), optionalIn("ResourceOwner", resourceNameType),
			optionalIn("CallerArn", resourceNameType), optionalIn("ContextEntries", listOf(contextEntryType, 0, 0)),
			optionalIn("ResourceHandlingOption", resourceHandlingType),
			optionalIn("MaxItems", maxItemsType), optionalIn("Marker", markerType),
		},
	}}
}

// onPolicySource asks about the principal (service authorization reference of
// IAM: SimulatePrincipalPolicy has the resource types group, role and user).
func onPolicySource(c *call) []ask { return c.ask(c.in.text("PolicySourceArn"), nil) }

// unmodelled are the members of the simulator that would change the outcome.
var unmodelled = []string{"PolicyInputList", "PermissionsBoundaryPolicyInputList", "ResourcePolicy", "ResourceOwner", "CallerArn", "ResourceHandlingOption"}

// verdict is what the simulator says of an action on a resource.
type verdict struct {
	action, resource string
	order            int
	said             decision
	bounded          bool // there is a boundary
	inBounds         bool // and it allows the action
}

// simulatePrincipalPolicy judges each action on each resource by the policies of
// a user, group or role and its boundary. Condition keys are those of
// ContextEntries and no others.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func simulatePrincipalPolicy(c *call) ([]node, error) {
	if i := slices.IndexFunc(unmodelled, func(name string) bool { return c.in.hasPrefix(name) }); i >= 0 {
		return nil, invalidInput("awssim does not model %s.", unmodelled[i])
	}
	source, err := c.policySource()
	if err != nil {
		return nil, err
	}
	resources := c.in.list("ResourceArns")
	if resources == nil {
		resources = []string{"*"}
	}
	var all []verdict
	for _, action := range c.in.list("ActionNames") {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" {
			return nil, invalidInput("Invalid Action Name: %s", action)
		}
		for _, resource := range resources {
			v := source.judge(ask{action, resource, c.contextInput()})
			v.order = len(all)
			all = append(all, v)
		}
	}
	return listing(c, "EvaluationResults", all, func(v verdict) string { return padded(v.order) }, verdict.describe)
}

// padded sorts numbers as texts.
func padded(n int) string { return strconv.Itoa(1e9 + n) }

// policySource is what the policies of PolicySourceArn say.
func (c *call) policySource() (view, error) {
	text := c.in.text("PolicySourceArn")
	arn, ok := parseARN(text)
	if !ok || arn.service != serviceIAM {
		return view{}, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", text)
	}
	kind, _, _ := strings.Cut(arn.resource, "/")
	name := fold(arn.resource[strings.LastIndex(arn.resource, "/")+1:])
	if u := c.account.users[name]; kind == "user" && u != nil && u.arn() == text {
		return u.inForce(c.now, u.present()), nil
	}
	if r := c.account.roles[name]; kind == "role" && r != nil && r.arn() == text {
		return r.inForce(c.now, r.present()), nil
	}
	if g := c.account.groups[name]; kind == "group" && g != nil && g.arn() == text {
		return view{identity: g.texts()}, nil
	}
	return view{}, noSuchEntity("Entity %s not found.", text)
}

func (v view) judge(q ask) verdict {
	out := verdict{action: q.action, resource: q.resource, said: policySet{documents: documents(v.identity)}.decide(q)}
	if v.boundary == nil {
		return out
	}
	bound := policySet{documents: []policyDocument{v.boundary.doc}}.decide(q)
	out.bounded, out.inBounds = true, bound == allowed
	if bound == explicitDeny {
		out.said = explicitDeny
	}
	if bound == implicitDeny && out.said == allowed {
		out.said = implicitDeny
	}
	return out
}

// contextInput are the condition keys that the call brings.
func (c *call) contextInput() contextKeys {
	keys := contextKeys{}
	for _, entry := range c.in.elements("ContextEntries") {
		keys.set(c.in.text(entry+".ContextKeyName"), c.in.list(entry+".ContextKeyValues")...)
	}
	return keys
}

func (v verdict) describe() []node {
	said := map[decision]string{allowed: "allowed", explicitDeny: "explicitDeny", implicitDeny: "implicitDeny"}[v.said]
	out := []node{
		leaf("EvalActionName", v.action), leaf("EvalResourceName", v.resource), leaf("EvalDecision", said),
		branch("MatchedStatements"), branch("MissingContextValues"), // neither is modelled
	}
	if v.bounded {
		out = append(out, branch("PermissionsBoundaryDecisionDetail", leaf("AllowedByPermissionsBoundary", strconv.FormatBool(v.inBounds))))
	}
	return out
}
