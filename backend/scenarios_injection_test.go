package backend_test

import (
	"net/http"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/naming"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func injectionScenarios() []scenario {
	return []scenario{
		{"injection: a role's name is no path", injectedRoleName},
		{"injection: a display name is text in a name, and nothing else", injectedDisplayName},
		{"injection: a template's text is data to the next", injectedTemplate},
		{"injection: a tag is one tag", injectedTags},
		{"injection: a policy's strings stay strings", injectedPolicy},
	}
}

// injectedRoleName: what would lead out of role/ is no name of a role, and the
// records outside stay as they are.
func injectedRoleName(m *mount) {
	m.configured()
	m.mustRead("tidy-status") // which writes the mount's state, if nothing has yet
	before := m.wholeStorage()
	for _, name := range []string{"../config/root", "x/../../config/root", "x/", "/x", "..", ".", "x/y", "x%2f..%2fy", "x\x00y", "x\ny", "*", "x?y", "é", "-x", "x-", ""} {
		for _, folder := range []string{"roles/", "static-roles/", "creds/", "sts/", "rotate-role/", "static-creds/"} {
			if got := m.write(folder+name, map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "username": "admin", "rotation_period": "1h"}); got.ok() {
				m.Errorf("%s%q is taken: %d", folder, name, got.status)
			}
			if got := m.read(folder + name); got.ok() {
				m.Errorf("%s%q is read: %v", folder, name, got.data)
			}
		}
	}
	if diff := cmp.Diff(before, m.wholeStorage()); diff != "" {
		m.Errorf("storage (-before +after):\n%s", diff)
	}
}

// wholeStorage is everything in storage.
func (m *mount) wholeStorage() map[string]string {
	m.Helper()
	keys, err := logical.CollectKeys(m.Context(), m.storage.Storage)
	m.must(err)
	all := map[string]string{}
	for _, key := range keys {
		entry, err := m.storage.Storage.Get(m.Context(), key)
		m.must(err)
		all[key] = string(entry.Value)
	}
	return all
}

// hostileTexts are what somebody can put where only a name is meant.
var hostileTexts = []string{
	"../../admin", "a/b", "/admin/", "a&Action=DeleteUser&UserName=admin", "a\r\nHost: x", `a","Resource":"*`, "${aws:username}", "{{.PolicyName}}", "{{random 9999}}",
	"*", "a b", "\x00", "vault-\u202e", "admin\u0000", strings.Repeat("ä", 300), "%2e%2e%2f", "", "<UserName>admin</UserName>",
}

func injectedDisplayName(m *mount) {
	m.configured().mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "user_path": "/apps/"})
	m.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	for _, display := range hostileTexts {
		start := len(m.sim.Journal())
		got := m.requestAs(m.Context(), display, logical.ReadOperation, "creds/x", nil)
		if !got.ok() {
			m.Errorf("creds as %q: %d %s", display, got.status, got.error)
			continue
		}
		user := m.onlyUser()
		if legal, _ := naming.SessionName(user.Name); legal != user.Name || !strings.HasPrefix(user.Name, "vault-") || len(user.Name) > 64 {
			m.Errorf("name of %q: %q", display, user.Name)
		}
		if user.Path != "/apps/" || len(user.InlinePolicies) != 1 || len(user.Tags) != 0 {
			m.Errorf("user of %q: %+v", display, user)
		}
		m.must(m.revoke(got.secret))
		if got := m.requestAs(m.Context(), display, logical.ReadOperation, "sts/fed", nil); !got.ok() {
			m.Errorf("sts as %q: %d %s", display, got.status, got.error)
		}
		want := []string{"iam:CreateAccessKey", "iam:CreateUser", "iam:DeleteAccessKey", "iam:DeleteUser", "iam:DeleteUserPolicy", "iam:PutUserPolicy", "sts:GetFederationToken"}
		if diff := cmp.Diff(want, slices.Sorted(slices.Values(m.calls(start)))); diff != "" {
			m.Errorf("calls of %q (-want +got):\n%s", display, diff)
		}
	}
}

// injectedTemplate: what a template puts out is not a template, and its functions
// reach nothing but their arguments.
func injectedTemplate(m *mount) {
	m.configured().mustWrite("config/root", map[string]any{"username_template": `v-{{ .DisplayName | truncate 20 }}-{{ random 20 }}`})
	m.mustWrite("roles/reporting", plainUser())
	got := m.requestAs(m.Context(), `{{.PolicyName}}{{random 5}}`, logical.ReadOperation, "creds/reporting", nil)
	if !got.ok() {
		m.Fatalf("creds: %d %s", got.status, got.error)
	}
	if name := m.onlyUser().Name; strings.Contains(name, "reporting") || len(name) > 2+20+1+20 {
		m.Errorf("the display name was run as a template: %q", name)
	}
	for _, template := range []string{
		`{{ env "HOME" }}`, `{{ .Storage }}`, `{{ template "x" }}`, `{{ define "x" }}{{ end }}`, `{{ call .DisplayName }}`, `{{ range . }}{{ end }}`, `{{ readFile "x" }}`,
		`{{ unix_time_millis | index . }}`, `{{ .DisplayName.X }}`, `{{ block "a" . }}{{ end }}`, `{{ html "x" }}`, `{{ js . }}`,
	} {
		m.wantError(m.write("config/root", map[string]any{"username_template": template}), http.StatusBadRequest, "username_template")
	}
}

// injectedTags: a tag cannot make another parameter of the call, or another tag.
func injectedTags(m *mount) {
	m.configured()
	for _, text := range hostileTexts {
		for _, tags := range []map[string]any{{"k": text}, {"k" + text: "v"}} {
			got := m.write("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "iam_tags": tags})
			if !got.ok() {
				continue
			}
			start := len(m.sim.Journal())
			if got = m.read("creds/x"); !got.ok() {
				m.wantError(got, http.StatusBadRequest)
				m.wantUsers(0)
				continue
			}
			want := map[string]string{}
			for key, value := range tags {
				want[key] = value.(string)
			}
			if diff := cmp.Diff(want, m.onlyUser().Tags); diff != "" {
				m.Errorf("tags (-want +got):\n%s", diff)
			}
			m.must(m.revoke(got.secret))
			if calls := m.calls(start); len(calls) != 6 {
				m.Errorf("calls of %v: %v", tags, calls)
			}
		}
	}
}

// injectedPolicy: what looks like JSON, a template or a variable in a policy's
// strings reaches AWS as it was written.
func injectedPolicy(m *mount) {
	m.configured()
	for _, text := range []string{`\"},{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"},{\"Sid\":\"`, `${aws:username}`, `{{.DisplayName}}`, `\u0022}]`, `&Action=x`} {
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/` + text + `"}]}`
		got := m.issued(map[string]any{"credential_type": "iam_user", "policy_document": policy})
		for _, document := range m.onlyUser().InlinePolicies {
			if document != policy {
				m.Errorf("policy on the user = %s\nwant %s", document, policy)
			}
		}
		m.must(m.revoke(got.secret))
	}
}
