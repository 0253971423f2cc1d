package diagnose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/store"
)

// silent is an AWS that tells who one is and answers nothing else.
type silent struct {
	diagnose.AWS
	knows bool
}

func (s *silent) wait(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s *silent) Source(context.Context) (awsclient.Source, error) {
	return awsclient.Source{Name: "config/root"}, nil
}

func (s *silent) Probes() []awsclient.Probe {
	return []awsclient.Probe{{Service: "sts", Ask: func(ctx context.Context) awsclient.Reached { return awsclient.Reached{Err: s.wait(ctx)} }}}
}

func (s *silent) Identity(ctx context.Context) (lifecycle.Identity, error) {
	if !s.knows {
		return lifecycle.Identity{}, s.wait(ctx)
	}
	return lifecycle.Identity{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/engine"}, nil
}

func (s *silent) KeysOf(ctx context.Context, _ string) ([]lifecycle.KeyInfo, error) {
	return nil, s.wait(ctx)
}

func (s *silent) FindPolicy(ctx context.Context, _ string) (bool, error) { return false, s.wait(ctx) }

func (s *silent) Simulate(ctx context.Context, _ awsclient.Question) ([]awsclient.Verdict, error) {
	return nil, s.wait(ctx)
}

// many is a mount of as many roles as a run looks at, each with a policy of its own.
func many() diagnose.Mount {
	m := diagnose.Mount{Config: store.NewRootConfig(), RolesLeft: 9000}
	m.Permissions = &permissions.Mount{Config: m.Config, Roles: map[string]*store.Role{}, UserPrefix: "vault-", NamesUnique: true}
	for i := range diagnose.MaxRoles {
		role := &store.Role{CredentialTypes: []store.CredentialType{store.IAMUser}, PolicyARNs: []string{fmt.Sprintf("arn:aws:iam::123456789012:policy/p%d", i)}}
		name := fmt.Sprintf("r%d", i)
		m.Roles = append(m.Roles, diagnose.Role{Name: name, Role: role})
		m.Permissions.Roles[name] = role
	}
	return m
}

// TestBounded: an AWS that does not answer costs 20 seconds at most, and what
// was not checked is told.
func TestBounded(t *testing.T) {
	for name, aws := range map[string]*silent{"nothing answers": {}, "only who we are": {knows: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				report := diagnose.Run(t.Context(), aws, many())
				if took := time.Since(begun); took > 20*time.Second { // of the bubble's clock
					t.Errorf("took %s", took)
				}
				var left bool
				for _, u := range report.Unchecked {
					left = left || strings.Contains(u.Reason, "9000 roles")
				}
				if !left || len(report.Unchecked) < 2 {
					t.Errorf("not checked: %v", report.Unchecked)
				}
			})
		})
	}
}
