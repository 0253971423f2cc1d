package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/logical"
)

// TestProblems: every rule a role breaks is reported, in a fixed order.
func TestProblems(t *testing.T) {
	for _, tc := range []struct {
		name string
		role Role
		want []string // the beginnings
	}{
		{"no type", Role{}, []string{"credential_type is required"}},
		{"good user", Role{CredentialTypes: []CredentialType{IAMUser}, UserPath: "/a/b/", PermissionsBoundaryARN: "arn:aws:iam::123456789012:policy/p"}, nil},
		{"root path", Role{CredentialTypes: []CredentialType{IAMUser}, UserPath: "/"}, nil},
		{"equal TTLs", Role{CredentialTypes: []CredentialType{SessionToken}, DefaultSTSTTL: 5, MaxSTSTTL: 5}, nil},
		{"a default without a maximum", Role{CredentialTypes: []CredentialType{SessionToken}, DefaultSTSTTL: 5}, nil},
		{
			"everything at once",
			Role{CredentialTypes: []CredentialType{IAMUser}, RoleARNs: []string{"x"}, DefaultSTSTTL: 2, MaxSTSTTL: 1, UserPath: "x", PermissionsBoundaryARN: "x"},
			[]string{"role_arns is only", "default_sts_ttl is only", "max_sts_ttl is only", "default_sts_ttl 2ns is more", "user_path must", "permissions_boundary_arn is not"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := tc.role.Problems()
			if len(got) != len(tc.want) {
				t.Fatalf("problems = %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("problem %d = %q, want %q…", i, got[i], want)
				}
			}
		})
	}
}

// TestLegacyRole: the texts of roles before Vault 0.11.
func TestLegacyRole(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       *Role
	}{
		{"managed policy", "arn:aws:iam::aws:policy/X", &Role{CredentialTypes: []CredentialType{IAMUser}, PolicyARNs: []string{"arn:aws:iam::aws:policy/X"}}},
		{"IAM role", "arn:aws-cn:iam::123456789012:role/a/b", &Role{CredentialTypes: []CredentialType{AssumedRole}, RoleARNs: []string{"arn:aws-cn:iam::123456789012:role/a/b"}}},
		{"document", " {\"a\" : 1}\n", &Role{CredentialTypes: []CredentialType{IAMUser, FederationToken}, PolicyDocument: `{"a":1}`}},
		{"another resource", "arn:aws:iam::123456789012:user/u", nil},
		{"neither", "{ x", nil},
		{"empty", "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := &Role{InvalidData: tc.text, Version: 1}
			if tc.want != nil {
				want = tc.want
				want.Version, want.ProhibitFlexibleCredPath = 1, true
			}
			if diff := cmp.Diff(want, LegacyRole(tc.text)); diff != "" {
				t.Errorf("role (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPutRoleReplacesLegacy: a role is stored once.
func TestPutRoleReplacesLegacy(t *testing.T) {
	r := Records{Storage: &logical.InmemStorage{}}
	put(t, r, "policy/x", "arn:aws:iam::aws:policy/X")
	role, err := r.Role(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.PutRole(t.Context(), "x", role); err != nil {
		t.Fatal(err)
	}
	if left, err := r.Storage.List(t.Context(), "policy/"); err != nil || len(left) != 0 {
		t.Errorf("legacy records = %v, %v", left, err)
	}
	if err := r.DeleteRole(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	if role, err := r.Role(t.Context(), "x"); role != nil || err != nil {
		t.Errorf("deleted role = %v, %v", role, err)
	}
}

// FuzzRole: whatever is stored under a role's name is read or refused, never a
// panic, and what is read can be judged and stored again.
func FuzzRole(f *testing.F) {
	f.Add([]byte(`{"credential_types":["iam_user"],"policy_document":"{}"}`), false)
	f.Add([]byte("arn:aws:iam::aws:policy/X"), true)
	f.Add([]byte(`{"Statement":[]}`), true)
	f.Fuzz(func(t *testing.T, stored []byte, legacy bool) {
		r := Records{Storage: &logical.InmemStorage{}}
		key := map[bool]string{false: "role/x", true: "policy/x"}[legacy]
		put(t, r, key, string(stored))
		role, err := r.Role(t.Context(), "x")
		if err != nil {
			return
		}
		role.Problems()
		role.Warnings()
		if err := r.PutRole(t.Context(), "x", role); err != nil {
			t.Errorf("store what was read: %v", err)
		}
	})
}

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"*a", "ba", true},
		{"a*a", "a", false},
		{"a*b*c", "a-b-c", true},
		{"a*b*c", "acb", false},
		{"a**c", "abc", true},
		{"", "a", false},
	} {
		if got := matches(tc.pattern, tc.text); got != tc.want {
			t.Errorf("matches(%q, %q) = %v", tc.pattern, tc.text, got)
		}
	}
}
