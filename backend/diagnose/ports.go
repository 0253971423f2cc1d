package diagnose

import (
	"context"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/lifecycle"
)

// AWS is what a run asks. Nothing of it changes anything, but AssumeRole makes a
// session.
type AWS interface {
	Source(ctx context.Context) (awsclient.Source, error)
	Identity(ctx context.Context) (lifecycle.Identity, error)
	Probes() []awsclient.Probe
	KeysOf(ctx context.Context, user string) ([]lifecycle.KeyInfo, error)
	FindUser(ctx context.Context, name string) (awsclient.UserInfo, error)
	FindPolicy(ctx context.Context, arn string) (attachable bool, err error)
	FindGroup(ctx context.Context, name string) error
	FindRole(ctx context.Context, name string) (awsclient.RoleInfo, error)
	GroupPolicies(ctx context.Context, groups []string) (awsclient.GroupPolicies, error)
	Simulate(ctx context.Context, q awsclient.Question) ([]awsclient.Verdict, error)
	AssumeRole(ctx context.Context, spec lifecycle.AssumeRoleSpec) (lifecycle.Session, error)
}

var _ AWS = (*awsclient.Client)(nil)
