package awssim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Quotas of managed policies.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxManagedSize = 6144 // characters, white space not counted
	maxPolicies    = 1500 // customer managed ones, per account
)

// policyOperations are IAM's operations on managed policies, and those that
// give policies to users, groups and roles.
func policyOperations() []operation {
	marker, maxItems := optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)
	arn := required("PolicyArn", arnType)
	out := []operation{
		{
			name: "CreatePolicy", target: "PolicyName", asks: onNewPolicy, run: createPolicy,
			members: []member{
				required("PolicyName", policyNameType), optionalIn("Path", policyPathType),
				required("PolicyDocument", policyDocumentType), optionalIn("Description", policyDescriptionType),
				optionalIn("Tags", tagListType),
			},
		},
		{name: "GetPolicy", asks: onPolicy, run: getPolicy, members: []member{arn}},
		{
			name: "ListPolicies", asks: onPolicies, run: listPolicies,
			members: []member{
				optionalIn("Scope", policyScopeType), optionalIn("OnlyAttached", booleanType),
				optionalIn("PathPrefix", policyPathType), optionalIn("PolicyUsageFilter", policyUsageType), marker, maxItems,
			},
		},
		{name: "DeletePolicy", asks: onPolicy, run: deletePolicy, members: []member{arn}},
	}
	for _, h := range holders() {
		out = slices.Concat(out, h.inlineOperations(), h.attachOperations(), h.boundaryOperations())
	}
	return out
}

func (c *call) newPolicyARN() string {
	return c.account.arn(serviceIAM, "policy"+c.pathInput()+c.in.text("PolicyName"))
}

func onNewPolicy(c *call) []ask { return c.askWithTags(c.newPolicyARN(), "iam:TagPolicy") }

func onPolicy(c *call) []ask { return c.ask(c.in.text("PolicyArn"), nil) }

// onPolicies words its resource as AWS does, though that is no ARN.
func onPolicies(c *call) []ask { return c.ask("policy path "+c.prefixInput(), nil) }

func createPolicy(c *call) ([]node, error) {
	name, arn := c.in.text("PolicyName"), c.newPolicyARN()
	if c.account.hasPolicyNamed(name) {
		return nil, alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", name)
	}
	if len(c.account.policies) >= maxPolicies {
		return nil, limitExceeded("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	text, err := c.policyDocumentInput()
	if err != nil {
		return nil, err
	}
	tags, err := exactTags().add(nil, c.in.tags("Tags"))
	if err != nil {
		return nil, err
	}
	p := &managedPolicy{
		arn: arn, name: name, path: c.pathInput(), id: c.sim.ids.entity(prefixPolicy),
		description: c.in.text("Description"), created: c.now, tags: tags,
	}
	p.firstVersion(text, c.now)
	c.account.policies[arn] = p
	return []node{branch("Policy", p.describe(c.account)...)}, nil
}

func (a *account) hasPolicyNamed(name string) bool {
	for _, p := range a.policies {
		if fold(p.name) == fold(name) {
			return true
		}
	}
	return false
}

// summary renders a policy as lists do.
func (p *managedPolicy) summary(a *account) []node {
	return []node{
		leaf("PolicyName", p.name), leaf("PolicyId", p.id), leaf("Arn", p.arn), leaf("Path", p.path),
		leaf("DefaultVersionId", p.standard.id()), leaf("IsAttachable", "true"),
		leaf("AttachmentCount", strconv.Itoa(a.attachments(p))),
		leaf("PermissionsBoundaryUsageCount", strconv.Itoa(a.boundaryUses(p))),
		stamp("CreateDate", p.created), stamp("UpdateDate", p.standard.created),
	}
}

func (p *managedPolicy) describe(a *account) []node {
	return slices.Concat(p.summary(a), optional("Description", p.description), describeTags(p.tags))
}

// namedPolicy is the managed policy that the call's PolicyArn names.
func (c *call) namedPolicy() (*managedPolicy, error) {
	arn := c.in.text("PolicyArn")
	if p := c.account.policy(arn); p != nil {
		return p, nil
	}
	if _, ok := parseARN(arn); !ok {
		return nil, invalidInput("ARN %s is not valid.", arn)
	}
	return nil, noSuchEntity("Policy %s was not found.", arn)
}

func getPolicy(c *call) ([]node, error) {
	p, err := c.namedPolicy()
	if err != nil {
		return nil, err
	}
	return []node{branch("Policy", p.describe(c.account)...)}, nil
}

func listPolicies(c *call) ([]node, error) {
	var all []*managedPolicy
	if scope := c.in.text("Scope"); scope != "AWS" {
		all = slices.Collect(maps.Values(c.account.policies))
	}
	if scope := c.in.text("Scope"); scope != "Local" {
		all = append(all, slices.Collect(maps.Values(c.account.awsOwned))...)
	}
	all = slices.DeleteFunc(all, func(p *managedPolicy) bool { return !c.listsPolicy(p) })
	return listing(c, "Policies", all, func(p *managedPolicy) string { return p.arn },
		func(p *managedPolicy) []node { return p.summary(c.account) })
}

// listsPolicy applies the filters of ListPolicies.
func (c *call) listsPolicy(p *managedPolicy) bool {
	uses := c.account.attachments(p)
	if c.in.text("PolicyUsageFilter") == "PermissionsBoundary" {
		uses = c.account.boundaryUses(p)
	}
	filtered := c.in.text("OnlyAttached") == "true" || c.in.has("PolicyUsageFilter")
	return strings.HasPrefix(p.path, c.prefixInput()) && (!filtered || uses > 0)
}

func deletePolicy(c *call) ([]node, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	switch {
	case c.account.attachments(p)+c.account.boundaryUses(p) > 0:
		return nil, refuse("DeleteConflict", http.StatusConflict, "Cannot delete a policy attached to entities.")
	case len(p.versions) > 1:
		return nil, refuse("DeleteConflict", http.StatusConflict, "This policy has more than one version. Before you delete a policy, "+
			"you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(c.account.policies, p.arn)
	return nil, nil
}
