package awssim

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// maxVersions is IAM's quota of versions of one managed policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxVersions = 5

// policyVersion is one of the documents of a managed policy.
type policyVersion struct {
	number  int
	text    *policyText
	created time.Time
}

func (v *policyVersion) id() string { return "v" + strconv.Itoa(v.number) }

// versionOperations are IAM's operations on the versions of managed policies.
func versionOperations() []operation {
	arn, version := required("PolicyArn", arnType), required("VersionId", policyVersionIDType)
	return []operation{
		{
			name: "CreatePolicyVersion", target: arn.name, asks: onPolicy, run: createPolicyVersion,
			members: []member{arn, required("PolicyDocument", policyDocumentType), optionalIn("SetAsDefault", booleanType)},
		},
		{name: "GetPolicyVersion", target: arn.name, asks: onPolicy, run: getPolicyVersion, members: []member{arn, version}},
		{name: "DeletePolicyVersion", target: arn.name, asks: onPolicy, run: deletePolicyVersion, members: []member{arn, version}},
		{name: "SetDefaultPolicyVersion", target: arn.name, asks: onPolicy, run: setDefaultPolicyVersion, members: []member{arn, version}},
		{
			name: "ListPolicyVersions", target: arn.name, asks: onPolicy, run: listPolicyVersions,
			members: []member{arn, optionalIn("Marker", markerType), optionalIn("MaxItems", maxItemsType)},
		},
	}
}

// firstVersion makes a policy's text its only version.
func (p *managedPolicy) firstVersion(text *policyText, at time.Time) {
	v := &policyVersion{1, text, at}
	p.versions, p.standard, p.lastVersion = []*policyVersion{v}, v, 1
}

// text is the one that counts: that of the default version.
func (p *managedPolicy) text() *policyText { return p.standard.text }

// ownPolicy is the customer managed policy that the call names.
func (c *call) ownPolicy() (*managedPolicy, error) {
	p, err := c.namedPolicy()
	if err != nil {
		return nil, err
	}
	if p.aws {
		return nil, accessDenied("User: %s is not authorized to perform: %s on resource: policy %s", c.caller.arn, c.action(), p.arn)
	}
	return p, nil
}

// policyDocumentInput is the call's PolicyDocument as that of a managed
// policy, which cannot be of the old version any more
// (Meteor-CollectionFS#630, cloudformation-template-generator#90).
func (c *call) policyDocumentInput() (*policyText, error) {
	text, err := parseIdentityPolicy(c.in.text("PolicyDocument"))
	if err != nil {
		return nil, err
	}
	if text.doc.version != version2012 {
		return nil, malformedPolicy("Policy document must be version 2012-10-17 or greater.")
	}
	if compactSize(text.raw) > maxManagedSize {
		return nil, limitExceeded("Cannot exceed quota for PolicySize: %d", maxManagedSize)
	}
	return text, nil
}

func createPolicyVersion(c *call) ([]node, error) {
	p, err := c.ownPolicy()
	if err != nil {
		return nil, err
	}
	text, err := c.policyDocumentInput()
	if err != nil {
		return nil, err
	}
	if len(p.versions) >= maxVersions {
		return nil, limitExceeded("A managed policy can have up to %d versions. "+
			"Before you create a new version, you must delete an existing version.", maxVersions)
	}
	p.lastVersion++
	v := &policyVersion{p.lastVersion, text, c.now}
	p.versions = append(p.versions, v)
	if c.in.text("SetAsDefault") == "true" {
		p.standard = v
	}
	return []node{branch("PolicyVersion", p.describeVersion(v)...)}, nil
}

func (p *managedPolicy) describeVersion(v *policyVersion) []node {
	return []node{
		leaf("VersionId", v.id()), leaf("IsDefaultVersion", strconv.FormatBool(v == p.standard)), stamp("CreateDate", v.created),
	}
}

// namedVersion is the version that the call names, of a policy.
func (c *call) namedVersion(p *managedPolicy, err error) (*policyVersion, error) {
	if err != nil {
		return nil, err
	}
	id := c.in.text("VersionId")
	i := slices.IndexFunc(p.versions, func(v *policyVersion) bool { return v.id() == id })
	if i < 0 {
		return nil, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.arn, id)
	}
	return p.versions[i], nil
}

func getPolicyVersion(c *call) ([]node, error) {
	p, err := c.namedPolicy()
	v, err := c.namedVersion(p, err)
	if err != nil {
		return nil, err
	}
	return []node{branch("PolicyVersion", append(p.describeVersion(v), document("Document", v.text.raw))...)}, nil
}

func deletePolicyVersion(c *call) ([]node, error) {
	p, err := c.ownPolicy()
	v, err := c.namedVersion(p, err)
	if err != nil {
		return nil, err
	}
	if v == p.standard {
		return nil, refuse("DeleteConflict", http.StatusConflict, "Cannot delete the default version of a policy.")
	}
	p.versions = slices.DeleteFunc(p.versions, func(other *policyVersion) bool { return other == v })
	return nil, nil
}

func setDefaultPolicyVersion(c *call) ([]node, error) {
	p, err := c.ownPolicy()
	v, err := c.namedVersion(p, err)
	if err != nil {
		return nil, err
	}
	p.standard = v
	return nil, nil
}

func listPolicyVersions(c *call) ([]node, error) {
	p, err := c.namedPolicy()
	if err != nil {
		return nil, err
	}
	return listing(c, "Versions", slices.Clone(p.versions), (*policyVersion).id, p.describeVersion)
}
