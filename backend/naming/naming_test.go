package naming_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/helper/template"
	"pgregory.net/rapid"

	"vault-plugin-secrets-aws/backend/naming"
)

// clock stands still at a time whose parts all differ.
func clock() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC) }

func mustParse(t rapid.TB, text string) *naming.Template {
	t.Helper()
	parsed, err := naming.Parse(text, clock)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return parsed
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// alice is what an ordinary request gives a template.
var alice = naming.Inputs{Type: naming.IAM, DisplayName: "token alice", PolicyName: "deploy"}

func TestName(t *testing.T) {
	for _, tc := range []struct {
		name     string
		template string
		in       naming.Inputs
		want     string
		wantErr  string
	}{
		{name: "fields, normalised", template: "{{.Type}}-{{.DisplayName}}-{{.PolicyName}}", in: naming.Inputs{Type: naming.IAM, DisplayName: "jürgen/ci\xff", PolicyName: "a b"}, want: "IAM-j_rgen_ci_-a_b"},
		{name: "federation has neither name", template: "x{{.Type}}{{.DisplayName}}{{.PolicyName}}", in: naming.Inputs{Type: naming.STS, DisplayName: "d", PolicyName: "p"}, want: "xSTS"},
		{name: "clock", template: `{{unix_time}}-{{unix_time_millis}}-{{timestamp "2006-01-02"}}`, in: alice, want: "1772600767-1772600767089-2026-03-04"},
		{name: "conditions and variables", template: `{{$n := .DisplayName}}{{with .PolicyName}}{{if eq . "x"}}no{{else if and (gt (len $n) 3) (ne $n "y")}}{{.}}-{{slice $n 0 5}}{{end}}{{end}}`, in: alice, want: "deploy-token"},
		{name: "too long", template: `{{printf "%065d" 0}}`, in: alice, wantErr: `username_template makes a name of 65 characters, beginning "0000000000000000000000000000000000000000": AWS takes 64 for IAM users and role sessions; shorten it with truncate`},
		{name: "too long to federate", template: `{{printf "%033d" 0}}`, in: naming.Inputs{Type: naming.STS}, wantErr: `username_template makes a name of 33 characters, beginning "000000000000000000000000000000000": AWS takes 32 for federated users; shorten it with truncate`},
		{name: "far too long", template: strings.Repeat("x", 2048), in: alice, wantErr: `username_template makes a name of 2048 characters, beginning "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx": AWS takes 64 for IAM users and role sessions; shorten it with truncate`},
		{name: "too short", template: "{{.Type | truncate 1}}", in: alice, wantErr: `username_template makes the name "I": AWS takes no names below 2 characters; add some text to the template`},
		{name: "no output", template: `{{if eq .Type "x"}}vault{{end}}`, in: alice, wantErr: `username_template makes the name "": AWS takes no names below 2 characters; add some text to the template`},
		{name: "outside the alphabet", template: "vault {{.PolicyName}}", in: alice, wantErr: `username_template makes the name "vault deploy" with the character ' ': AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there`},
		{name: "letters that are no ASCII", template: "übung", in: alice, wantErr: `username_template makes the name "übung" with the character 'ü': AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there`},
		{name: "random too long at run time", template: `{{random (len (printf "%65s" "x"))}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <random (len (printf "%65s" "x"))>: error calling random: random takes a length of 1 to 64, not 65`},
		{name: "width from an argument", template: `{{printf "%-*d" 9 1}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <printf "%-*d" 9 1>: error calling printf: printf takes no * in %-*`},
		{name: "width in an index", template: `{{printf "%[1]*[2]d" 9 1}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <printf "%[1]*[2]d" 9 1>: error calling printf: printf takes no * in %[1]*[2]`},
		{name: "huge width", template: `{{printf "%%%s%0513d" "a" 1}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <printf "%%%s%0513d" "a" 1>: error calling printf: printf takes numbers up to 512, not 513`},
		{name: "huge precision", template: `{{printf "%.99999999999999999999f" 1.0}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <printf "%.99999999999999999999f" 1.0>: error calling printf: printf takes numbers up to 512, not 513`},
		{name: "truncate to nothing", template: `{{truncate 0 "x"}}`, in: alice, wantErr: `username_template makes no name: line 1:2: executing "username_template" at <truncate 0 "x">: error calling truncate: truncate takes a length from 1, not 0`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := mustParse(t, tc.template).Name(tc.in)
			if diff := cmp.Diff(tc.wantErr, errText(err)); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(naming.Name{Text: tc.want}, got); diff != "" {
				t.Errorf("Name() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const functions = "the functions are and, base64, eq, ge, gt, le, len, lowercase, lt, ne, not, or, print, printf, println, random, replace, sha256, slice, timestamp, truncate, truncate_sha256, unix_time, unix_time_millis, uppercase, uuid"
	for _, tc := range []struct {
		name     string
		template string
		want     string
	}{
		{"empty", "", "username_template is empty"},
		{"long", strings.Repeat("x", 2049), "username_template has 2049 bytes, at most 2048 are allowed"},
		{"syntax", "a\n{{", "username_template does not parse: line 2: unclosed action"},
		{"unknown function", "{{foo}}", `username_template does not parse: line 1: function "foo" not defined`},
		{"loop", "{{range .DisplayName}}x{{end}}", "username_template uses range: loops, nested templates and fields of results are not allowed"},
		{"loop in an else", "{{if .Type}}{{else}}{{with .Type}}{{range 9}}{{end}}{{end}}{{end}}", "username_template uses range: loops, nested templates and fields of results are not allowed"},
		{"recursion", `{{define "x"}}{{template "x"}}{{end}}`, "username_template uses define: loops, nested templates and fields of results are not allowed"},
		{"block", `{{block "x" .}}{{end}}`, "username_template uses define: loops, nested templates and fields of results are not allowed"},
		{"itself", `{{template "username_template"}}`, "username_template uses template: loops, nested templates and fields of results are not allowed"},
		{"unknown field", "{{.Foo}}", "username_template asks for .Foo: the fields are .Type, .DisplayName, .PolicyName"},
		{"unknown field of the root", "{{with .Type}}{{$.Foo}}{{end}}", "username_template asks for .Foo: the fields are .Type, .DisplayName, .PolicyName"},
		{"field of a field", "{{.Type.DisplayName}}", "username_template asks for .Type.DisplayName: the fields are .Type, .DisplayName, .PolicyName"},
		{"field of a result", "{{(print .Type).Foo}}", "username_template uses a field of a result: loops, nested templates and fields of results are not allowed"},
		{"call", "{{call .Type}}", `username_template uses the function "call": ` + functions},
		{"growing escapes, in a parenthesis", `{{print (js "\\")}}`, `username_template uses the function "js": ` + functions},
		{"random too long in a branch that samples do not take", `{{if eq .Type "x"}}{{random 65}}{{end}}`, "username_template cannot use random: random takes a length of 1 to 64, not 65"},
		{"random of nothing", `{{random 0}}`, "username_template cannot use random: random takes a length of 1 to 64, not 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := naming.Parse(tc.template, clock)
			if diff := cmp.Diff(tc.want, errText(err)); diff != "" {
				t.Errorf("Parse() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSameLanguage holds our functions against those of Vault's templates.
func TestSameLanguage(t *testing.T) {
	in := struct{ Type, DisplayName, PolicyName string }{"IAM", "token_Alice", "deploy"}
	for _, text := range []string{
		`{{.DisplayName | truncate 5}}`,
		`{{.DisplayName | truncate 500}}`,
		`{{truncate_sha256 9 .DisplayName}}`,
		`{{truncate_sha256 11 .DisplayName}}`,
		`{{.DisplayName | uppercase}}{{.DisplayName | lowercase}}`,
		`{{.DisplayName | replace "_" "-"}}`,
		`{{.DisplayName | replace "" "."}}`,
		`{{.DisplayName | replace "t" ""}}`,
		`{{.DisplayName | sha256}}`,
		`{{.PolicyName | base64}}`,
		`{{print 1 2 "a" "b" 3}}`,
		`{{printf "%s-%08d-%-4s-%q-%x-%.3s-%%" .DisplayName 42 "x" "y" "z" "long"}}`,
		`{{.DisplayName}}{{if eq .Type "IAM"}}{{println .PolicyName}}{{end}}`,
	} {
		t.Run(text, func(t *testing.T) {
			theirs, err := template.NewTemplate(template.Template(text))
			if err != nil {
				t.Fatal(err)
			}
			want, err := theirs.Generate(in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := naming.Rendered(mustParse(t, text), naming.Inputs{Type: naming.IAM, DisplayName: in.DisplayName, PolicyName: in.PolicyName})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rendered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRandomBits(t *testing.T) {
	long := naming.Inputs{Type: naming.IAM, DisplayName: strings.Repeat("d", 100), PolicyName: "deploy"}
	for _, tc := range []struct {
		name     string
		template string
		in       naming.Inputs
		want     float64
	}{
		{"none", "vault-{{.PolicyName}}", alice, 0},
		{"20 characters", "vault-{{random 20}}", alice, 101.4},
		{"12 characters", "{{random 12}}", alice, 60.84},
		{"the most", "{{random 64}}", alice, 324.48},
		{"two draws", "{{random 10}}-{{random 10}}", alice, 101.4},
		{"cut", "{{random 20 | truncate 12}}", alice, 60.84},
		{"cut with the rest", `{{printf "%s-%s" (printf "%050d" 0) (random 20) | truncate 63}}`, alice, 60.84},
		{"another case", "{{random 20 | lowercase}}", alice, 101.4},
		{"middle part", "{{slice (random 30) 5 15}}", alice, 50.7},
		{"the same text twice", "{{$r := random 20}}{{$r}}-{{$r}}", alice, 101.4},
		{"drawn, not shown", "{{$r := random 64}}vault", alice, 0},
		{"what is left may be chance", "{{random 20 | truncate 7}}", alice, 0},
		{"uuid", "{{uuid}}", alice, 128},
		{"uuid without dashes, in capitals", `{{uuid | replace "-" "" | uppercase}}`, alice, 80}, // the parts of 4 are too short to count
		{"cut uuid", "{{uuid | truncate 18}}", alice, 64},
		{"hashed", "{{random 20 | sha256 | truncate 60}}", alice, 0},
		{"encoded", `{{random 20 | base64 | replace "/" "_"}}`, alice, 0},
		{"rest hashed", `{{truncate_sha256 12 (printf "vault-%s" (random 20))}}`, alice, 0},
		{"default", naming.Default, alice, 101.4},
		{"default, long names", naming.Default, long, 60.84},
		{"default, federation", naming.Default, naming.Inputs{Type: naming.STS}, 76.05},
		{"built-in default", naming.BuiltinDefault, alice, 101.4},
		{"built-in default, long names", naming.BuiltinDefault, long, 0}, // 4 characters
	} {
		t.Run(tc.name, func(t *testing.T) {
			name, err := mustParse(t, tc.template).Name(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := name.RandomBits - tc.want; diff < -0.001 || diff > 0.001 {
				t.Errorf("%q: %g bits, want %g", name.Text, name.RandomBits, tc.want)
			}
			if got, want := name.Unique(), tc.want >= naming.UniqueBits; got != want {
				t.Errorf("%q: Unique() = %v, want %v", name.Text, got, want)
			}
		})
	}
}

func TestValidateAndWarnings(t *testing.T) {
	notUnique := func(bits string) string {
		return "username_template leaves " + bits + " bits of randomness in some names of IAM users, 60 are needed to remove a user whose creation AWS never confirmed: use {{random 20}}, and truncate the names before it"
	}
	for _, tc := range []struct {
		name     string
		template string
		wantErr  string
		warnings []string
	}{
		{name: "default", template: naming.Default},
		{name: "built-in default", template: naming.BuiltinDefault, warnings: []string{notUnique("0")}},
		{
			name:     "some inputs only",
			template: `vault-{{.DisplayName}}-{{.PolicyName}}-{{random 12}}`,
			warnings: []string{`no credentials for long names of tokens and roles: username_template makes a name of 186 characters, beginning "vault-oidc-j_rgen_oidc-j_rgen_oidc-j_rge": AWS takes 64 for IAM users and role sessions; shorten it with truncate`},
		},
		{
			name:     "no branch for federation",
			template: `vault-{{printf "%034d" 0}}-{{random 20}}`,
			warnings: []string{`no credentials for federation_token roles: username_template makes a name of 61 characters, beginning "vault-0000000000000000000000000000000000": AWS takes 32 for federated users; shorten it with truncate`},
		},
		{
			name:     "always too long",
			template: `vault-{{random 64}}`,
			wantErr:  `username_template makes a name of 70 characters`,
		},
		{
			name:     "a character that only federation gets",
			template: `{{if eq .Type "STS"}}a b{{else}}{{random 20}}{{end}}`,
			wantErr:  `username_template makes the name "a b" with the character ' '`,
		},
		{
			name:     "no random",
			template: `vault-{{.PolicyName | truncate 20}}`,
			warnings: []string{notUnique("0")},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parsed := mustParse(t, tc.template)
			err := parsed.Validate()
			if !strings.HasPrefix(errText(err), tc.wantErr) || (err != nil) != (tc.wantErr != "") {
				t.Fatalf("Validate() = %v, want %q", err, tc.wantErr)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(tc.warnings, parsed.Warnings()); diff != "" {
				t.Errorf("Warnings() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSessionName(t *testing.T) {
	for _, tc := range []struct {
		name    string
		asked   string
		want    string
		wantErr string
	}{
		{name: "legal", asked: "ci@job+1=2,3.4_5-6", want: "ci@job+1=2,3.4_5-6"},
		{name: "normalised", asked: "ci job/ü", want: "ci_job__"},
		{name: "cut", asked: strings.Repeat("x", 65), want: strings.Repeat("x", 64)},
		{name: "shortest", asked: "ab", want: "ab"},
		{name: "too short", asked: "ü", wantErr: `role_session_name "ü" is too short: AWS takes 2 to 64 characters`},
		{name: "empty", wantErr: `role_session_name "" is too short: AWS takes 2 to 64 characters`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := naming.SessionName(tc.asked)
			if diff := cmp.Diff([]string{tc.want, tc.wantErr}, []string{got, errText(err)}); diff != "" {
				t.Errorf("SessionName() (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDefaultNames is the promise of the default template, for any inputs. It
// fails if Default cuts the names to more than 34 characters.
func TestDefaultNames(t *testing.T) {
	parsed := mustParse(t, naming.Default)
	rapid.Check(t, func(t *rapid.T) {
		in := naming.Inputs{
			Type:        rapid.SampledFrom([]naming.Type{naming.IAM, naming.STS}).Draw(t, "type"),
			DisplayName: rapid.String().Draw(t, "display name"),
			PolicyName:  rapid.String().Draw(t, "role"),
		}
		name, err := parsed.Name(in)
		if err != nil {
			t.Fatal(err)
		}
		if !name.Unique() {
			t.Errorf("%q has %g random bits", name.Text, name.RandomBits)
		}
		if legal, err := naming.SessionName(name.Text); legal != name.Text {
			t.Errorf("%q is no legal name: %v", name.Text, err)
		}
		if in.Type == naming.STS && len(name.Text) > 32 {
			t.Errorf("%q is too long for federation", name.Text)
		}
	})
}

// TestNameConcurrently is for the race detector: all requests of a mount share
// one template.
func TestNameConcurrently(t *testing.T) {
	parsed := mustParse(t, naming.Default)
	names := make(chan string)
	for range 8 {
		go func() {
			name, _ := parsed.Name(alice)
			names <- name.Text
		}()
	}
	seen := map[string]bool{}
	for range 8 {
		seen[<-names] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d names of 8", len(seen))
	}
}

func BenchmarkName(b *testing.B) {
	parsed, err := naming.Parse(naming.Default, clock)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := parsed.Name(alice); err != nil {
			b.Fatal(err)
		}
	}
}
