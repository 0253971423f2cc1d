package backend_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-cmp/cmp"
)

const (
	readOnlyPolicy = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	ec2Policy      = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
	denyPolicy     = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}`
)

func roleScenarios() []scenario {
	return []scenario{
		{"roles: not there is 404, also as an empty list", func(m *mount) {
			m.wantError(m.read("roles/x"), http.StatusNotFound)
			m.wantError(m.list("roles"), http.StatusNotFound)
			m.wantError(m.list("roles/"), http.StatusNotFound)
			if got := m.delete("roles/x"); got.status != http.StatusNoContent {
				m.Errorf("delete = %d", got.status)
			}
		}},
		{"roles: an IAM user role reads back whole", userRoleRoundTrip},
		{"roles: an assumed-role role reads back whole", assumedRoleRoundTrip},
		{"roles: a partial update keeps what was not sent, empty values clear", rolePartialUpdate},
		{"roles: every broken rule is reported", roleBrokenRules},
		{"roles: limits", roleLimits},
		{"roles: parameters without effect are told", roleWarnings},
		{"roles: legacy policy and arn", legacyInput},
		{"roles: legacy records are read, listed, used and replaced", legacyRecords},
		{"roles: the list is sorted and has each name once", func(m *mount) {
			for _, name := range []string{"c", "a", "b@x.y"} {
				m.mustWrite("roles/"+name, map[string]any{"credential_type": "session_token"})
			}
			m.put("policy/a", "x")
			want := map[string]any{"keys": []any{"a", "b@x.y", "c"}}
			if diff := cmp.Diff(want, plain(m, m.list("roles").data)); diff != "" {
				m.Errorf("list (-want +got):\n%s", diff)
			}
		}},
	}
}

func emptyRole(fields map[string]any) map[string]any {
	role := map[string]any{
		"credential_type": "", "policy_document": "", "policy_arns": []any{}, "role_arns": []any{}, "iam_groups": []any{},
		"iam_tags": map[string]any{}, "session_tags": map[string]any{}, "external_id": "", "default_sts_ttl": 0, "max_sts_ttl": 0,
		"user_path": "", "permissions_boundary_arn": "", "mfa_serial_number": "", "expiry_policy": false, "max_users": 0, "default_ttl": 0, "max_ttl": 0,
		"role_session_name_template": "", "source_identity_template": "", "transitive_tag_keys": []any{},
		"propagation_timeout": 0, "propagation_regions": []any{},
	}
	for field, value := range fields {
		role[field] = value
	}
	return role
}

func (m *mount) wantRole(name string, fields map[string]any) {
	m.Helper()
	if diff := cmp.Diff(emptyRole(fields), plain(m, m.mustRead("roles/"+name).data)); diff != "" {
		m.Errorf("role %s (-want +got):\n%s", name, diff)
	}
}

func userRoleRoundTrip(m *mount) {
	m.mustWrite("roles/x", map[string]any{
		"credential_type": "iam_user", "policy_document": "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": []}", "policy_arns": []any{readOnlyPolicy},
		"iam_groups": "a,b", "iam_tags": []any{"k1=v1", "k2=v2"}, "user_path": "/apps/", "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/b",
	})
	m.wantRole("x", map[string]any{
		"credential_type": "iam_user", "policy_document": `{"Version":"2012-10-17","Statement":[]}`, "policy_arns": []any{readOnlyPolicy},
		"iam_groups": []any{"a", "b"}, "iam_tags": map[string]any{"k1": "v1", "k2": "v2"}, "user_path": "/apps/",
		"permissions_boundary_arn": "arn:aws:iam::123456789012:policy/b",
	})
}

func assumedRoleRoundTrip(m *mount) {
	m.mustWrite("roles/x", map[string]any{
		"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/a", "session_tags": map[string]any{"k": "v"},
		"external_id": "id", "default_sts_ttl": "30m", "max_sts_ttl": 3600,
	})
	m.wantRole("x", map[string]any{
		"credential_type": "assumed_role", "role_arns": []any{"arn:aws:iam::123456789012:role/a"}, "session_tags": map[string]any{"k": "v"},
		"external_id": "id", "default_sts_ttl": 1800, "max_sts_ttl": 3600,
	})
}

func rolePartialUpdate(m *mount) {
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy, "iam_groups": "g", "policy_document": ec2Policy})
	m.mustWrite("roles/x", map[string]any{"iam_tags": "k=v"})
	m.wantRole("x", map[string]any{
		"credential_type": "iam_user", "policy_arns": []any{readOnlyPolicy}, "iam_groups": []any{"g"}, "policy_document": ec2Policy, "iam_tags": map[string]any{"k": "v"},
	})
	m.mustWrite("roles/x", map[string]any{"policy_arns": []any{}, "iam_groups": "", "policy_document": "", "iam_tags": map[string]any{}})
	m.wantRole("x", map[string]any{"credential_type": "iam_user"})
	m.mustWrite("roles/x", map[string]any{"user_path": "/p/"})
	m.wantError(m.write("roles/x", map[string]any{"credential_type": "session_token"}), http.StatusBadRequest, "user_path")
	m.wantRole("x", map[string]any{"credential_type": "iam_user", "user_path": "/p/"})
	m.mustWrite("roles/x", map[string]any{"credential_type": "session_token", "user_path": ""})
}

func roleBrokenRules(m *mount) {
	for _, tc := range []struct {
		send  map[string]any
		words []string
	}{
		{map[string]any{"policy_arns": readOnlyPolicy}, []string{"credential_type", "required"}},
		{map[string]any{"credential_type": "iam_usr"}, []string{"iam_usr", "iam_user"}},
		{map[string]any{"credential_type": "iam_user", "role_arns": "x", "max_sts_ttl": 1}, []string{"role_arns", "max_sts_ttl"}},
		{map[string]any{"credential_type": "iam_user", "default_sts_ttl": 60, "session_tags": "a=b", "external_id": "x"}, []string{"default_sts_ttl", "session_tags", "external_id"}},
		{map[string]any{"credential_type": "assumed_role", "user_path": "/p/", "permissions_boundary_arn": "arn:aws:iam::1:policy/x"}, []string{"user_path", "permissions_boundary_arn"}},
		{map[string]any{"credential_type": "session_token", "policy_arns": readOnlyPolicy, "policy_document": ec2Policy}, []string{"policy_arns", "policy_document"}},
		{map[string]any{"credential_type": "federation_token", "default_sts_ttl": 7200, "max_sts_ttl": 3600}, []string{"default_sts_ttl 2h0m0s", "max_sts_ttl 1h0m0s"}},
		{map[string]any{"credential_type": "iam_user", "user_path": "p"}, []string{"user_path"}},
		{map[string]any{"credential_type": "iam_user", "user_path": "/" + strings.Repeat("a", 511) + "/"}, []string{"user_path"}},
		{map[string]any{"credential_type": "iam_user", "permissions_boundary_arn": "b", "user_path": "p"}, []string{"permissions_boundary_arn", "user_path"}},
		{map[string]any{"credential_type": "iam_user", "permissions_boundary_arn": "arn:aws:iam::1:role/x"}, []string{"permissions_boundary_arn", "policy/"}},
		{map[string]any{"credential_type": "iam_user", "policy_document": "{\n\"Version\" \"x\"}"}, []string{"cannot parse policy document", "line 2"}},
		{map[string]any{"credential_type": "iam_user", "default_sts_ttl": -5}, []string{"default_sts_ttl"}},
	} {
		m.wantError(m.write("roles/x", tc.send), http.StatusBadRequest, tc.words...)
	}
	m.wantError(m.read("roles/x"), http.StatusNotFound)
}

func roleLimits(m *mount) {
	arns := func(n int) []any {
		var out []any
		for i := range n {
			out = append(out, fmt.Sprintf("arn:aws:iam::123456789012:policy/p%d", i))
		}
		return out
	}
	tags := map[string]any{}
	for i := range 51 {
		tags[fmt.Sprint("k", i)] = "v"
	}
	m.wantError(m.write("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": arns(21)}), http.StatusBadRequest, "policy_arns", "21", "20")
	m.wantError(m.write("roles/x", map[string]any{"credential_type": "iam_user", "iam_groups": arns(11)}), http.StatusBadRequest, "iam_groups", "10")
	m.wantError(m.write("roles/x", map[string]any{"credential_type": "iam_user", "iam_tags": tags}), http.StatusBadRequest, "iam_tags", "50")
	long := `{"Version":"2012-10-17","Statement":[],"Id":"` + strings.Repeat("x", 131072) + `"}`
	m.wantError(m.write("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": long}), http.StatusBadRequest, "policy_document", "131072")
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": arns(20), "iam_groups": "a,b,c,d,e,f,g,h,i,j"})
}

func roleWarnings(m *mount) {
	m.wantWarning(m.mustWrite("roles/a", map[string]any{"credential_type": "assumed_role"}), "role_arns is empty")
	m.wantWarning(m.mustWrite("roles/b", map[string]any{"credential_type": "session_token", "iam_groups": "g"}), "iam_groups has no effect")
	m.wantWarning(m.mustWrite("roles/c", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy, "iam_tags": "a=b"}), "iam_tags has no effect")
	m.wantWarning(m.mustWrite("roles/f", map[string]any{"credential_type": "iam_user", "mfa_serial_number": "m"}), "mfa_serial_number has no effect")
	m.wantWarning(m.mustWrite("roles/d", map[string]any{"credential_type": "iam_user", "policy_arns": "ReadOnlyAccess"}), "policy_arns", "not an ARN")
	m.wantWarning(m.mustWrite("roles/e", map[string]any{"credential_type": "iam_user", "policy_document": "{}"}), "policy_document")
}

func legacyInput(m *mount) {
	m.wantWarning(m.mustWrite("roles/inline", map[string]any{"policy": ec2Policy}), "Detected use of legacy role or policy parameter")
	m.wantRole("inline", map[string]any{"credential_type": "iam_user,federation_token", "policy_document": ec2Policy})
	m.mustWrite("roles/managed", map[string]any{"arn": readOnlyPolicy})
	m.wantRole("managed", map[string]any{"credential_type": "iam_user", "policy_arns": []any{readOnlyPolicy}})
	m.mustWrite("roles/role", map[string]any{"arn": "arn:aws:iam::123456789012:role/r"})
	m.wantRole("role", map[string]any{"credential_type": "assumed_role", "role_arns": []any{"arn:aws:iam::123456789012:role/r"}})

	m.wantError(m.write("roles/x", map[string]any{"policy": ec2Policy, "arn": readOnlyPolicy}), http.StatusBadRequest, "only one of policy or arn")
	m.wantError(m.write("roles/x", map[string]any{"policy": ec2Policy, "credential_type": "iam_user"}), http.StatusBadRequest, "cannot supply deprecated", "credential_type")
	m.wantError(m.write("roles/x", map[string]any{"arn": readOnlyPolicy, "iam_tags": "a=b"}), http.StatusBadRequest, "cannot supply deprecated", "iam_tags")
	m.wantError(m.write("roles/x", map[string]any{"policy": "nonsense"}), http.StatusBadRequest, "unable to parse supplied data")
	m.wantError(m.write("roles/x", map[string]any{"arn": "arn:aws:iam::123456789012:user/u"}), http.StatusBadRequest, "unable to parse supplied data")
	m.wantError(m.read("roles/x"), http.StatusNotFound)

	m.mustWrite("roles/x", map[string]any{"credential_type": "session_token", "policy": "", "arn": ""})
	m.mustWrite("roles/x", map[string]any{"policy": "", "max_sts_ttl": 3600})
	m.wantRole("x", map[string]any{"credential_type": "session_token", "max_sts_ttl": 3600})
	m.mustWrite("roles/x", map[string]any{"policy": "", "arn": readOnlyPolicy})
	m.wantRole("x", map[string]any{"credential_type": "iam_user", "policy_arns": []any{readOnlyPolicy}})
}

func legacyRecords(m *mount) {
	m.configured()
	put := func(name, text string) {
		m.Helper()
		if err := m.storage.Put(m.Context(), rawEntry("policy/"+name, text)); err != nil {
			m.Fatal(err)
		}
	}
	put("inline", ec2Policy)
	put("managed", readOnlyPolicy)
	put("broken", "{ nonsense")
	m.wantRole("inline", map[string]any{"credential_type": "iam_user,federation_token", "policy_document": ec2Policy})
	m.mustRead("creds/inline")
	m.mustRead("sts/inline")
	m.mustRead("creds/managed")
	m.wantError(m.read("sts/managed"), http.StatusBadRequest, "creds/managed")
	m.wantRole("broken", map[string]any{"invalid_data": "{ nonsense"})
	m.wantError(m.read("creds/broken"), http.StatusBadRequest, "unknown credential_type")
	m.wantWarning(m.mustWrite("roles/broken", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy}), "Invalid data of", "cleared out of role")
	m.wantRole("broken", map[string]any{"credential_type": "iam_user", "policy_arns": []any{readOnlyPolicy}})
	m.mustWrite("roles/managed", map[string]any{"credential_type": "iam_user"})
	m.mustRead("sts/managed") // written with current fields, both paths serve it
	m.delete("roles/managed")
	m.wantError(m.read("roles/managed"), http.StatusNotFound)
}
