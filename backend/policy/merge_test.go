package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/backend/policy"
)

func TestMerge(t *testing.T) {
	for _, tc := range []struct {
		name    string
		docs    []string
		want    string
		wantErr string
	}{
		{name: "none"},
		{name: "empty ones", docs: []string{"", ""}},
		{
			name: "statements of both, single and list, in order",
			docs: []string{
				"{\n  \"Version\": \"2012-10-17\",\n  \"Id\": \"a\",\n  \"Statement\": {\n    \"Effect\": \"Allow\",\n    \"Action\": [ \"s3:*\" ]\n  }\n}",
				"",
				`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Resource":"<&>"},{"Condition":{"NumericLessThan":{"a":1.0}}}]}`,
			},
			want: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"]},{"Effect":"Deny","Resource":"<&>"},{"Condition":{"NumericLessThan":{"a":1.0}}}]}`,
		},
		{
			name: "colliding Sids are dropped, other elements of the name are not",
			docs: []string{
				`{"Version":"2012-10-17","Statement":{"Sid":"x","Effect":"Allow"}}`,
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Sid":"x","Condition":{"Bool":{"Sid":"true"}}}}`,
			},
			want: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"},{"Effect":"Allow","Condition":{"Bool":{"Sid":"true"}}}]}`,
		},
		{
			name: "plain text stays plain text: no version",
			docs: []string{`{"Statement":{"Resource":["a","<${aws:username}/${*}&>"]}}`},
			want: `{"Version":"2012-10-17","Statement":[{"Resource":["a","<${$}{aws:username}/${$}{*}&>"]}]}`,
		},
		{
			name: "plain text stays plain text: old version, hidden in escapes, quotes beside it, not in names",
			docs: []string{`{"Version":"2008-10-17","Statement":{"Condition":{"StringLike": {"k${" : "\"\u0024\u007bx}\\"}}}}`},
			want: `{"Version":"2012-10-17","Statement":[{"Condition":{"StringLike":{"k${":"\"${$}{x}\\"}}}]}`,
		},
		{
			name: "variables stay variables",
			docs: []string{`{"Version":"2012-10-17","Statement":{"Resource":"${aws:username}"}}`, `{"Statement":{"Resource":"$${"}}`},
			want: `{"Version":"2012-10-17","Statement":[{"Resource":"${aws:username}"},{"Resource":"$${$}{"}]}`,
		},
		{name: "no Statement", docs: []string{`{"Statement":[]}`, `{}`}, wantErr: "policy 2 has no Statement"},
		{name: "a dropped element could be a Deny", docs: []string{`{"Statement":[],"statement":{"Effect":"Deny"}}`}, wantErr: "policy 1 has an element other than Version, Id and Statement"},
		{name: "an element twice", docs: []string{`{"Statement":{"Effect":"Deny","Effect":"Allow"}}`}, wantErr: "policy 1 has a statement 1 that has the same element twice"},
		{name: "odd version", docs: []string{`{"Version":"2030-01-01","Statement":[]}`}, wantErr: "policy 1 has a Version other than 2008-10-17 and 2012-10-17"},
		{name: "version is no text", docs: []string{`{"Version":null,"Statement":[]}`}, wantErr: "policy 1 has a Version that is no text"},
		{name: "no JSON", docs: []string{`{"Statement":secret}`}, wantErr: "policy 1 is not valid JSON: line 1, column 14: invalid character 's' looking for beginning of value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := policy.Merge(tc.docs...)
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, errText(err)}); diff != "" {
				t.Errorf("Merge() (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzMerge proves that what Merge makes is a policy with all the statements,
// that merging it again changes nothing, and that no variable comes alive.
func FuzzMerge(f *testing.F) {
	f.Add(`{"Statement":{"Sid":"a","Effect":"Allow","Resource":"${x}"}}`, `{"Version":"2012-10-17","Statement":[{},{"a":["\u0024{","\\"]}]}`)
	f.Add(`{"Version":"2008-10-17","Statement":[{"k${":{"${":"$${\""}}]}`, ``)
	f.Fuzz(func(t *testing.T, a, b string) {
		merged, err := policy.Merge(a, b)
		if err != nil || merged == "" {
			return
		}
		if got, want := len(statements(t, merged)), len(statements(t, a))+len(statements(t, b)); got != want {
			t.Errorf("%d statements of %d", got, want)
		}
		if again, err := policy.Merge(merged); again != merged {
			t.Errorf("Merge(merged) = %s, %v; merged is %s", again, err, merged)
		}
		if got, want := live(t, merged), live(t, a)+live(t, b); got != want {
			t.Errorf("%d variables, %d before: %s", got, want, merged)
		}
		if !policy.CanRestrict(merged) && (a != "" && policy.CanRestrict(a) || b != "" && policy.CanRestrict(b)) {
			t.Errorf("a restriction is lost: %s", merged)
		}
	})
}

// statements is the oracle: the statements as encoding/json reads them.
func statements(t *testing.T, doc string) []any {
	t.Helper()
	if doc == "" {
		return nil
	}
	var parsed struct{ Statement any }
	if err := json.Unmarshal([]byte(doc), &parsed); err != nil {
		t.Fatalf("no policy: %v: %s", err, doc)
	}
	if list, ok := parsed.Statement.([]any); ok {
		return list
	}
	return []any{parsed.Statement}
}

// live counts the places where the values of a document start a variable. The
// one variable that Merge itself writes, "${$}", means a plain "$".
func live(t *testing.T, doc string) int {
	t.Helper()
	var version struct{ Version string }
	if json.Unmarshal([]byte(doc), &version) != nil || version.Version != "2012-10-17" {
		return 0
	}
	return count(statements(t, doc))
}

func count(value any) int {
	n := 0
	switch v := value.(type) {
	case string:
		n = strings.Count(strings.ReplaceAll(v, "${$}", "dollar"), "${")
	case []any:
		for _, one := range v {
			n += count(one)
		}
	case map[string]any:
		for name, one := range v {
			if name != "Sid" {
				n += count(one)
			}
		}
	}
	return n
}
