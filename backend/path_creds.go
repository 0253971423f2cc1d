package backend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathCreds serves creds/<name> and sts/<name>: a new credential of a role. The
// two are the same but for legacy roles.
func (b *Backend) pathCreds() *framework.Path {
	return &framework.Path{
		Pattern: "(creds|sts)/" + framework.GenericNameWithAtRegex("name"),
		Fields: map[string]*framework.FieldSchema{
			"name": {
				Type:        framework.TypeString,
				Description: "Name of the role.",
			},
			"role_arn": {
				Type:        framework.TypeString,
				Description: "ARN of the IAM role to assume: one of the role's role_arns. Needed when there are several. assumed_role only.",
				Query:       true,
			},
			"ttl": {
				Type:        framework.TypeDurationSecond,
				Default:     int(defaultTTL.Seconds()),
				Description: "Life of the session, up to the role's max_sts_ttl; or of an IAM user whose role has default_ttl or max_ttl. Other IAM users live by config/lease.",
				Query:       true,
			},
			"role_session_name": {
				Type:        framework.TypeString,
				Description: "Name of the session in AWS; at most 64 characters are used. Default: by username_template. Not if the role has role_session_name_template. assumed_role only.",
				Query:       true,
			},
			"mfa_code": {
				Type:        framework.TypeString,
				Description: "Code of the role's MFA device. session_token only.",
				Query:       true,
			},
			"format": formatField(),
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   activeOnly(operation(formatted(b.readCreds), "Issue a credential of the role.")),
			logical.UpdateOperation: activeOnly(operation(formatted(b.readCreds), "Issue a credential of the role.")),
		},
		HelpSynopsis:    "Issue a credential of a role.",
		HelpDescription: help("creds.txt"),
	}
}

// order is one request for a credential.
type order struct {
	*framework.FieldData

	storage     logical.Storage
	displayName string // of the Vault token that asks
	bearer      lifecycle.Bearer
	roleName    string
	role        *store.Role
	root        *root
	begun       time.Time            // when issuing did
	kind        store.CredentialType // of the role; "" until that is known
}

// credentialType is how one credential type is issued. A new type is a row in
// credentialTypeTable and a file.
type credentialType struct {
	issue func(b *Backend, ctx context.Context, o *order) (*logical.Response, error)
	takes []string // the parameters of the request that have an effect
}

func credentialTypeTable() map[store.CredentialType]credentialType {
	return map[store.CredentialType]credentialType{
		store.IAMUser:         {issue: (*Backend).issueUser},
		store.AssumedRole:     {issue: (*Backend).assumeRole, takes: []string{"role_arn", "ttl", "role_session_name", "format"}},
		store.FederationToken: {issue: (*Backend).federationToken, takes: []string{"ttl", "format"}},
		store.SessionToken:    {issue: (*Backend).sessionToken, takes: []string{"ttl", "mfa_code", "format"}},
	}
}

// readCreds handles a read or update of creds/<name> and sts/<name>.
func (b *Backend) readCreds(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	o := &order{FieldData: d, storage: req.Storage, displayName: req.DisplayName, roleName: d.Get("name").(string)}
	o.bearer = lifecycle.Bearer{Role: o.roleName, EntityID: req.EntityID, DisplayName: req.DisplayName, RequestID: req.ID}
	resp, err := b.serve(ctx, req, o)
	b.tellOrder(o, resp, err)
	return resp, err
}

// serve issues the credential of an order.
func (b *Backend) serve(ctx context.Context, req *logical.Request, o *order) (*logical.Response, error) {
	ctx = governor.For(ctx, governor.Issue, requester(req))
	var err error
	if o.role, err = (store.Records{Storage: req.Storage}).Role(ctx, o.roleName); err != nil {
		return nil, err
	}
	if o.role == nil {
		return nil, invalid("Role %q not found: check its name, or write roles/%s first", o.roleName, o.roleName)
	}
	t, err := o.credentialType(req.Path)
	if err != nil {
		return nil, err
	}
	if err := o.checkFormat(t); err != nil {
		return nil, err
	}
	if o.root, err = b.root(ctx, req.Storage); err != nil {
		return nil, err
	}
	if problems := o.root.config.Forbids(o.role); len(problems) > 0 {
		return nil, invalid("role %q: %s", o.roleName, strings.Join(problems, "; "))
	}
	resp, err := b.issue(ctx, t, o)
	if err != nil {
		return nil, err
	}
	for _, warning := range o.unused(t) {
		resp.AddWarning(warning)
	}
	return resp, nil
}

// issue issues the credential; once more, if the root key was rotated meanwhile:
// the one that the request began with is gone then.
func (b *Backend) issue(ctx context.Context, t credentialType, o *order) (*logical.Response, error) {
	resp, err := t.issue(b, ctx, o)
	if !errors.Is(err, awserr.UnknownKey) {
		return resp, err
	}
	latest, rootErr := b.root(ctx, o.storage)
	if rootErr != nil || latest.config.AccessKey == o.root.config.AccessKey {
		return resp, err
	}
	o.root = latest
	return t.issue(b, ctx, o)
}

// requester is who asks, as far as taking turns goes: the entity, or the token
// of one that has none.
func requester(req *logical.Request) string {
	return cmp.Or(req.EntityID, req.ClientTokenAccessor, req.DisplayName)
}

// credentialType chooses the type: the role's one; of a legacy role with two,
// the path's.
func (o *order) credentialType(path string) (credentialType, error) {
	viaSTS := strings.HasPrefix(path, "sts/")
	if o.role.ProhibitFlexibleCredPath {
		if err := o.checkLegacyPath(viaSTS); err != nil {
			return credentialType{}, err
		}
	}
	chosen := store.CredentialType("")
	switch {
	case len(o.role.CredentialTypes) == 1:
		chosen = o.role.CredentialTypes[0]
	case viaSTS && o.role.Issues(store.FederationToken):
		chosen = store.FederationToken
	case !viaSTS && o.role.Issues(store.IAMUser):
		chosen = store.IAMUser
	}
	t, ok := credentialTypeTable()[chosen]
	if !ok {
		return t, invalid("unknown credential_type of role %q: write the role again with credential_type", o.roleName)
	}
	o.kind = chosen
	return t, nil
}

// checkLegacyPath keeps a legacy role to the path it was written for.
func (o *order) checkLegacyPath(viaSTS bool) error {
	switch {
	case viaSTS && !o.role.IssuesAny([]store.CredentialType{store.AssumedRole, store.FederationToken}):
		return invalid("role %q gives out IAM users and was written with the deprecated policy or arn: read creds/%s, or, for a federation token, write the role again with credential_type=federation_token", o.roleName, o.roleName)
	case !viaSTS && !o.role.Issues(store.IAMUser):
		return invalid("role %q gives out STS credentials and was written with the deprecated policy or arn: read sts/%s, or write the role again with credential_type", o.roleName, o.roleName)
	}
	return nil
}

// unused warns of parameters that the request sends and the type does not take.
func (o *order) unused(t credentialType) (warnings []string) {
	for _, param := range []string{"role_arn", "ttl", "role_session_name", "mfa_code"} {
		if value := o.Raw[param]; value == nil || value == "" || slices.Contains(t.takes, param) || param == "ttl" && o.takesTTL() {
			continue
		}
		warning := fmt.Sprintf("%s has no effect on credential_type %s", param, credentialTypes(o.role))
		if param == "ttl" {
			warning += ", unless the role has default_ttl or max_ttl"
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// name makes a name by the mount's username_template.
func (o *order) name(t naming.Type) (naming.Name, error) {
	name, err := o.root.names.Name(naming.Inputs{Type: t, DisplayName: o.displayName, PolicyName: o.roleName})
	if err != nil {
		return name, invalid("config/root: %v", err)
	}
	return name, nil
}

const defaultTTL = time.Hour
