package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// pathStaticCreds serves static-creds/<name>: the key of a static role. It has no
// lease: the key is everybody's who may read it, until it is rotated.
func (b *Backend) pathStaticCreds() *framework.Path {
	return &framework.Path{
		Pattern: "static-creds/" + framework.GenericNameWithAtRegex("name"),
		Fields:  map[string]*framework.FieldSchema{"name": {Type: framework.TypeString, Description: "Name of the static role."}},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: operation(b.readStaticCreds, "Read the key of a static role."),
		},
		HelpSynopsis:    "Read the access key of a static role.",
		HelpDescription: help("static_creds.txt"),
	}
}

// pathRotateRole serves rotate-role/<name>: a new key for a static role, now.
func (b *Backend) pathRotateRole() *framework.Path {
	return &framework.Path{
		Pattern: "rotate-role/" + framework.GenericNameWithAtRegex("name"),
		Fields:  map[string]*framework.FieldSchema{"name": {Type: framework.TypeString, Description: "Name of the static role."}},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: forwarded(operation(b.rotateRole, "Rotate the key of a static role.")),
		},
		HelpSynopsis:    "Rotate the access key of a static role now.",
		HelpDescription: help("rotate_role.txt"),
	}
}

// readStaticCreds handles a read of static-creds/<name>.
func (b *Backend) readStaticCreds(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	records, name := store.Records{Storage: req.Storage}, d.Get("name").(string)
	creds, err := records.StaticCreds(ctx, name)
	if err != nil || creds == nil {
		return nil, err
	}
	role, err := records.StaticRole(ctx, name)
	if err != nil || role == nil {
		return nil, err
	}
	now := b.options.Clock.Now()
	if r := (staticRecord{role, creds}); r.unscheduled(now) {
		creds.Expiration = nextStatic(role, b.lastRotation(creds)) // as the worker writes it down within a minute
	}
	data := map[string]any{
		"access_key":           creds.AccessKey,
		"secret_key":           creds.SecretKey,
		"rotation_period":      int64(role.RotationPeriod.Seconds()),
		"expiration":           timeOrNull(creds.Expiration),
		"ttl":                  nil,
		"last_vault_rotation":  nil,
		"previous_valid_until": nil,
		"last_rotation_error":  creds.LastError,
	}
	if creds.Expiration != nil {
		data["ttl"] = int64(max(creds.Expiration.Sub(now), 0).Seconds())
	}
	if !creds.LastRotation.IsZero() {
		data["last_vault_rotation"] = moment(creds.LastRotation)
	}
	if creds.PreviousKey != "" && !creds.PreviousInactive {
		data["previous_valid_until"] = timeOrNull(creds.PreviousValidUntil)
	}
	return &logical.Response{Data: data}, nil
}

func timeOrNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return moment(*t)
}

// rotateRole handles an update of rotate-role/<name>.
func (b *Backend) rotateRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	unlock, err := b.staticRoles.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	role, err := store.Records{Storage: req.Storage}.StaticRole(ctx, name)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, invalid("static role %q not found: check its name, or write static-roles/%s first", name, name)
	}
	a, err := b.staticAccess(ctx, req.Storage, role)
	if err != nil {
		return nil, err
	}
	return nil, b.rotateStatic(ctx, a, role)
}
