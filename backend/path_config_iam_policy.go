package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathConfigIAMPolicy serves config/iam-policy: the least IAM policy with which
// the root credentials do what is configured.
func (b *Backend) pathConfigIAMPolicy() *framework.Path {
	return &framework.Path{
		Pattern: "config/iam-policy",
		Fields: map[string]*framework.FieldSchema{
			"arn":      {Type: framework.TypeString, Query: true, Description: "ARN of the IAM user or role that gets the policy. Default: whose credentials config/root holds, as AWS says."},
			"diagnose": {Type: framework.TypeBool, Query: true, Description: "With what diagnose looks at: read-only actions that no credential needs. Default: false."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: operation(b.readIAMPolicy, "Print the least IAM policy of the root credentials."),
		},
		HelpSynopsis:    "Print the least IAM policy of the root credentials.",
		HelpDescription: help("config_iam_policy.txt"),
	}
}

// policyTimeout bounds asking AWS whose the root credentials are.
const policyTimeout = 5 * time.Second

// readIAMPolicy handles a read of config/iam-policy. It prints no policy that
// allows more than is meant.
func (b *Backend) readIAMPolicy(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	root, err := b.policyBearer(ctx, req.Storage, d.Get("arn").(string))
	if err != nil {
		return nil, err
	}
	m, err := b.permissionsOf(ctx, req.Storage, root)
	if err != nil {
		return nil, err
	}
	m.Diagnose = d.Get("diagnose").(bool)
	if reasons := m.Refusals(); len(reasons) > 0 {
		return nil, invalid("no policy is printed, since it would allow more than is meant: %s", strings.Join(reasons, "; "))
	}
	text, err := permissions.Document(m.Needs())
	if err != nil {
		return nil, err
	}
	return &logical.Response{
		Data:     map[string]any{"policy": text, "characters": policy.Size(text), "arn": root.ARN, "features": featuresOf(m.Needs())},
		Warnings: policyWarnings(m, text),
	}, nil
}

// policyBearer is whom the policy is for: of an ARN, or as AWS says.
func (b *Backend) policyBearer(ctx context.Context, storage logical.Storage, arn string) (permissions.Root, error) {
	if arn == "" {
		ctx, cancel := context.WithTimeout(ctx, policyTimeout)
		defer cancel()
		root, err := b.root(ctx, storage)
		if err != nil {
			return permissions.Root{}, err
		}
		identity, err := root.Identity(ctx)
		if errors.Is(err, awserr.Unavailable) || errors.Is(err, awserr.Throttled) {
			return permissions.Root{}, err
		}
		if err != nil {
			return permissions.Root{}, invalid("AWS does not tell whose the root credentials are; mend that, or send arn= with the ARN of the IAM user or role that is to get the policy: %s", explain(err))
		}
		arn = identity.ARN
	}
	root, err := permissions.RootOf(arn)
	if err != nil {
		return root, invalid("arn: %v", err)
	}
	return root, nil
}

// permissionsOf is what the mount's needs follow from, by all its records.
func (b *Backend) permissionsOf(ctx context.Context, storage logical.Storage, root permissions.Root) (*permissions.Mount, error) {
	records := store.Records{Storage: storage}
	m := &permissions.Mount{Root: root, Roles: map[string]*store.Role{}, Static: map[string]*store.StaticRole{}}
	var err error
	if m.Config, _, err = records.RootConfig(ctx); err != nil {
		return nil, err
	}
	roles, err := records.RoleNames(ctx)
	if err != nil {
		return nil, err
	}
	if err := readAll(ctx, roles, m.Roles, records.Role); err != nil {
		return nil, err
	}
	statics, err := records.StaticRoleNames(ctx)
	if err != nil {
		return nil, err
	}
	if err := readAll(ctx, statics, m.Static, records.StaticRole); err != nil {
		return nil, err
	}
	return m, b.addNames(m, roles)
}

// readAll reads records by name; one that is gone is left out.
func readAll[R any](ctx context.Context, names []string, to map[string]*R, read func(context.Context, string) (*R, error)) error {
	for _, name := range names {
		record, err := read(ctx, name)
		if err != nil {
			return err
		}
		if record != nil {
			to[name] = record
		}
	}
	return nil
}

// addNames says how the names of users begin. A template that makes none begins
// with nothing, which Refusals refuses where it matters.
func (b *Backend) addNames(m *permissions.Mount, roles []string) error {
	names, err := naming.Parse(diagnose.TemplateOf(m.Config), b.options.Clock.Now)
	if err != nil {
		return invalid("config/root: %v", err)
	}
	m.NamesUnique = names.WorstCaseBits() >= naming.UniqueBits
	m.UserPrefix, _ = names.Prefix(naming.IAM, roles)
	m.FederatedPrefix, _ = names.Prefix(naming.STS, nil)
	return nil
}

func featuresOf(needs []permissions.Need) []string {
	features := []string{}
	for _, need := range needs {
		if len(features) == 0 || features[len(features)-1] != need.Feature {
			features = append(features, need.Feature)
		}
	}
	return features
}

// policyWarnings tells what the policy cannot say.
func policyWarnings(m *permissions.Mount, text string) (warnings []string) {
	if text == "" {
		warnings = append(warnings, "nothing is configured that needs a permission: write roles first")
	}
	if n := policy.Size(text); n > permissions.MaxManaged {
		warnings = append(warnings, fmt.Sprintf("the policy has %d characters and AWS takes %d of a managed policy: divide its statements between several", n, permissions.MaxManaged))
	}
	if m.Root.AccountRoot() {
		warnings = append(warnings, "these are keys of the AWS account's root user, whom no policy limits: make an IAM user with this policy (send arn= of it) and write its keys to config/root")
	}
	if names := m.FederatedRoles(); len(names) > 0 {
		warnings = append(warnings, fmt.Sprintf("AWS gives a federation token only what the root user may do, too: allow it what the tokens of %s are for, beside this policy", strings.Join(names, ", ")))
	}
	return warnings
}
