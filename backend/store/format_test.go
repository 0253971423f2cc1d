package store

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// TestFormats: the JSON names are those of the built-in engine's records.
func TestFormats(t *testing.T) {
	for _, tc := range []struct {
		name   string
		record any
		want   []string
	}{
		{"config/root", RootConfig{}, []string{
			"access_key", "disable_automated_rotation", "iam_endpoint", "identity_token_audience", "identity_token_ttl",
			"max_retries", "region", "role_arn", "rotation_period", "rotation_schedule", "rotation_window", "secret_key",
			"sts_endpoint", "sts_fallback_endpoints", "sts_fallback_regions", "sts_region", "username_template",
		}},
		{"config/lease", Lease{}, []string{"Lease", "LeaseMax"}},
		{"role", Role{InvalidData: "x", ProhibitFlexibleCredPath: true}, []string{
			"credential_types", "default_sts_ttl", "external_id", "iam_groups", "iam_tags", "invalid_data", "max_sts_ttl",
			"mfa_serial_number", "permissions_boundary_arn", "policy_arns", "policy_document", "prohibit_flexible_cred_path",
			"role_arns", "session_tags", "user_path", "version",
		}},
		{"static role", StaticRole{RotationPeriod: time.Hour}, []string{
			"assume_role_arn", "assume_role_session_name", "external_id", "id", "name", "rotation_period", "username",
		}},
		{"static creds", StaticCreds{}, []string{"access_key", "secret_key"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, jsonNames(t, tc.record)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func jsonNames(t *testing.T, record any) []string {
	t.Helper()
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(fields))
}

// TestBuiltinRecords: durations of the built-in engine's records are
// nanoseconds, and fields it does not write have our defaults.
func TestBuiltinRecords(t *testing.T) {
	r := Records{Storage: &logical.InmemStorage{}}
	put(t, r, "config/lease", `{"Lease":1800000000000,"LeaseMax":43200000000000}`)
	put(t, r, "config/root", `{"access_key":"AKIA","secret_key":"s","region":"eu-west-1"}`)
	put(t, r, "role/x", `{"credential_types":["assumed_role"],"role_arns":["arn:aws:iam::123456789012:role/r"],"default_sts_ttl":900000000000,"unknown":1}`)

	lease, _, err := r.Lease(t.Context())
	if want := (Lease{30 * time.Minute, 12 * time.Hour}); err != nil || lease != want {
		t.Errorf("lease = %+v, %v", lease, err)
	}
	config, found, err := r.RootConfig(t.Context())
	want := &RootConfig{AccessKey: "AKIA", SecretKey: "s", Region: "eu-west-1", MaxRetries: SDKRetries}
	if diff := cmp.Diff(want, config); diff != "" || err != nil || !found {
		t.Errorf("root config (-want +got):\n%s%v", diff, err)
	}
	role, err := r.Role(t.Context(), "x")
	if err != nil || role.DefaultSTSTTL != 15*time.Minute || !role.Issues(AssumedRole) {
		t.Errorf("role = %+v, %v", role, err)
	}
}

// TestStaticRolePeriod: the built-in engine never finds a rotation_period of 0,
// by which it would rotate without a pause.
func TestStaticRolePeriod(t *testing.T) {
	for _, tc := range []struct {
		name   string
		role   StaticRole
		period time.Duration // in the record
	}{
		{"by period", StaticRole{Name: "x", RotationPeriod: time.Hour}, time.Hour},
		{"by schedule", StaticRole{Name: "x", RotationSchedule: "0 0 * * *", BuiltinPeriod: 24 * time.Hour}, 24 * time.Hour},
		{"by hand", StaticRole{Name: "x"}, neverPeriod},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Records{Storage: &logical.InmemStorage{}}
			if err := r.PutStaticRole(t.Context(), &tc.role); err != nil {
				t.Fatal(err)
			}
			var stored struct {
				RotationPeriod time.Duration `json:"rotation_period"`
			}
			if _, err := r.load(t.Context(), staticRoleKeys+"x", &stored); err != nil || stored.RotationPeriod != tc.period {
				t.Errorf("rotation_period = %v, %v, want %v", stored.RotationPeriod, err, tc.period)
			}
			got, err := r.StaticRole(t.Context(), "x")
			if err != nil || got.RotationPeriod != tc.role.RotationPeriod || got.RotationSchedule != tc.role.RotationSchedule {
				t.Errorf("read again: %+v, %v", got, err)
			}
		})
	}
}

func put(t *testing.T, r Records, key, text string) {
	t.Helper()
	if err := r.Storage.Put(t.Context(), &logical.StorageEntry{Key: key, Value: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}
