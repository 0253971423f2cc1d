package backend

import (
	"context"
	"maps"

	"vault-plugin-secrets-aws/backend/diagnose"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathConfigRoot serves config/root: the root credentials, and how AWS is
// reached with them.
func (b *Backend) pathConfigRoot() *framework.Path {
	return &framework.Path{
		Pattern:        "config/root",
		Fields:         configRootFields(),
		ExistenceCheck: b.configRootExists,
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   operation(b.readConfigRoot, "Read the root configuration, without its secret key."),
			logical.CreateOperation: forwarded(operation(b.writeConfigRoot, "Write the root configuration.")),
			logical.UpdateOperation: forwarded(operation(b.writeConfigRoot, "Change fields of the root configuration.")),
		},
		HelpSynopsis:    "Configure the root credentials and how AWS is reached.",
		HelpDescription: help("config_root.txt"),
	}
}

// forwarded has Vault run the operation on the primary cluster's active node.
func forwarded(op *framework.PathOperation) *framework.PathOperation {
	op.ForwardPerformanceStandby, op.ForwardPerformanceSecondary = true, true
	return op
}

// activeOnly has Vault run the operation on the cluster's active node. A standby
// can store no lease, so what it asked of AWS would be asked a second time. A
// secondary cluster issues by itself: its journal and its leases are its own.
func activeOnly(op *framework.PathOperation) *framework.PathOperation {
	op.ForwardPerformanceStandby = true
	return op
}

func (b *Backend) configRootExists(ctx context.Context, req *logical.Request, _ *framework.FieldData) (bool, error) {
	_, found, err := store.Records{Storage: req.Storage}.RootConfig(ctx)
	return found, err
}

// readConfigRoot handles a read of config/root.
func (b *Backend) readConfigRoot(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	c, found, err := store.Records{Storage: req.Storage}.RootConfig(ctx)
	if err != nil || !found {
		return nil, err
	}
	state, err := store.Records{Storage: req.Storage}.RotationState(ctx)
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"allowed_policy_arns":               list(c.AllowedPolicyARNs),
		"allowed_role_arns":                 list(c.AllowedRoleARNs),
		"allowed_user_paths":                list(c.AllowedUserPaths),
		"allowed_usernames":                 list(c.AllowedUsernames),
		"required_permissions_boundary_arn": c.RequiredPermissionsBoundaryARN,
		"access_key":                        c.AccessKey,
		"region":                            c.Region,
		"iam_endpoint":                      c.IAMEndpoint,
		"sts_endpoint":                      c.STSEndpoint,
		"sts_region":                        c.STSRegion,
		"sts_fallback_endpoints":            list(c.STSFallbackEndpoints),
		"sts_fallback_regions":              list(c.STSFallbackRegions),
		"max_retries":                       c.MaxRetries,
		"username_template":                 diagnose.TemplateOf(c),
		"role_arn":                          c.RoleARN,
		"identity_token_audience":           c.IdentityTokenAudience,
		"identity_token_ttl":                int64(c.IdentityTokenTTL.Seconds()),
		"rotation_schedule":                 c.RotationSchedule,
		"rotation_window":                   c.RotationWindow.Seconds(),
		"rotation_period":                   c.RotationPeriod.Seconds(),
		"disable_automated_rotation":        c.DisableAutomatedRotation,
		"iam_owner_tags":                    c.OwnerTags,
		"max_users":                         c.MaxUsers,
		"credential_source":                 b.credentialSource(ctx, req.Storage),
		"names_unique":                      b.namesUnique(c),
	}
	maps.Copy(data, rotationTimes(c, state))
	return &logical.Response{Data: data}, nil
}

// credentialSource says where the root credentials come from, or why there are
// none.
func (b *Backend) credentialSource(ctx context.Context, storage logical.Storage) string {
	root, err := b.root(ctx, storage)
	if err != nil {
		return "none: " + err.Error()
	}
	source, err := root.Source(ctx)
	if err != nil {
		return "none: " + err.Error()
	}
	return source.Name
}

// namesUnique reports whether every name that the template makes carries enough
// randomness of ours that a user of that name can only be ours.
func (b *Backend) namesUnique(c *store.RootConfig) bool {
	names, err := naming.Parse(diagnose.TemplateOf(c), b.options.Clock.Now)
	return err == nil && names.WorstCaseBits() >= naming.UniqueBits
}

// writeConfigRoot handles a create or update of config/root: fields that are not
// sent keep their values.
func (b *Backend) writeConfigRoot(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	c, err := b.changeConfigRoot(ctx, req, d)
	if err != nil {
		return nil, err
	}
	warnings := append(b.configRootWarnings(c, d), b.identityWarnings(ctx, req.Storage, d)...)
	b.connectAhead(req.Storage)
	return warn(warnings), nil
}

func (b *Backend) changeConfigRoot(ctx context.Context, req *logical.Request, d *framework.FieldData) (*store.RootConfig, error) {
	records := store.Records{Storage: req.Storage}
	unlock, err := b.writing.Lock(ctx, store.RootConfigKey)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, _, err := records.RootConfig(ctx)
	if err != nil {
		return nil, err
	}
	defer b.users.PoolsChanged()
	before := *c
	if err := b.mergeConfigRoot(ctx, c, d); err != nil {
		return nil, err
	}
	if !rescheduled(&before, c) {
		return c, records.PutRootConfig(ctx, c)
	}
	return c, b.scheduling(ctx, req, c)
}

// mergeConfigRoot checks the fields of a request and puts them into c. Only what
// is sent is checked: what is stored stays usable.
func (b *Backend) mergeConfigRoot(ctx context.Context, c *store.RootConfig, d *framework.FieldData) error {
	_, newAccessKey := d.GetOk("access_key")
	_, newSecretKey := d.GetOk("secret_key")
	old := c.AccessKey
	for field, to := range map[string]*string{
		"access_key": &c.AccessKey, "secret_key": &c.SecretKey, "region": &c.Region,
		"iam_endpoint": &c.IAMEndpoint, "sts_endpoint": &c.STSEndpoint, "sts_region": &c.STSRegion,
		"username_template": &c.UsernameTemplate, "role_arn": &c.RoleARN,
		"required_permissions_boundary_arn": &c.RequiredPermissionsBoundaryARN,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(string)
		}
	}
	for field, to := range map[string]*[]string{
		"sts_fallback_endpoints": &c.STSFallbackEndpoints, "sts_fallback_regions": &c.STSFallbackRegions,
		"allowed_policy_arns": &c.AllowedPolicyARNs, "allowed_role_arns": &c.AllowedRoleARNs, "allowed_user_paths": &c.AllowedUserPaths,
		"allowed_usernames": &c.AllowedUsernames,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.([]string)
		}
	}
	for field, to := range map[string]*int{"max_retries": &c.MaxRetries, "max_users": &c.MaxUsers} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(int)
		}
	}
	if v, ok := d.GetOk("iam_owner_tags"); ok {
		c.OwnerTags = v.(bool)
	}
	if newAccessKey && !newSecretKey && c.AccessKey != old {
		return invalid("secret_key is required with a new access_key: send both")
	}
	if err := b.checkConfigRoot(c, d); err != nil {
		return err
	}
	return b.mergeWebIdentity(ctx, c, d)
}

// warn makes an answer of warnings; none at all is an empty answer (204).
func warn(warnings []string) *logical.Response {
	if len(warnings) == 0 {
		return nil
	}
	return &logical.Response{Warnings: warnings}
}
