package backend_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func attributionScenarios() []scenario {
	return []scenario{
		{"attribution: session name and source identity of the entity reach AWS", attributed},
		{"attribution: what AWS refuses is replaced in a session name, and refused in a source identity", func(m *mount) {
			m.assumable(``)
			m.under(func(v *logical.StaticSystemView) { v.EntityVal = &logical.Entity{ID: "7d2e", Name: "alice smith"} })
			m.mustWrite("roles/x", map[string]any{"role_session_name_template": "{{identity.entity.name}}"})
			if got := m.readBy("7d2e", nil); got.status != http.StatusOK || !strings.HasSuffix(got.data["arn"].(string), "/alice_smith") {
				m.Errorf("arn = %v (%s)", got.data["arn"], got.error)
			}
			m.mustWrite("roles/x", map[string]any{"source_identity_template": "{{identity.entity.name}}"})
			m.wantError(m.readBy("7d2e", nil), http.StatusBadRequest, `role "x": source_identity_template makes the name "alice smith"`, "replace it")
		}},
		{"attribution: a value that is empty for the caller refuses the request", func(m *mount) {
			m.assumable(``)
			m.under(func(v *logical.StaticSystemView) { v.EntityVal = &logical.Entity{ID: "7d2e", Name: "alice"} })
			for field, template := range map[string]string{"role_session_name_template": "{{identity.entity.metadata.team}}-x", "source_identity_template": "{{identity.entity.aliases.auth_1.name}}-x"} {
				m.mustWrite("roles/x", map[string]any{"role_session_name_template": "", "source_identity_template": ""})
				m.mustWrite("roles/x", map[string]any{field: template})
				value := strings.TrimSuffix(strings.TrimPrefix(template, "{{"), "}}-x")
				before := len(m.sim.Journal())
				m.wantError(m.readBy("7d2e", nil), http.StatusBadRequest, `role "x": `+field+" asks for "+value+", which is empty for this caller")
				m.wantError(m.readBy("", nil), http.StatusBadRequest, value)
				if calls := m.calls(before); len(calls) > 0 {
					m.Errorf("calls = %v", calls)
				}
			}
		}},
		{"attribution: with a template the request cannot choose the session's name", func(m *mount) {
			m.assumable(``)
			m.mustWrite("roles/x", map[string]any{"role_session_name_template": "{{.DisplayName}}"})
			m.wantError(m.read("sts/x", map[string]any{"role_session_name": "mallory"}), http.StatusBadRequest, "role_session_name cannot be sent", "leave it out")
			if got := m.mustRead("sts/x", map[string]any{"role_session_name": ""}); !strings.HasSuffix(got.data["arn"].(string), "/token-tester") {
				m.Errorf("arn = %v", got.data["arn"])
			}
		}},
		{"attribution: without templates it is as ever", func(m *mount) {
			m.assumable(``)
			got := m.mustRead("sts/x", map[string]any{"role_session_name": "mallory"})
			if _, told := got.data["source_identity"]; told || !strings.HasSuffix(got.data["arn"].(string), "/mallory") {
				m.Errorf("source_identity, arn = %v, %v", got.data["source_identity"], got.data["arn"])
			}
		}},
		{"attribution: a trust policy that does not allow it, with the remedy", func(m *mount) {
			arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
			m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "source_identity_template": "{{.DisplayName}}"})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "Error assuming role: AccessDenied: ", "Allow sts:SetSourceIdentity beside sts:AssumeRole")
			m.mustWrite("roles/x", map[string]any{"source_identity_template": "", "session_tags": "team=blue"})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "Error assuming role: AccessDenied: ", "Allow sts:TagSession beside sts:AssumeRole")
		}},
		{"attribution: transitive tags reach AWS, and are among the session's", transitiveTags},
		{"attribution: bad input is a 400 that names the field", badAttribution},
		{"attribution: templates that fail for long names are told", func(m *mount) {
			m.wantWarning(m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/r", "source_identity_template": "vault-{{identity.entity.name}}"}), "no credentials for callers with long names", "truncate_sha256")
		}},
		{"attribution: a stored template that cannot be read is a 400", func(m *mount) {
			m.assumable(``)
			m.put("role/x", map[string]any{"credential_types": []string{"assumed_role"}, "role_arns": []string{"arn:aws:iam::" + m.admin.Account + ":role/r"}, "source_identity_template": "{{nope"})
			m.wantError(m.read("sts/x"), http.StatusBadRequest, `role "x": source_identity_template does not parse`, "write the role again")
		}},
	}
}

// assumable writes the role x, which assumes an IAM role whose trust policy has a
// condition.
func (m *mount) assumable(condition string) {
	m.Helper()
	arn := m.configured().sim.PutRole(m.admin.Account, "r", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+condition+
		`"Principal":{"AWS":"arn:aws:iam::`+m.admin.Account+`:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`, ec2Policy)
	m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn})
}

// readBy reads sts/x by the token of an entity.
func (m *mount) readBy(entity string, query map[string]any) answer {
	req := &logical.Request{Operation: logical.ReadOperation, Path: "sts/x", Data: query, Storage: m.storage, DisplayName: "oidc-alice", EntityID: entity}
	resp, err := m.backend.HandleRequest(m.Context(), req)
	return seen(req, resp, err)
}

// attributed issues to an entity by everything that a template can ask for; AWS
// refuses any other name.
func attributed(m *mount) {
	entity := &logical.Entity{
		ID: "7d2e", Name: "alice", Metadata: map[string]string{"team": "blue", "cost-center": "42"},
		Aliases: []*logical.Alias{
			{MountAccessor: "auth_ldap_1", ID: "a0", Name: "nobody"},
			{MountAccessor: "auth_oidc_2", ID: "a1", Name: "alice@example.com", Metadata: map[string]string{"m": "1"}, CustomMetadata: map[string]string{"c": "2"}},
		},
	}
	m.under(func(v *logical.StaticSystemView) { v.EntityVal = entity })
	for template, want := range map[string]string{
		"{{identity.entity.id}}":                                        "7d2e",
		"{{identity.entity.name}}":                                      "alice",
		"{{identity.entity.metadata.team}}":                             "blue",
		`{{identity "entity.metadata.cost-center"}}`:                    "42",
		"{{identity.entity.aliases.auth_oidc_2.id}}":                    "a1",
		"{{identity.entity.aliases.auth_oidc_2.name}}":                  "alice@example.com",
		"x{{identity.entity.aliases.auth_oidc_2.metadata.m}}":           "x1",
		"x{{identity.entity.aliases.auth_oidc_2.custom_metadata.c}}":    "x2",
		"{{.DisplayName}}.{{.PolicyName}}":                              "oidc-alice.x",
		"{{.Type}}-{{printf \"%s\" identity.entity.name | truncate 3}}": "IAM-ali",
	} {
		m.assumable(`"Condition":{"StringEquals":{"sts:SourceIdentity":"` + want + `","sts:RoleSessionName":"s-` + want + `"}},`)
		m.mustWrite("roles/x", map[string]any{"role_session_name_template": "s-" + template, "source_identity_template": template})
		got := m.readBy("7d2e", nil)
		if got.status != http.StatusOK {
			m.Errorf("%s: %s", template, got.error)
			continue
		}
		if arn := got.data["arn"].(string); got.data["source_identity"] != want || !strings.HasSuffix(arn, "/r/s-"+want) {
			m.Errorf("%s: source_identity, arn = %v, %s; want %q", template, got.data["source_identity"], arn, want)
		}
	}
	role := plain(m, m.mustRead("roles/x").data)
	if role["role_session_name_template"] == "" || role["source_identity_template"] == "" {
		m.Errorf("role = %v", role)
	}
}

func transitiveTags(m *mount) {
	m.assumable(`"Condition":{"StringEquals":{"sts:TransitiveTagKeys":"team"}},`)
	m.mustWrite("roles/x", map[string]any{"session_tags": map[string]any{"Team": "blue", "cost": "1"}})
	m.wantError(m.read("sts/x"), http.StatusBadRequest, "AccessDenied")
	m.mustWrite("roles/x", map[string]any{"transitive_tag_keys": "team"})
	m.mustRead("sts/x")
	if diff := cmp.Diff([]any{"team"}, plain(m, m.mustRead("roles/x").data)["transitive_tag_keys"]); diff != "" {
		m.Errorf("transitive_tag_keys (-want +got):\n%s", diff)
	}
	m.wantError(m.write("roles/x", map[string]any{"session_tags": "cost=1"}), http.StatusBadRequest, `transitive_tag_keys has "team"`, "session_tags")
	m.mustWrite("roles/x", map[string]any{"session_tags": "cost=1", "transitive_tag_keys": ""})
}

func badAttribution(m *mount) {
	session := func(field string, value any) map[string]any {
		return map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/r", field: value}
	}
	for _, tc := range []struct {
		role map[string]any
		want []string
	}{
		{session("role_session_name_template", "{{nope"), []string{"role_session_name_template does not parse"}},
		{session("source_identity_template", "{{.Nope}}"), []string{"source_identity_template asks for .Nope", ".DisplayName"}},
		{session("source_identity_template", "{{identity.entity.nope}}"), []string{"source_identity_template asks for identity.entity.nope", "identity.entity.name"}},
		{session("source_identity_template", "by {{.DisplayName}}"), []string{"source_identity_template makes the name", "' '"}},
		{session("role_session_name_template", strings.Repeat("x", 65)), []string{"role_session_name_template makes a name of 65 characters", "truncate"}},
		{session("transitive_tag_keys", "team"), []string{`transitive_tag_keys has "team"`, "session_tags"}},
		{with(plainUser(), "role_session_name_template", "{{.DisplayName}}"), []string{"role_session_name_template is only valid for credential_type assumed_role"}},
		{with(plainUser(), "source_identity_template", "{{.DisplayName}}"), []string{"source_identity_template is only valid for credential_type assumed_role"}},
		{map[string]any{"credential_type": "federation_token", "transitive_tag_keys": "team"}, []string{"transitive_tag_keys is only valid for credential_type assumed_role"}},
	} {
		m.wantError(m.write("roles/bad", tc.role), http.StatusBadRequest, tc.want...)
	}
	m.wantError(m.read("roles/bad"), http.StatusNotFound)
}

// TestEntityLookupFails: an entity that Vault does not tell is Vault's failure.
func TestEntityLookupFails(t *testing.T) {
	m := newMount(t, inProcess)
	m.view = unknownEntities{m.system}
	m.reload()
	m.assumable(``)
	m.mustWrite("roles/x", map[string]any{"source_identity_template": "{{identity.entity.name}}"})
	m.wantError(m.readBy("7d2e", nil), http.StatusInternalServerError, `look up entity "7d2e"`)
	m.wantError(m.readBy("", nil), http.StatusBadRequest, "identity.entity.name")
}

// unknownEntities is a server that cannot look up entities.
type unknownEntities struct{ *logical.StaticSystemView }

// EntityInfo implements logical.SystemView.
func (unknownEntities) EntityInfo(string) (*logical.Entity, error) { return nil, http.ErrServerClosed }
