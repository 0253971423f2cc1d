package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFieldsByType: which credential type takes which field; the others refuse it
// or say that it has no effect.
func TestFieldsByType(t *testing.T) {
	type verdict = string
	const (
		takes    verdict = "takes"
		refuses  verdict = "refuses"
		noEffect verdict = "no effect"
	)
	for _, tc := range []struct {
		field string
		set   func(*Role)
		want  [4]verdict // iam_user, assumed_role, federation_token, session_token
	}{
		{"policy_document", func(r *Role) {
			r.PolicyDocument = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
		}, [4]verdict{takes, takes, takes, refuses}},
		{"policy_arns", func(r *Role) { r.PolicyARNs = []string{"arn:aws:iam::aws:policy/X"} }, [4]verdict{takes, takes, takes, refuses}},
		{"role_arns", func(r *Role) { r.RoleARNs = []string{"arn:aws:iam::123456789012:role/x"} }, [4]verdict{refuses, takes, refuses, refuses}},
		{"iam_groups", func(r *Role) { r.IAMGroups = []string{"g"} }, [4]verdict{takes, takes, takes, noEffect}},
		{"iam_tags", func(r *Role) { r.IAMTags = map[string]string{"a": "b"} }, [4]verdict{takes, noEffect, noEffect, noEffect}},
		{"session_tags", func(r *Role) { r.SessionTags = map[string]string{"a": "b"} }, [4]verdict{refuses, takes, refuses, refuses}},
		{"external_id", func(r *Role) { r.ExternalID = "x" }, [4]verdict{refuses, takes, refuses, refuses}},
		{"default_sts_ttl", func(r *Role) { r.DefaultSTSTTL = 1 }, [4]verdict{refuses, takes, takes, takes}},
		{"max_sts_ttl", func(r *Role) { r.MaxSTSTTL = 1 }, [4]verdict{refuses, takes, takes, takes}},
		{"user_path", func(r *Role) { r.UserPath = "/" }, [4]verdict{takes, refuses, refuses, refuses}},
		{"permissions_boundary_arn", func(r *Role) { r.PermissionsBoundaryARN = "arn:aws:iam::aws:policy/X" }, [4]verdict{takes, refuses, refuses, refuses}},
		{"mfa_serial_number", func(r *Role) { r.MFASerialNumber = "m" }, [4]verdict{refuses, refuses, refuses, takes}},
	} {
		t.Run(tc.field, func(t *testing.T) {
			var got [4]verdict
			for i, credentialType := range CredentialTypes {
				r := &Role{CredentialTypes: []CredentialType{credentialType}}
				tc.set(r)
				got[i] = takes
				if mentions(r.Problems(), tc.field) {
					got[i] = refuses
				} else if mentions(r.Warnings(), tc.field+" has no effect") {
					got[i] = noEffect
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%v (-want +got):\n%s", CredentialTypes, diff)
			}
		})
	}
}

func mentions(texts []string, start string) bool {
	for _, text := range texts {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return false
}

// TestUserPath is IAM's pathType.
func TestUserPath(t *testing.T) {
	for path, valid := range map[string]bool{
		"": true, "/": true, "/a/": true, "/a/b/": true, "//": true, "/!~/": true, "/" + strings.Repeat("a", 510) + "/": true,
		"a": false, "/a": false, "a/": false, "/a b/": false, "/ü/": false, "/a/\n": false, "/\x7f/": false, "/" + strings.Repeat("a", 511) + "/": false,
	} {
		r := &Role{CredentialTypes: []CredentialType{IAMUser}, UserPath: path}
		if got := len(r.Problems()) == 0; got != valid {
			t.Errorf("user_path %q: valid %v, want %v", path, got, valid)
		}
	}
}

// TestBoundaryARN: a boundary is a managed policy of any partition.
func TestBoundaryARN(t *testing.T) {
	for arn, valid := range map[string]bool{
		"": true, "arn:aws:iam::123456789012:policy/p": true, "arn:aws:iam::aws:policy/X": true, "arn:aws-cn:iam::123456789012:policy/a/b": true, "arn:aws-us-gov:iam::123456789012:policy/p": true,
		"policy/p": false, "arn:aws:iam": false, "arn:aws:iam::123456789012:role/r": false, "arn:aws:iam::123456789012:policies/p": false, "arn:aws:s3:::policy/p": false, "arn:aws:iam::123456789012:user/policy/p": false,
	} {
		r := &Role{CredentialTypes: []CredentialType{IAMUser}, PermissionsBoundaryARN: arn}
		if got := len(r.Problems()) == 0; got != valid {
			t.Errorf("permissions_boundary_arn %q: valid %v, want %v", arn, got, valid)
		}
	}
}
