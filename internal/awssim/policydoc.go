package awssim

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// policyDocument is a policy as it is evaluated.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policyDocument struct {
	version    string
	statements []statement
}

type statement struct {
	sid           string
	effect        string
	actions       []string
	notActions    []string
	resources     []string
	notResources  []string
	principals    map[string][]string // by type: "AWS", "Service", "Federated"; "*" for everybody
	notPrincipals map[string][]string
	conditions    []condition
}

// condition is one line of a Condition block: operator, key, values.
type condition struct {
	operator string
	key      string
	values   []string
}

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// policyRules are what an identity policy and a trust policy differ in.
type policyRules struct {
	json    string // message for what is no JSON
	syntax  string // message for whatever has no message of its own
	version string // message for a version that AWS does not know
	empty   string // message for no statement at all
	repeats string // message for a Sid that is there twice
	check   func(*statement) error
}

const (
	syntaxError  = "Syntax errors in policy."
	invalidJSON  = "This policy contains invalid Json"
	wrongVersion = "The policy must contain a valid version string"
	noStatement  = "Could not parse the policy: Statement is empty!"
	repeatedSid  = "Statement IDs (SID) in a single policy must be unique."
)

func identityRules() policyRules {
	return policyRules{syntaxError, syntaxError, syntaxError, syntaxError, repeatedSid, checkIdentity}
}

func sessionRules() policyRules {
	return policyRules{invalidJSON, invalidJSON, wrongVersion, noStatement, repeatedSid, checkIdentity}
}

func trustRules() policyRules {
	return policyRules{invalidJSON, "Syntax error in policy.", wrongVersion, noStatement, "The Statement Ids in the policy are not unique", checkTrust}
}

// parseIdentityPolicy reads a policy of a user, group or role, or a managed
// policy. Its errors are MalformedPolicyDocument.
func parseIdentityPolicy(raw string) (*policyText, error) { return parsePolicy(raw, identityRules()) }

func parsePolicy(raw string, rules policyRules) (*policyText, error) {
	if !json.Valid([]byte(raw)) {
		return nil, malformedPolicy("%s", rules.json)
	}
	doc, err := decodePolicy([]byte(raw))
	if err != nil {
		return nil, malformedPolicy("%s", rules.syntax)
	}
	if doc.version != "" && doc.version != version2008 && doc.version != version2012 {
		return nil, malformedPolicy("%s", rules.version)
	}
	if len(doc.statements) == 0 {
		return nil, malformedPolicy("%s", rules.empty)
	}
	sids := map[string]bool{}
	for i := range doc.statements {
		st := &doc.statements[i]
		if err := rules.check(st); err != nil {
			return nil, err
		}
		if st.sid != "" && sids[st.sid] {
			return nil, malformedPolicy("%s", rules.repeats)
		}
		sids[st.sid] = true
	}
	return &policyText{raw: raw, doc: doc}, nil
}

// decodePolicy reads the JSON. Unknown elements and repeated ones are errors:
// AWS refuses them, and a typing error in "Condition" must not be a licence.
func decodePolicy(raw []byte) (policyDocument, error) {
	var doc policyDocument
	fields, err := objectFields(raw)
	if err != nil {
		return doc, err
	}
	var id string
	var statements []json.RawMessage
	err = fields.decode(map[string]any{"Version": &doc.version, "Id": &id, "Statement": (*oneOrMany)(&statements)})
	if err != nil {
		return doc, err
	}
	for _, raw := range statements {
		st, err := decodeStatement(raw)
		if err != nil {
			return doc, err
		}
		doc.statements = append(doc.statements, st)
	}
	return doc, nil
}

func decodeStatement(raw []byte) (statement, error) {
	var st statement
	fields, err := objectFields(raw)
	if err != nil {
		return st, err
	}
	var conditions json.RawMessage
	err = fields.decode(map[string]any{
		"Sid": &st.sid, "Effect": &st.effect,
		"Action": (*stringOrStrings)(&st.actions), "NotAction": (*stringOrStrings)(&st.notActions),
		"Resource": (*stringOrStrings)(&st.resources), "NotResource": (*stringOrStrings)(&st.notResources),
		"Principal": (*principalBlock)(&st.principals), "NotPrincipal": (*principalBlock)(&st.notPrincipals),
		"Condition": &conditions,
	})
	if err != nil {
		return st, err
	}
	st.conditions, err = decodeConditions(conditions)
	return st, err
}

// decodeConditions flattens {"StringEquals": {"aws:username": ["a", "b"]}}.
func decodeConditions(raw json.RawMessage) ([]condition, error) {
	if raw == nil {
		return nil, nil
	}
	operators, err := objectFields(raw)
	if err != nil {
		return nil, err
	}
	var out []condition
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		keys, err := objectFields(operators[operator])
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			var values textOrTexts
			if err := json.Unmarshal(keys[key], &values); err != nil {
				return nil, err
			}
			out = append(out, condition{operator, key, values})
		}
	}
	return out, nil
}

var vendorPattern = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// checkIdentity holds the grammar of identity policies. Texts: versitygw
// v1.8.0 iamapi/policy, which measured them.
func checkIdentity(st *statement) error {
	if st.effect != "Allow" && st.effect != "Deny" {
		return malformedPolicy(syntaxError)
	}
	if st.principals != nil || st.notPrincipals != nil {
		return malformedPolicy("Policy document should not specify a principal.")
	}
	if st.actions != nil && st.notActions != nil || st.resources != nil && st.notResources != nil {
		return malformedPolicy(syntaxError)
	}
	if len(st.actions)+len(st.notActions) == 0 {
		return malformedPolicy("Policy statement must contain actions.")
	}
	if len(st.resources)+len(st.notResources) == 0 {
		return malformedPolicy("Policy statement must contain resources.")
	}
	for _, action := range slices.Concat(st.actions, st.notActions) {
		if err := checkAction(action); err != nil {
			return err
		}
	}
	for _, resource := range slices.Concat(st.resources, st.notResources) {
		if err := checkResource(resource); err != nil {
			return err
		}
	}
	return nil
}

func checkAction(action string) error {
	if action == "*" {
		return nil
	}
	vendor, _, ok := strings.Cut(action, ":")
	if !ok {
		return malformedPolicy("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
	}
	if !vendorPattern.MatchString(vendor) {
		return malformedPolicy("Vendor %s is not valid", vendor)
	}
	return nil
}

func checkResource(resource string) error {
	if resource == "*" {
		return nil
	}
	if !strings.Contains(resource, ":") {
		return malformedPolicy(`Resource %s must be in ARN format or "*".`, resource)
	}
	parts := strings.SplitN(resource, ":", 6)
	if parts[0] == "arn" && len(parts) < 6 {
		return malformedPolicy("The policy failed legacy parsing")
	}
	for len(parts) < 6 {
		parts = append(parts, "*")
	}
	if name := parts[1]; parts[0] != "arn" || !isPartition(name) {
		parts[0] = "arn"
		return malformedPolicy("Partition %q is not valid for resource %q.", name, strings.Join(parts, ":"))
	}
	return nil
}
