package backend

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"vault-plugin-secrets-aws/backend/awsclient"
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
		Fields:         configRootFields,
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

var configRootFields = map[string]*framework.FieldSchema{
	"access_key": {
		Type:        framework.TypeString,
		Description: "Access key id of the root credentials. Without access_key and secret_key the Vault server's own AWS credentials are used.",
	},
	"secret_key": {
		Type:         framework.TypeString,
		Description:  "Secret access key of the root credentials. Never returned.",
		DisplayAttrs: &framework.DisplayAttributes{Sensitive: true},
	},
	"region": {
		Type:        framework.TypeString,
		Description: "AWS region, such as eu-west-1. IAM is reached in the home region of its partition. Default: us-east-1.",
	},
	"iam_endpoint": {
		Type:        framework.TypeString,
		Description: "URL of the IAM endpoint, where the default of the region does not fit.",
	},
	"sts_endpoint": {
		Type:        framework.TypeString,
		Description: "URL of the STS endpoint, where the default of the region does not fit.",
	},
	"sts_region": {
		Type:        framework.TypeString,
		Description: "Region of STS, if it is not region.",
	},
	"sts_fallback_endpoints": {
		Type:        framework.TypeCommaStringSlice,
		Description: "URLs of STS endpoints to try, in order, when the first does not answer. As many as sts_fallback_regions.",
	},
	"sts_fallback_regions": {
		Type:        framework.TypeCommaStringSlice,
		Description: "Regions of sts_fallback_endpoints, in the same order.",
	},
	"max_retries": {
		Type:        framework.TypeInt,
		Default:     store.SDKRetries,
		Description: "How often a failed AWS call is repeated; -1 leaves it to the AWS SDK. Calls that create are repeated only when throttled.",
	},
	"username_template": {
		Type:        framework.TypeString,
		Description: "Template of IAM user names and STS session names: at most 2048 bytes. Empty restores the default.",
	},
	"identity_token_audience": {
		Type:        framework.TypeString,
		Description: "Audience of the identity tokens that are exchanged for credentials of role_arn, instead of access_key. Needs a server that issues them.",
	},
	"identity_token_ttl": {
		Type:        framework.TypeDurationSecond,
		Description: "Life of those tokens. Default: 1h.",
	},
	"rotation_schedule": {
		Type:        framework.TypeString,
		Description: "When the root key is rotated: five fields of cron, in UTC. Excludes rotation_period. Empty clears it.",
	},
	"rotation_window": {
		Type:        framework.TypeDurationSecond,
		Description: "How long after a time of rotation_schedule the rotation may still happen: at least 1h. 0: until it succeeds.",
	},
	"rotation_period": {
		Type:        framework.TypeDurationSecond,
		Description: "How long a root key is used before it is rotated: at least 10s. Excludes rotation_schedule. 0 clears it.",
	},
	"disable_automated_rotation": {
		Type:        framework.TypeBool,
		Description: "Keeps the schedule or period, and does not rotate.",
	},
	"allowed_policy_arns": {
		Type:        framework.TypeCommaStringSlice,
		Description: "Patterns of the policy_arns that roles may have; * stands for any text. Empty: no limit.",
	},
	"allowed_role_arns": {
		Type:        framework.TypeCommaStringSlice,
		Description: "Patterns of the role_arns that roles may have; * stands for any text. Empty: no limit.",
	},
	"allowed_user_paths": {
		Type:        framework.TypeCommaStringSlice,
		Description: "Patterns of the user_path that roles may have; * stands for any text. Empty: no limit.",
	},
	"required_permissions_boundary_arn": {
		Type:        framework.TypeString,
		Description: "The permissions_boundary_arn that every iam_user role must have. Empty: no limit.",
	},
	"role_arn": {
		Type:        framework.TypeString,
		Description: "ARN of the IAM role for workload identity federation. Has no effect without identity_token_audience.",
	},
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
		"required_permissions_boundary_arn": c.RequiredPermissionsBoundaryARN,
		"access_key":                        c.AccessKey,
		"region":                            c.Region,
		"iam_endpoint":                      c.IAMEndpoint,
		"sts_endpoint":                      c.STSEndpoint,
		"sts_region":                        c.STSRegion,
		"sts_fallback_endpoints":            list(c.STSFallbackEndpoints),
		"sts_fallback_regions":              list(c.STSFallbackRegions),
		"max_retries":                       c.MaxRetries,
		"username_template":                 templateOf(c),
		"role_arn":                          c.RoleARN,
		"identity_token_audience":           c.IdentityTokenAudience,
		"identity_token_ttl":                int64(c.IdentityTokenTTL.Seconds()),
		"rotation_schedule":                 c.RotationSchedule,
		"rotation_window":                   c.RotationWindow.Seconds(),
		"rotation_period":                   c.RotationPeriod.Seconds(),
		"disable_automated_rotation":        c.DisableAutomatedRotation,
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
	names, err := naming.Parse(templateOf(c), b.options.Clock.Now)
	return err == nil && names.WorstCaseBits() >= naming.UniqueBits
}

// writeConfigRoot handles a create or update of config/root: fields that are not
// sent keep their values.
func (b *Backend) writeConfigRoot(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	c, err := b.changeConfigRoot(ctx, req, d)
	if err != nil {
		return nil, err
	}
	return warn(append(b.configRootWarnings(c, d), b.identityWarnings(ctx, req.Storage, d)...)), nil
}

func (b *Backend) changeConfigRoot(ctx context.Context, req *logical.Request, d *framework.FieldData) (*store.RootConfig, error) {
	records := store.Records{Storage: req.Storage}
	b.writing.Lock()
	defer b.writing.Unlock()
	c, _, err := records.RootConfig(ctx)
	if err != nil {
		return nil, err
	}
	before := *c
	if err := b.mergeConfigRoot(ctx, c, d); err != nil {
		return nil, err
	}
	if rescheduled(&before, c) {
		if err := b.schedule(ctx, req, c); err != nil {
			return nil, err
		}
	}
	return c, records.PutRootConfig(ctx, c)
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
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.([]string)
		}
	}
	if v, ok := d.GetOk("max_retries"); ok {
		c.MaxRetries = v.(int)
	}
	if newAccessKey && !newSecretKey && c.AccessKey != old {
		return invalid("secret_key is required with a new access_key: send both")
	}
	if err := b.checkConfigRoot(c, d); err != nil {
		return err
	}
	return b.mergeWebIdentity(ctx, c, d)
}

// regionShape is what may be a region, of AWS or of another server.
var regionShape = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// maxRetries keeps a request within its deadline.
const maxRetries = 100

func (b *Backend) checkConfigRoot(c *store.RootConfig, d *framework.FieldData) error {
	if err := checkKeyPair(c, d); err != nil {
		return err
	}
	for _, field := range sent(d, "region", "sts_region", "sts_fallback_regions") {
		if !regionShape.MatchString(field.value) {
			return invalid("%s %q is not a region: it must be 1 to 40 of a-z, 0-9 and -, such as eu-west-1", field.name, field.value)
		}
	}
	for _, field := range sent(d, "iam_endpoint", "sts_endpoint", "sts_fallback_endpoints") {
		if err := awsclient.CheckEndpoint(field.value); err != nil {
			return invalid("%s %q %v", field.name, field.value, err)
		}
	}
	if len(c.STSFallbackEndpoints) != len(c.STSFallbackRegions) && anySent(d, "sts_fallback_endpoints", "sts_fallback_regions") {
		return invalid("sts_fallback_endpoints and sts_fallback_regions must be the same length: they have %d and %d elements",
			len(c.STSFallbackEndpoints), len(c.STSFallbackRegions))
	}
	if anySent(d, "max_retries") && (c.MaxRetries < store.SDKRetries || c.MaxRetries > maxRetries) {
		return invalid("max_retries %d is out of range: -1 (the SDK's default) to %d", c.MaxRetries, maxRetries)
	}
	if err := mergeRotation(c, d); err != nil {
		return err
	}
	return b.checkTemplate(c, d)
}

func checkKeyPair(c *store.RootConfig, d *framework.FieldData) error {
	switch {
	case !anySent(d, "access_key", "secret_key"):
		return nil
	case c.AccessKey != "" && c.SecretKey == "":
		return invalid("secret_key is required with access_key: send both, or neither to use the server's own credentials")
	case c.AccessKey == "" && c.SecretKey != "":
		return invalid("access_key is required with secret_key: send both, or both empty to use the server's own credentials")
	}
	return nil
}

func (b *Backend) checkTemplate(c *store.RootConfig, d *framework.FieldData) error {
	if !anySent(d, "username_template") || c.UsernameTemplate == "" {
		return nil
	}
	names, err := naming.Parse(c.UsernameTemplate, b.options.Clock.Now)
	if err == nil {
		err = names.Validate()
	}
	if err != nil {
		return invalid("%v", err)
	}
	return nil
}

// sentValue is a non-empty value of a request; an empty one clears the field.
type sentValue struct{ name, value string }

func sent(d *framework.FieldData, fields ...string) (values []sentValue) {
	for _, field := range fields {
		v, _ := d.GetOk(field)
		switch v := v.(type) {
		case string:
			if v != "" {
				values = append(values, sentValue{field, v})
			}
		case []string:
			for _, element := range v {
				values = append(values, sentValue{field, element})
			}
		}
	}
	return values
}

func anySent(d *framework.FieldData, fields ...string) bool {
	for _, field := range fields {
		if _, ok := d.GetOk(field); ok {
			return true
		}
	}
	return false
}

// configRootWarnings tells what the request sets that will not do what its
// writer may expect.
func (b *Backend) configRootWarnings(c *store.RootConfig, d *framework.FieldData) (warnings []string) {
	for _, field := range sent(d, "region", "sts_region", "sts_fallback_regions") {
		if !awsclient.KnownRegion(field.value) {
			warnings = append(warnings, fmt.Sprintf("%s %q is no region of AWS that this version knows; requests are signed for it as it is", field.name, field.value))
		}
	}
	for _, field := range sent(d, "iam_endpoint", "sts_endpoint", "sts_fallback_endpoints") {
		if awsclient.Insecure(field.value) {
			warnings = append(warnings, fmt.Sprintf("%s %q is not encrypted: credentials cross the network in the clear", field.name, field.value))
		}
	}
	if anySent(d, "role_arn") && c.RoleARN != "" && c.IdentityTokenAudience == "" {
		warnings = append(warnings, "role_arn has no effect without identity_token_audience")
	}
	if anySent(d, "access_key") && strings.HasPrefix(c.AccessKey, "ASIA") {
		warnings = append(warnings, "access_key is a temporary one (ASIA…), and config/root has no field for its session token: AWS will refuse it. Use an IAM user's key, or the server's own credentials")
	}
	if anySent(d, rotationFields...) && c.Scheduled() && c.AccessKey == "" {
		warnings = append(warnings, "rotation has no effect: config/root holds no access_key, so there is no key to rotate")
	}
	return append(warnings, b.templateWarnings(c, d)...)
}

func (b *Backend) templateWarnings(c *store.RootConfig, d *framework.FieldData) []string {
	if !anySent(d, "username_template") || c.UsernameTemplate == "" {
		return nil
	}
	names, err := naming.Parse(c.UsernameTemplate, b.options.Clock.Now)
	if err != nil {
		return nil
	}
	return names.Warnings()
}

// warn makes an answer of warnings; none at all is an empty answer (204).
func warn(warnings []string) *logical.Response {
	if len(warnings) == 0 {
		return nil
	}
	return &logical.Response{Warnings: warnings}
}
