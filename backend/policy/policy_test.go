package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/backend/policy"
)

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestCompact(t *testing.T) {
	for _, tc := range []struct {
		name    string
		doc     string
		want    string
		wantErr string
	}{
		{
			name: "white space goes, everything else stays as written",
			doc:  "{\n  \"Version\": \"2012-10-17\",\t\"b\": [1.0e2, \"a  <b>\\u0026\"]\r\n}\n",
			want: `{"Version":"2012-10-17","b":[1.0e2,"a  <b>\u0026"]}`,
		},
		{name: "any JSON value, as with the built-in engine", doc: ` "x" `, want: `"x"`},
		{
			name:    "the error has a place and a cause, and no more of the document than a character",
			doc:     "{\n  \"Statement\": 1,\n  \"Hé\" }secret\n}",
			wantErr: `policy_document is not valid JSON: line 3, column 8: invalid character '}' after object key`,
		},
		{
			name:    "first character",
			doc:     "arn:aws:iam::aws:policy/ReadOnlyAccess",
			wantErr: `policy_document is not valid JSON: line 1, column 1: invalid character 'a' looking for beginning of value`,
		},
		{
			name:    "cut off",
			doc:     "{\n\"Version\": ",
			wantErr: `policy_document is not valid JSON: line 2, column 12: unexpected end of JSON input`,
		},
		{
			name:    "empty",
			wantErr: `policy_document is not valid JSON: line 1, column 1: unexpected end of JSON input`,
		},
		{
			name:    "two values",
			doc:     "{}\n{}",
			wantErr: `policy_document is not valid JSON: line 2, column 1: invalid character '{' after top-level value`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := policy.Compact(tc.doc)
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, errText(err)}); diff != "" {
				t.Errorf("Compact() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSize(t *testing.T) {
	for _, tc := range []struct {
		name string
		doc  string
		want int
	}{
		{"empty", "", 0},
		{"white space is free", " {\n\t\"a\" :\r\n 1 }", 7},
		{"characters, not bytes", `"é"`, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := policy.Size(tc.doc); got != tc.want {
				t.Errorf("Size(%q) = %d, want %d", tc.doc, got, tc.want)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	const fine = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}}`
	for _, tc := range []struct {
		name string
		doc  string
		want []string
	}{
		{name: "nothing to say", doc: fine},
		{
			name: "no policy",
			doc:  `[]`,
			want: []string{"policy_document is no JSON object: AWS will refuse it"},
		},
		{
			name: "no JSON",
			doc:  `{`,
			want: []string{"policy_document is not valid JSON: line 1, column 2: unexpected end of JSON input: AWS will refuse it"},
		},
		{
			name: "no Statement",
			doc:  `{"Version":"2012-10-17"}`,
			want: []string{"policy_document has no Statement: AWS will refuse it"},
		},
		{
			name: "empty Statement",
			doc:  `{"Version":"2012-10-17","Statement":[]}`,
			want: []string{"policy_document has an empty Statement: AWS will refuse it"},
		},
		{
			name: "a statement that is none",
			doc:  `{"Statement":[{"Effect":"Allow"},null]}`,
			want: []string{"policy_document has a statement 2 that is no JSON object: AWS will refuse it"},
		},
		{
			name: "misspelt element",
			doc:  `{"version":"2012-10-17","Statement":[]}`,
			want: []string{"policy_document has an element other than Version, Id and Statement: AWS will refuse it"},
		},
		{
			name: "each flaw once, with the first statement that has it",
			doc:  `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"allow","Principal":"*"},{}]}`,
			want: []string{
				"policy_document: statement 3 has no Effect: AWS will refuse it",
				"policy_document: statement 2 has an Effect other than Allow and Deny: AWS will refuse it",
				"policy_document: statement 2 has neither Action nor NotAction: AWS will refuse it",
				"policy_document: statement 2 has neither Resource nor NotResource: AWS will refuse it",
				"policy_document: statement 2 names a principal, which only policies of resources may: AWS will refuse it",
			},
		},
		{
			name: "no Version",
			doc:  `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
			want: []string{"policy_document has no Version, so AWS does not expand policy variables such as ${aws:username}: set Version to 2012-10-17"},
		},
		{
			name: "old Version without variables",
			doc:  `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`,
		},
		{
			name: "old Version with variables",
			doc:  strings.Replace(fine, "2012", "2008", 1),
			want: []string{"policy_document has Version 2008-10-17, in which AWS does not expand policy variables: set it to 2012-10-17"},
		},
		{
			name: "odd Version",
			doc:  strings.Replace(fine, "2012", "2013", 1),
			want: []string{"policy_document has a Version other than 2012-10-17 and 2008-10-17: AWS will refuse it"},
		},
		{
			name: "at the limit",
			doc:  padded(2048),
		},
		{
			name: "too long",
			doc:  padded(2049),
			want: []string{"policy_document has 2049 characters without white space, AWS takes 2048: use policy_arns for the rest"},
		},
		{
			name: "character outside the alphabet",
			doc:  strings.Replace(fine, "s3:::", "s3:::桶", 1),
			want: []string{"policy_document contains the character U+6876, IAM takes only those up to U+00FF: AWS will refuse it"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, policy.Warnings(tc.doc)); diff != "" {
				t.Errorf("Warnings() (-want +got):\n%s", diff)
			}
		})
	}
}

// padded is a sound policy of the given size.
func padded(size int) string {
	const doc = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
	return strings.Replace(doc, "*\"}}", "*"+strings.Repeat("x", size-len(doc))+"\"}}", 1)
}

func TestCanRestrict(t *testing.T) {
	for _, tc := range []struct {
		name string
		doc  string
		want bool
	}{
		{"no policy", ``, false},
		{"allows", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, false},
		{"allows, in a list", `{"Version":"2012-10-17","Id":"x","Statement":[{"Effect":"Allow"},{"Sid":"Deny","Effect":"Allow"}]}`, false},
		{"denies", `{"Statement":[{"Effect":"Allow"},{"Effect":"Deny"}]}`, true},
		{"denies in escapes", `{"Statement":{"Effect":"\u0044eny"}}`, true},
		{"denies in small letters", `{"Statement":{"effect":"deny"}}`, true},
		{"denies the second time", `{"Statement":{"Effect":"Deny","effect":"Allow"}}`, true},
		{"NotAction", `{"Statement":{"Effect":"Allow","NotAction":"iam:*"}}`, true},
		{"NotResource", `{"Statement":{"Effect":"Allow","notResource":"*"}}`, true},
		{"NotPrincipal", `{"Statement":{"Effect":"Allow","NotPrincipal":"*"}}`, true},
		{"no Effect", `{"Statement":{"Action":"*"}}`, true},
		{"element twice", `{"Statement":{"Effect":"Deny","Effect":"Allow"}}`, true},
		{"Statement twice", `{"Statement":{"Effect":"Deny"},"Statement":{"Effect":"Allow"}}`, true},
		{"statement misspelt", `{"statement":{"Effect":"Deny"},"Statement":[]}`, true},
		{"no policy but JSON", `"x"`, true},
		{"no JSON", `{`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := policy.CanRestrict(tc.doc); got != tc.want {
				t.Errorf("CanRestrict(%s) = %v, want %v", tc.doc, got, tc.want)
			}
		})
	}
}
