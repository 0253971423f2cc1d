package diagnose

import (
	"encoding/json"
	"slices"
	"strings"
)

// trustStatement is as much of a trust policy's statement as is judged.
type trustStatement struct {
	Effect    string
	Action    oneOrMore
	NotAction json.RawMessage
	Principal principal
	Condition map[string]map[string]oneOrMore
}

// oneOrMore is a text or a list of texts.
type oneOrMore []string

// UnmarshalJSON takes either.
func (o *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// principal is whom a statement is about, of the kind AWS; "*" is everybody.
type principal struct{ AWS oneOrMore }

// UnmarshalJSON takes "*" as well as an object.
func (p *principal) UnmarshalJSON(text []byte) error {
	var all string
	if json.Unmarshal(text, &all) == nil {
		p.AWS = oneOrMore{all}
		return nil
	}
	var kinds struct{ AWS oneOrMore }
	err := json.Unmarshal(text, &kinds)
	p.AWS = kinds.AWS
	return err
}

// trust judges what a trust policy says of the root credentials, as far as its
// words go: it finds what cannot work. What it passes may still be refused, by
// conditions or a Deny, which only assume=true proves.
func (q *inquiry) trust(a assumption, document string) {
	var statements oneOrMoreStatements
	var doc struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(document), &doc) != nil || json.Unmarshal(doc.Statement, &statements) != nil {
		q.skip(a.subject, "the trust policy of %s cannot be read: ask with assume=true", a.arn)
		return
	}
	ours := slices.DeleteFunc(slices.Clone(statements), func(s trustStatement) bool { return s.Effect != "Allow" || !q.names(s.Principal.AWS) })
	lets := func(action string) []trustStatement {
		return slices.DeleteFunc(slices.Clone(ours), func(s trustStatement) bool { return s.NotAction == nil && !s.Action.allow(action) })
	}
	switch {
	case len(lets("sts:AssumeRole")) == 0:
		q.find(Error, a.subject, `add {"Effect":"Allow","Principal":{"AWS":"`+q.principal()+`"},"Action":"sts:AssumeRole"} to its trust policy`,
			"the trust policy of %s does not let %s assume it", a.arn, q.root.ARN)
	case len(a.tags) > 0 && len(lets("sts:TagSession")) == 0:
		q.find(Error, a.subject, "add sts:TagSession to its trust policy, or clear session_tags", "the trust policy of %s does not let %s tag sessions", a.arn, q.root.ARN)
	case a.sourced && len(lets("sts:SetSourceIdentity")) == 0:
		q.find(Error, a.subject, "add sts:SetSourceIdentity to its trust policy, or clear source_identity_template", "the trust policy of %s does not let %s set a source identity", a.arn, q.root.ARN)
	case !slices.ContainsFunc(lets("sts:AssumeRole"), a.meetsExternalID):
		q.find(Error, a.subject, "write the external_id that it asks for to the role", "the trust policy of %s asks for another external_id", a.arn)
	case slices.ContainsFunc(statements, trustStatement.depends):
		q.skip(a.subject, "the trust policy of %s lets the root credentials in on conditions, or denies something: that it works is only proven with assume=true", a.arn)
	}
}

// depends reports whether a statement says more than the judge reads.
func (s trustStatement) depends() bool {
	for operator, keys := range s.Condition {
		for key := range keys {
			if operator != "StringEquals" || !strings.EqualFold(key, "sts:ExternalId") {
				return true
			}
		}
	}
	return s.Effect == "Deny" || s.NotAction != nil
}

type oneOrMoreStatements []trustStatement

// UnmarshalJSON takes a statement or a list.
func (o *oneOrMoreStatements) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		return json.Unmarshal(text, (*[]trustStatement)(o))
	}
	*o = make(oneOrMoreStatements, 1)
	return json.Unmarshal(text, &(*o)[0])
}

// names reports whether one of the principals is the root credentials, their
// account or everybody. A unique id is of a principal that was deleted.
func (q *inquiry) names(principals []string) bool {
	account := "arn:" + q.root.Partition + ":iam::" + q.root.Account + ":root"
	us := []string{"*", q.root.Account, account, q.root.ARN, q.principal()}
	return slices.ContainsFunc(principals, func(p string) bool { return slices.Contains(us, p) })
}

// allow reports whether an action is among the patterns; * at the end is all that
// IAM's own examples use in trust policies.
func (o oneOrMore) allow(action string) bool {
	return slices.ContainsFunc(o, func(pattern string) bool {
		begin, open := strings.CutSuffix(strings.ToLower(pattern), "*")
		action := strings.ToLower(action)
		return begin == action || open && strings.HasPrefix(action, begin)
	})
}

// meetsExternalID reports whether the role's external id is what the statement
// asks for, if it asks for one by an operator that compares texts as they are.
func (a assumption) meetsExternalID(s trustStatement) bool {
	for key, values := range s.Condition["StringEquals"] {
		if strings.EqualFold(key, "sts:ExternalId") && !slices.Contains(values, a.externalID) {
			return false
		}
	}
	return true
}
