package naming_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/backend/naming"
)

// known is what Vault knows of an entity.
func known(values map[string]string) naming.Inputs {
	return naming.Inputs{
		Type: naming.IAM, DisplayName: "oidc-alice", PolicyName: "deploy",
		Identity: func(path string) string { return values[path] },
	}
}

func TestAttributionNames(t *testing.T) {
	alice := map[string]string{
		"entity.id": "7d2e", "entity.name": "alice smith", "entity.metadata.team": "blue", "entity.metadata.cost-center": "42",
		"entity.aliases.auth_oidc_1.name": "alice@example.com", "entity.aliases.auth_oidc_1.custom_metadata.a.b": "c",
	}
	for _, tc := range []struct {
		name             string
		template         string
		session, source  string
		noSession, noSID string // the errors
	}{
		{name: "display name and role", template: "{{.DisplayName}}.{{.PolicyName}}", session: "oidc-alice.deploy", source: "oidc-alice.deploy"},
		{name: "id and metadata", template: "{{identity.entity.id}}-{{identity.entity.metadata.team}}", session: "7d2e-blue", source: "7d2e-blue"},
		{name: "a key that is no identifier", template: `{{identity "entity.metadata.cost-center"}}`, session: "42", source: "42"},
		{name: "alias", template: "{{identity.entity.aliases.auth_oidc_1.name | replace \"@\" \".\"}}", session: "alice.example.com", source: "alice.example.com"},
		{name: "a key with a dot", template: "x{{identity.entity.aliases.auth_oidc_1.custom_metadata.a.b}}", session: "xc", source: "xc"},
		{
			name: "what AWS refuses", template: "{{identity.entity.name}}", session: "alice_smith",
			noSID: `source_identity_template makes the name "alice smith" with the character ' ': AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there`,
		},
		{name: "what AWS refuses, replaced", template: `{{identity.entity.name | replace " " "."}}`, session: "alice_smith", source: "alice.smith"},
		{
			name: "too long", template: `{{.DisplayName}}{{printf "%055d" 0}}`,
			noSession: `role_session_name_template makes a name of 65 characters, beginning "oidc-alice000000000000000000000000000000": AWS takes 64 for role sessions; shorten it with truncate`,
			noSID:     `source_identity_template makes a name of 65 characters, beginning "oidc-alice000000000000000000000000000000": AWS takes 64 for source identities; shorten it with truncate_sha256`,
		},
		{
			name: "too short", template: "{{truncate 1 .DisplayName}}",
			noSession: `role_session_name_template makes the name "o": AWS takes no names below 2 characters; add some text to the template`,
			noSID:     `source_identity_template makes the name "o": AWS takes no names below 2 characters; add some text to the template`,
		},
		{
			name: "nothing known", template: "vault-{{identity.entity.metadata.nobody}}",
			noSession: "role_session_name_template asks for identity.entity.metadata.nobody, which is empty for this caller: ask with a token that has it, or set it on the entity",
			noSID:     "source_identity_template asks for identity.entity.metadata.nobody, which is empty for this caller: ask with a token that has it, or set it on the entity",
		},
		{
			name: "nothing known, in a branch that is not taken", template: "{{if eq .PolicyName \"x\"}}{{identity.entity.metadata.nobody}}{{end}}vault",
			noSession: "role_session_name_template asks for identity.entity.metadata.nobody, which is empty for this caller: ask with a token that has it, or set it on the entity",
			noSID:     "source_identity_template asks for identity.entity.metadata.nobody, which is empty for this caller: ask with a token that has it, or set it on the entity",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			session, err := naming.ParseSessionName(tc.template, clock)
			if err != nil {
				t.Fatal(err)
			}
			source, err := naming.ParseSourceIdentity(tc.template, clock)
			if err != nil {
				t.Fatal(err)
			}
			name, err := session.Name(known(alice))
			identity, noIdentity := source.Name(known(alice))
			want := []string{tc.session, tc.noSession, tc.source, tc.noSID}
			if diff := cmp.Diff(want, []string{name.Text, errText(err), identity.Text, errText(noIdentity)}); diff != "" {
				t.Errorf("session name, error, source identity, error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttributionNeedsEveryValue(t *testing.T) {
	for _, tc := range []struct {
		name, template string
		in             naming.Inputs
		want           string
	}{
		{"no display name", "vault-{{.DisplayName}}", naming.Inputs{Type: naming.IAM, PolicyName: "deploy"}, "source_identity_template asks for .DisplayName, which is empty for this caller: ask with a token that has it, or set it on the entity"},
		{"no display name, of a variable", "{{with .Type}}{{$.DisplayName}}{{end}}", naming.Inputs{Type: naming.IAM}, "source_identity_template asks for .DisplayName, which is empty for this caller: ask with a token that has it, or set it on the entity"},
		{"no display name, in an else", "{{if .Type}}vault{{else}}{{.DisplayName}}{{end}}", naming.Inputs{Type: naming.IAM}, "source_identity_template asks for .DisplayName, which is empty for this caller: ask with a token that has it, or set it on the entity"},
		{"no entity", "vault-{{identity.entity.id}}", naming.Inputs{Type: naming.IAM}, "source_identity_template asks for identity.entity.id, which is empty for this caller: ask with a token that has it, or set it on the entity"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parsed, err := naming.ParseSourceIdentity(tc.template, clock)
			if err != nil {
				t.Fatal(err)
			}
			_, err = parsed.Name(tc.in)
			if diff := cmp.Diff(tc.want, errText(err)); diff != "" {
				t.Errorf("Name() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttributionParseRefuses(t *testing.T) {
	const paths = ": there are identity.entity.id, identity.entity.name, identity.entity.metadata.<key>, and with identity.entity.aliases.<mount accessor> before it .id, .name, .metadata.<key> and .custom_metadata.<key>"
	for _, tc := range []struct{ name, template, want string }{
		{"empty", "", "role_session_name_template is empty"},
		{"long", strings.Repeat("x", 2049), "role_session_name_template has 2049 bytes, at most 2048 are allowed"},
		{"groups", "{{identity.groups.ids.x.name}}", "role_session_name_template asks for identity.groups.ids.x.name" + paths},
		{"all metadata", "{{identity.entity.metadata}}", "role_session_name_template asks for identity.entity.metadata" + paths},
		{"no key", `{{identity "entity.metadata."}}`, "role_session_name_template asks for identity.entity.metadata." + paths},
		{"no accessor", "{{identity.entity.aliases.name}}", "role_session_name_template asks for identity.entity.aliases.name" + paths},
		{"custom metadata of the entity", "{{identity.entity.custom_metadata.x}}", "role_session_name_template asks for identity.entity.custom_metadata.x" + paths},
		{"another field of a result", "{{(print .Type).Foo}}", "role_session_name_template uses a field of a result: loops, nested templates and fields of results are not allowed"},
		{"loop", "{{range identity.entity.id}}x{{end}}", "role_session_name_template uses range: loops, nested templates and fields of results are not allowed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := naming.ParseSessionName(tc.template, clock)
			if diff := cmp.Diff(tc.want, errText(err)); diff != "" {
				t.Errorf("ParseSessionName() (-want +got):\n%s", diff)
			}
		})
	}
	for _, text := range []string{"{{identity}}", "{{print identity}}", "{{identity .DisplayName}}", `{{identity "entity.id" "entity.name"}}`, "{{with identity}}x{{end}}", "{{$x := identity}}"} {
		if _, err := naming.ParseSessionName(text, clock); !strings.Contains(errText(err), `uses the function "identity"`) {
			t.Errorf("ParseSessionName(%s): %v", text, err)
		}
	}
	if _, err := naming.Parse("{{identity.entity.id}}", clock); !strings.Contains(errText(err), `function "identity" not defined`) {
		t.Errorf("a username_template with an identity: %v", err)
	}
}

func TestAttributionValidate(t *testing.T) {
	for _, tc := range []struct{ name, template, want, warning string }{
		{"good", "{{identity.entity.name | truncate_sha256 64}}", "", ""},
		{"too long for long names", "vault-{{identity.entity.name}}", "", `no credentials for callers with long names: source_identity_template makes a name of 70 characters, beginning "vault-alice.liddell.of.the.platform.depa": AWS takes 64 for source identities; shorten it with truncate_sha256`},
		{"never legal", "by {{identity.entity.name}}", `source_identity_template makes the name "by alice" with the character ' ': AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there`, `no credentials for callers with long names: source_identity_template makes the name "by alice.liddell.of.the.platform.department@subsidiary.example.com." with the character ' ': AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			parsed, err := naming.ParseSourceIdentity(tc.template, clock)
			if err != nil {
				t.Fatal(err)
			}
			got := []string{errText(parsed.ValidateAttribution()), strings.Join(parsed.AttributionWarnings(), "\n")}
			if diff := cmp.Diff([]string{tc.want, tc.warning}, got); diff != "" {
				t.Errorf("error, warnings (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzSourceIdentity proves that no value makes a source identity but its own, and
// that a value is data whatever it says.
func FuzzSourceIdentity(f *testing.F) {
	for _, value := range []string{"alice", "alice smith", "{{.DisplayName}}", "ä", "a", strings.Repeat("x", 65), "a\x00b", "*", strings.Repeat("\x80", 10_000)} {
		f.Add(value)
	}
	parsed, err := naming.ParseSourceIdentity("{{identity.entity.name}}", clock)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		legal, illegal := naming.SessionName(value)
		name, err := parsed.Name(known(map[string]string{"entity.name": value}))
		switch {
		case err == nil && name.Text != value:
			t.Errorf("%q became %q", value, name.Text)
		case err != nil && illegal == nil && legal == value:
			t.Errorf("%q is legal and was refused: %v", value, err)
		}
	})
}
