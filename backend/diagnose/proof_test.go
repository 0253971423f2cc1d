package diagnose_test

import (
	"context"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/google/go-cmp/cmp"
)

// assuming notes what is assumed; it knows the root credentials and nothing else.
type assuming struct {
	silent
	specs chan lifecycle.AssumeRoleSpec
}

func (a *assuming) Probes() []awsclient.Probe { return nil }

func (a *assuming) KeysOf(context.Context, string) ([]lifecycle.KeyInfo, error) { return nil, nil }

func (a *assuming) Simulate(context.Context, awsclient.Question) ([]awsclient.Verdict, error) {
	return nil, nil
}

func (a *assuming) AssumeRole(_ context.Context, spec lifecycle.AssumeRoleSpec) (lifecycle.Session, error) {
	a.specs <- spec
	return lifecycle.Session{}, nil
}

// TestProof: a trust policy is proven by the shortest session there is, which may
// do nothing.
func TestProof(t *testing.T) {
	role := &store.Role{
		CredentialTypes: []store.CredentialType{store.AssumedRole}, RoleARNs: []string{"arn:aws:iam::210987654321:role/x"},
		ExternalID: "e1", SessionTags: map[string]string{"a": "b"},
	}
	config := store.NewRootConfig()
	aws := &assuming{silent{knows: true}, make(chan lifecycle.AssumeRoleSpec, 1)}
	report := diagnose.Run(t.Context(), aws, diagnose.Mount{
		Config: config, Written: true, Assume: true, Now: time.Unix(1_700_000_000, 0), Roles: []diagnose.Role{{Name: "x", Role: role}},
		Permissions: &permissions.Mount{Config: config, Roles: map[string]*store.Role{"x": role}},
	})
	if len(report.Findings) > 0 {
		t.Errorf("findings: %v", report.Findings)
	}
	want := lifecycle.AssumeRoleSpec{
		RoleARN: "arn:aws:iam::210987654321:role/x", SessionName: "vault-diagnose", ExternalID: "e1", Tags: map[string]string{"a": "b"},
		Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`, TTL: 15 * time.Minute,
	}
	if diff := cmp.Diff(want, <-aws.specs); diff != "" {
		t.Errorf("AssumeRole (-want +got):\n%s", diff)
	}
}
