package backend_test

import (
	"net/http"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend/naming"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

func configScenarios() []scenario {
	return []scenario{
		{"config/root: not configured is 404", func(m *mount) {
			m.wantError(m.read("config/root"), http.StatusNotFound)
		}},
		{"config/root: read answers every field but the secret key", rootRoundTrip},
		{"config/root: a partial update keeps what was not sent", rootPartialUpdate},
		{"config/root: bad input is a 400 that names the field and stores nothing", rootBadInput},
		{"config/root: warnings", rootWarnings},
		{"config/root: keys of the account's root user work, with a warning", rootUserWarning},
		{"config/root: keys that AWS refuses are stored, with a warning", rootRefusedWarning},
		{"config/root: a stored template nobody would accept is readable", rootStoredTemplate},
		{"config/root: limits for those who write roles, at the write and when issuing", rootLimits},
		{"config/root: a server that issues no identity tokens says so", func(m *mount) {
			got := m.write("config/root", map[string]any{"identity_token_audience": "vault", "role_arn": "arn:aws:iam::123456789012:role/x"})
			m.wantError(got, http.StatusBadRequest, "identity_token_audience", "issues no identity token")
			m.wantError(m.read("config/root"), http.StatusNotFound)
		}},
		{"config/root: unknown fields of a write are told", rootUnknownFields},
		{"config/root: stored secrets are seal-wrapped, the journal is local", specialPaths},
	}
}

func rootRoundTrip(m *mount) {
	m.configured()
	got := m.mustRead("config/root").data
	want := map[string]any{
		"access_key": m.admin.AccessKey, "region": "us-east-1", "iam_endpoint": m.endpoint, "sts_endpoint": m.endpoint,
		"sts_region": "", "sts_fallback_endpoints": []any{}, "sts_fallback_regions": []any{}, "max_retries": 0,
		"username_template": naming.Default, "role_arn": "", "identity_token_audience": "", "identity_token_ttl": 0,
		"rotation_schedule": "", "rotation_window": 0, "rotation_period": 0, "disable_automated_rotation": false,
		"credential_source": "config/root", "names_unique": true, "allowed_policy_arns": []any{}, "allowed_role_arns": []any{},
		"allowed_user_paths": []any{}, "allowed_usernames": []any{}, "required_permissions_boundary_arn": "", "last_vault_rotation": nil, "next_vault_rotation": nil,
		"last_rotation_error": "", "iam_owner_tags": false, "max_users": 0,
	}
	if diff := cmp.Diff(want, plain(m, got)); diff != "" {
		m.Errorf("read (-want +got):\n%s", diff)
	}
}

func rootPartialUpdate(m *mount) {
	m.configured()
	template := `vault-{{.PolicyName | truncate 20}}-{{random 20}}`
	m.mustWrite("config/root", map[string]any{"username_template": template, "max_retries": 3})
	m.mustWrite("config/root", map[string]any{"sts_region": "eu-west-1"})
	got := m.mustRead("config/root").data
	want := map[string]any{"access_key": m.admin.AccessKey, "username_template": template, "max_retries": 3, "sts_region": "eu-west-1", "region": "us-east-1"}
	for field, value := range want {
		if diff := cmp.Diff(value, plain(m, got)[field]); diff != "" {
			m.Errorf("%s (-want +got):\n%s", field, diff)
		}
	}
	m.mustWrite("config/root", map[string]any{"username_template": "", "sts_region": ""})
	if got := m.mustRead("config/root").data; got["username_template"] != naming.Default || got["sts_region"] != "" {
		m.Errorf("after clearing: %v", got)
	}
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
	m.mustRead("creds/x") // the secret key is still there
}

func rootBadInput(m *mount) {
	m.configured()
	before := m.mustRead("config/root").data
	for _, tc := range []struct {
		name  string
		send  map[string]any
		words []string
	}{
		{"access key alone", map[string]any{"access_key": "AKIAOTHER"}, []string{"secret_key"}},
		{"cleared secret key", map[string]any{"secret_key": ""}, []string{"secret_key"}},
		{"cleared access key", map[string]any{"access_key": ""}, []string{"access_key"}},
		{"region", map[string]any{"region": "us east 1"}, []string{"region", "us east 1"}},
		{"sts region", map[string]any{"sts_region": strings.Repeat("a", 41)}, []string{"sts_region"}},
		{"fallback region", map[string]any{"sts_fallback_regions": "EU", "sts_fallback_endpoints": "https://x"}, []string{"sts_fallback_regions"}},
		{"fallback lengths", map[string]any{"sts_fallback_regions": "eu-west-1,eu-west-2", "sts_fallback_endpoints": "https://x"}, []string{"same length"}},
		{"iam endpoint", map[string]any{"iam_endpoint": "iam.example.com"}, []string{"iam_endpoint", "https://"}},
		{"link-local endpoint", map[string]any{"sts_endpoint": "http://169.254.169.254/"}, []string{"sts_endpoint", "link-local"}},
		{"endpoint with credentials", map[string]any{"sts_endpoint": "https://u:p@x/"}, []string{"sts_endpoint"}},
		{"retries", map[string]any{"max_retries": -2}, []string{"max_retries"}},
		{"retries of a wrong type", map[string]any{"max_retries": "often"}, []string{"max_retries"}},
		{"template that does not parse", map[string]any{"username_template": "{{"}, []string{"username_template"}},
		{"template with a loop", map[string]any{"username_template": "{{range 9}}x{{end}}"}, []string{"username_template", "range"}},
		{"template outside the alphabet", map[string]any{"username_template": "a b {{random 20}}"}, []string{"username_template"}},
		{"template too long", map[string]any{"username_template": strings.Repeat("a", 2049)}, []string{"username_template", "2048"}},
		{"random too long", map[string]any{"username_template": "{{random 65}}"}, []string{"username_template", "64"}},
	} {
		got := m.write("config/root", tc.send)
		if got.status != http.StatusBadRequest {
			m.Errorf("%s: status = %d, want 400", tc.name, got.status)
		}
		m.wantError(got, http.StatusBadRequest, tc.words...)
	}
	if diff := cmp.Diff(before, m.mustRead("config/root").data); diff != "" {
		m.Errorf("a refused write changed the record (-before +after):\n%s", diff)
	}
}

func rootWarnings(m *mount) {
	if warnings := m.mustWrite("config/root", m.rootConfig(m.admin)); len(warnings) != 0 {
		m.Errorf("warnings about a good configuration: %q", warnings)
	}
	m.wantWarning(m.mustWrite("config/root", map[string]any{"iam_endpoint": "http://minio.example:9000"}), "iam_endpoint", "not encrypted")
	m.wantWarning(m.mustWrite("config/root", map[string]any{"role_arn": "arn:aws:iam::123456789012:role/x"}), "role_arn has no effect")
	m.wantWarning(m.mustWrite("config/root", map[string]any{"sts_region": "mars-north-1"}), "sts_region", "mars-north-1")
	m.wantWarning(m.mustWrite("config/root", map[string]any{"username_template": "app-{{.PolicyName}}-{{random 8}}"}), "username_template")
	if got := m.mustRead("config/root").data["names_unique"]; got != false {
		m.Errorf("names_unique = %v, want false", got)
	}
}

func rootUserWarning(m *mount) {
	m.wantWarning(m.mustWrite("config/root", m.rootConfig(m.sim.RootKey(m.admin.Account))), "root user", ":root")
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
	m.mustRead("creds/x")
}

func rootRefusedWarning(m *mount) {
	wrong := m.admin
	wrong.AccessKey = "AKIANOSUCHKEY0000000"
	m.wantWarning(m.mustWrite("config/root", m.rootConfig(wrong)), "InvalidClientTokenId")
}

func rootStoredTemplate(m *mount) {
	m.put("config/root", map[string]any{"access_key": "AKIAX", "secret_key": "s", "username_template": "{{ nonsense }}"})
	if got := m.mustRead("config/root").data; got["username_template"] != "{{ nonsense }}" || got["max_retries"] == 0 {
		m.Errorf("read = %v", got)
	}
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "username_template", "config/root")
	m.mustWrite("config/root", map[string]any{"region": "eu-west-1"})
}

func rootUnknownFields(m *mount) {
	config := m.rootConfig(m.admin)
	m.mustWrite("config/root", config)
	m.wantWarning(m.mustWrite("config/root", map[string]any{"regoin": "x"}), "unrecognized", "regoin")
	m.mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
	m.wantWarning(m.mustWrite("roles/x", map[string]any{"policy_arn": "x"}), "unrecognized", "policy_arn")
}

func rootLimits(m *mount) {
	m.configured().mustWrite("roles/old", map[string]any{"credential_type": "iam_user", "policy_arns": readOnlyPolicy})
	m.mustWrite("roles/sts", map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/admin"})
	bound := "arn:aws:iam::" + m.admin.Account + ":policy/bound"
	m.mustWrite("config/root", map[string]any{
		"allowed_policy_arns": "arn:aws:iam::aws:policy/AmazonEC2*", "allowed_role_arns": "arn:aws:iam::*:role/app-*",
		"allowed_user_paths": "/apps/*", "required_permissions_boundary_arn": bound,
	})
	m.wantError(m.read("creds/old"), http.StatusBadRequest, "policy_arns", readOnlyPolicy, "allowed_policy_arns", "user_path \"/\"", "permissions_boundary_arn", bound)
	m.wantError(m.read("sts/sts"), http.StatusBadRequest, "role_arns", "role/admin", "allowed_role_arns")
	m.wantError(m.write("roles/new", map[string]any{"arn": readOnlyPolicy}), http.StatusBadRequest, "allowed_policy_arns")
	m.wantError(m.write("roles/new", map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/x"}), http.StatusBadRequest, "allowed_role_arns")
	good := map[string]any{"credential_type": "iam_user", "policy_arns": "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess", "user_path": "/apps/a/", "permissions_boundary_arn": bound}
	m.mustWrite("roles/new", good)
	m.sim.PutPolicy(m.admin.Account, "bound", ec2Policy)
	m.mustRead("creds/new")
	m.mustWrite("config/root", map[string]any{"allowed_policy_arns": "", "allowed_role_arns": []any{}, "allowed_user_paths": "", "required_permissions_boundary_arn": ""})
	m.mustRead("creds/old")
}

func specialPaths(m *mount) {
	paths := m.backend.SpecialPaths()
	if diff := cmp.Diff([]string{"wal/", "journal/", "users/"}, paths.LocalStorage); diff != "" {
		m.Error(diff)
	}
	if diff := cmp.Diff([]string{"config/root", "static-creds/"}, paths.SealWrapStorage); diff != "" {
		m.Error(diff)
	}
}

func leaseScenarios() []scenario {
	return []scenario{
		{"config/lease: not configured is 404", func(m *mount) {
			m.wantError(m.read("config/lease"), http.StatusNotFound)
		}},
		{"config/lease: durations and seconds are read back as durations", func(m *mount) {
			m.mustWrite("config/lease", map[string]any{"lease": "1800", "lease_max": "1d"})
			want := map[string]any{"lease": "30m0s", "lease_max": "24h0m0s"}
			if diff := cmp.Diff(want, m.mustRead("config/lease").data); diff != "" {
				m.Errorf("read (-want +got):\n%s", diff)
			}
		}},
		{"config/lease: both fields are required", func(m *mount) {
			m.wantError(m.write("config/lease", map[string]any{"lease": "1h"}), http.StatusBadRequest, "'lease_max' is a required parameter")
			m.wantError(m.write("config/lease", map[string]any{"lease_max": "1h"}), http.StatusBadRequest, "'lease' is a required parameter")
			m.wantError(m.write("config/lease", map[string]any{"lease": "soon", "lease_max": "1h"}), http.StatusBadRequest, "Invalid lease", "soon")
			m.wantError(m.write("config/lease", map[string]any{"lease": "-1h", "lease_max": "1h"}), http.StatusBadRequest, "Invalid lease", "negative")
			m.wantError(m.read("config/lease"), http.StatusNotFound)
		}},
		{"config/lease: has no delete", func(m *mount) {
			m.wantError(m.delete("config/lease"), http.StatusMethodNotAllowed)
			m.wantError(m.read("config/nothing"), http.StatusNotFound)
		}},
	}
}

func helpScenarios() []scenario {
	return []scenario{{"help: the mount and every path have help that says more than the path", func(m *mount) {
		for _, path := range []string{"", "config/root", "config/rotate-root", "config/lease", "roles", "roles/x", "creds/x", "sts/x", "static-roles", "static-roles/x", "static-creds/x", "rotate-role/x"} {
			resp, err := m.backend.HandleRequest(m.Context(), &logical.Request{Operation: logical.HelpOperation, Path: path, Storage: m.storage})
			if err != nil {
				m.Errorf("help of %q: %v\n%s", path, err, m.log)
				continue
			}
			if text, _ := resp.Data["help"].(string); len(text) < 200 {
				m.Errorf("help of %q is too short: %q", path, text)
			}
		}
	}}}
}

// TestPluginVersion: the version is what the process was built with.
func TestPluginVersion(t *testing.T) {
	m := newMount(t, inProcess)
	if got := m.backend.(logical.PluginVersioner).PluginVersion().Version; got != "v0.0.1" {
		t.Errorf("version = %q", got)
	}
}
