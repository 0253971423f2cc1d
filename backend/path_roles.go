package backend

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathListRoles serves roles: the names of all roles.
func (b *Backend) pathListRoles() *framework.Path {
	return &framework.Path{
		Pattern: "roles/?$",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ListOperation: operation(b.listRoles, "List the names of all roles."),
		},
		HelpSynopsis:    "List the roles.",
		HelpDescription: help("roles.txt"),
	}
}

// pathRole serves roles/<name>: what a credential may do. It has no existence
// check, so that every write is an update, as policies written for the built-in
// engine expect.
func (b *Backend) pathRole() *framework.Path {
	return &framework.Path{
		Pattern: "roles/" + framework.GenericNameWithAtRegex("name"),
		Fields:  roleFields(),
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   operation(b.readRole, "Read a role."),
			logical.UpdateOperation: operation(b.writeRole, "Write a role; fields that are not sent keep their values."),
			logical.DeleteOperation: operation(b.deleteRole, "Delete a role. Credentials it has given out live on."),
		},
		HelpSynopsis:    "Read, write and delete a role: what its credentials may do.",
		HelpDescription: help("role.txt"),
	}
}

// listRoles handles a list of roles.
func (b *Backend) listRoles(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	names, err := store.Records{Storage: req.Storage}.RoleNames(ctx)
	if err != nil {
		return nil, err
	}
	return logical.ListResponse(names), nil
}

// readRole handles a read of roles/<name>.
func (b *Backend) readRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	role, err := store.Records{Storage: req.Storage}.Role(ctx, d.Get("name").(string))
	if err != nil || role == nil {
		return nil, err
	}
	data := map[string]any{
		"credential_type":          credentialTypes(role),
		"policy_document":          role.PolicyDocument,
		"policy_arns":              list(role.PolicyARNs),
		"role_arns":                list(role.RoleARNs),
		"iam_groups":               list(role.IAMGroups),
		"iam_tags":                 pairs(role.IAMTags),
		"session_tags":             pairs(role.SessionTags),
		"external_id":              role.ExternalID,
		"expiry_policy":            role.ExpiryPolicy,
		"max_users":                role.MaxUsers,
		"default_ttl":              int64(role.DefaultTTL.Seconds()),
		"max_ttl":                  int64(role.MaxTTL.Seconds()),
		"propagation_timeout":      int64(role.PropagationTimeout.Seconds()),
		"propagation_regions":      list(role.PropagationRegions),
		"pool_size":                role.PoolSize,
		"pool_max_age":             int64(role.PoolMaxAge.Seconds()),
		"default_sts_ttl":          int64(role.DefaultSTSTTL.Seconds()),
		"max_sts_ttl":              int64(role.MaxSTSTTL.Seconds()),
		"user_path":                role.UserPath,
		"permissions_boundary_arn": role.PermissionsBoundaryARN,
		"mfa_serial_number":        role.MFASerialNumber,

		"role_session_name_template": role.RoleSessionNameTemplate,
		"source_identity_template":   role.SourceIdentityTemplate,
		"transitive_tag_keys":        list(role.TransitiveTagKeys),
	}
	if role.InvalidData != "" {
		data["invalid_data"] = role.InvalidData
	}
	return &logical.Response{Data: data}, nil
}

// credentialTypes is the type of a role; the two of a legacy one are joined by a
// comma, as the built-in engine does.
func credentialTypes(role *store.Role) string {
	names := make([]string, len(role.CredentialTypes))
	for i, t := range role.CredentialTypes {
		names[i] = string(t)
	}
	return strings.Join(names, ",")
}

// list and pairs answer empty instead of null.
func list(s []string) []string { return append([]string{}, s...) }

func pairs(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	maps.Copy(out, m)
	return out
}

// roleLock with a name is what writing locks of a role.
const roleLock = "role/"

// deleteRole handles a delete of roles/<name>.
func (b *Backend) deleteRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	unlock, err := b.writing.Lock(ctx, roleLock+name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	defer b.users.PoolsChanged()
	return nil, store.Records{Storage: req.Storage}.DeleteRole(ctx, name)
}

// writeRole handles an update of roles/<name>. A request with one of the
// deprecated fields replaces the role; an empty one counts as not sent, since
// clients of the time send both with every role.
func (b *Backend) writeRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	update := updateRole
	if len(sent(d, "policy", "arn")) > 0 {
		update = legacyUpdate
	}
	role, warnings, err := b.changeRole(ctx, store.Records{Storage: req.Storage}, d, update)
	if err != nil {
		return nil, err
	}
	return warn(slices.Concat(warnings, role.Warnings(), b.attributionWarnings(role), b.lifetimeWarnings(ctx, req.Storage, role), expiryWarnings(role), b.longTermWarnings(ctx, req.Storage, role), b.ruleWarnings(ctx, req.Storage, d.Get("name").(string), role))), nil
}

// roleUpdate makes the role to store of the stored one and a request.
type roleUpdate func(role *store.Role, d *framework.FieldData) (updated *store.Role, warnings []string, err error)

// changeRole reads, updates and writes a role; two requests at once do not lose
// each other's fields.
func (b *Backend) changeRole(ctx context.Context, records store.Records, d *framework.FieldData, update roleUpdate) (*store.Role, []string, error) {
	name := d.Get("name").(string)
	unlock, err := b.writing.Lock(ctx, roleLock+name)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	role, err := records.Role(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if role == nil {
		role = &store.Role{}
	}
	role, warnings, err := update(role, d)
	if err != nil {
		return nil, nil, err
	}
	config, _, err := records.RootConfig(ctx)
	if err != nil {
		return nil, nil, err
	}
	if problems := slices.Concat(role.Problems(), config.Forbids(role), b.attributionProblems(role)); len(problems) > 0 {
		return nil, nil, invalid("error(s) validating supplied role data: %s", strings.Join(problems, "; "))
	}
	defer b.users.PoolsChanged()
	return role, append(warnings, b.poolWarnings(config, role)...), b.putRole(ctx, records, name, role)
}

func updateRole(role *store.Role, d *framework.FieldData) (_ *store.Role, warnings []string, err error) {
	if role.InvalidData != "" {
		warnings = append(warnings, fmt.Sprintf("Invalid data of %q cleared out of role", role.InvalidData))
	}
	role.InvalidData, role.ProhibitFlexibleCredPath = "", false
	return role, warnings, mergeRole(role, d)
}

// mergeRole puts the fields of a request into the role.
func mergeRole(role *store.Role, d *framework.FieldData) error {
	if v, ok := d.GetOk("credential_type"); ok {
		role.CredentialTypes = []store.CredentialType{store.CredentialType(v.(string))}
	}
	for field, to := range map[string]*string{
		"external_id": &role.ExternalID, "user_path": &role.UserPath,
		"permissions_boundary_arn": &role.PermissionsBoundaryARN, "mfa_serial_number": &role.MFASerialNumber,
		"role_session_name_template": &role.RoleSessionNameTemplate, "source_identity_template": &role.SourceIdentityTemplate,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(string)
		}
	}
	for field, to := range map[string]*[]string{
		"policy_arns": &role.PolicyARNs, "role_arns": &role.RoleARNs, "iam_groups": &role.IAMGroups,
		"transitive_tag_keys": &role.TransitiveTagKeys, "propagation_regions": &role.PropagationRegions,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.([]string)
		}
	}
	for field, to := range map[string]*map[string]string{"iam_tags": &role.IAMTags, "session_tags": &role.SessionTags} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(map[string]string)
		}
	}
	for field, to := range map[string]*time.Duration{
		"default_sts_ttl": &role.DefaultSTSTTL, "max_sts_ttl": &role.MaxSTSTTL,
		"default_ttl": &role.DefaultTTL, "max_ttl": &role.MaxTTL,
		"propagation_timeout": &role.PropagationTimeout, "pool_max_age": &role.PoolMaxAge,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = time.Duration(v.(int)) * time.Second
		}
	}
	if v, ok := d.GetOk("expiry_policy"); ok {
		role.ExpiryPolicy = v.(bool)
	}
	for field, to := range map[string]*int{"max_users": &role.MaxUsers, "pool_size": &role.PoolSize} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(int)
		}
	}
	return mergePolicyDocument(role, d)
}

func mergePolicyDocument(role *store.Role, d *framework.FieldData) error {
	v, ok := d.GetOk("policy_document")
	if !ok {
		return nil
	}
	text := v.(string)
	if text == "" {
		role.PolicyDocument = ""
		return nil
	}
	doc, err := policy.Compact(text)
	if err != nil {
		return invalid("cannot parse policy document: %v", err)
	}
	role.PolicyDocument = doc
	return nil
}
