package permissions

import (
	"encoding/json"
	"slices"
	"strings"
)

// MaxManaged is how many characters, white space not counted, AWS takes of a
// managed policy; of all inline policies of a user it takes 2,048, of a role
// 10,240.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (checked 2026-11)
const MaxManaged = 6144

type document struct {
	Version   string
	Statement []Statement
}

// Statement is one of the policy, as IAM reads it.
type Statement struct {
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string][]string `json:",omitempty"` // operator, key, values
}

// Document is the policy that allows the needs and nothing else, as indented
// JSON; "" if nothing is needed. Needs with the same resources and conditions
// share a statement.
func Document(needs []Need) (string, error) {
	statements := Statements(needs)
	if len(statements) == 0 {
		return "", nil
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(document{Version: "2012-10-17", Statement: statements})
	return strings.TrimSpace(out.String()), err
}

// Statements are those of Document.
func Statements(needs []Need) (all []Statement) {
	for _, need := range needs {
		s := Statement{Effect: "Allow", Resource: distinct(need.Resources), Condition: need.Condition.byOperator()}
		i := slices.IndexFunc(all, s.sameScope)
		if i < 0 {
			all = append(all, s)
			i = len(all) - 1
		}
		all[i].Action = distinct(append(all[i].Action, need.Actions...))
	}
	return all
}

func (s Statement) sameScope(other Statement) bool {
	a, errA := json.Marshal([]any{s.Resource, s.Condition})
	b, errB := json.Marshal([]any{other.Resource, other.Condition})
	return errA == nil && errB == nil && string(a) == string(b)
}

func (c Condition) byOperator() map[string]map[string][]string {
	if len(c) == 0 {
		return nil
	}
	out := map[string]map[string][]string{}
	for key, values := range c {
		operator := operatorOf(key)
		if out[operator] == nil {
			out[operator] = map[string][]string{}
		}
		out[operator][key] = values
	}
	return out
}
