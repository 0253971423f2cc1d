package backend

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/go-secure-stdlib/parseutil"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/rotation"
)

// pathListStaticRoles serves static-roles: the names of all static roles.
func (b *Backend) pathListStaticRoles() *framework.Path {
	return &framework.Path{
		Pattern: "static-roles/?$",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ListOperation: operation(b.listStaticRoles, "List the names of all static roles."),
		},
		HelpSynopsis:    "List the static roles.",
		HelpDescription: help("static_role.txt"),
	}
}

// pathStaticRole serves static-roles/<name>: an IAM user whose key is rotated.
func (b *Backend) pathStaticRole() *framework.Path {
	return &framework.Path{
		Pattern: "static-roles/" + framework.GenericNameWithAtRegex("name"),
		Fields:  staticRoleFields(),
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   operation(b.readStaticRole, "Read a static role."),
			logical.UpdateOperation: forwarded(operation(b.writeStaticRole, "Take over an IAM user, or change when its key is rotated.")),
			logical.DeleteOperation: forwarded(operation(b.deleteStaticRole, "Delete a static role and its keys in AWS.")),
		},
		HelpSynopsis:    "Take over an IAM user and rotate its access key.",
		HelpDescription: help("static_role.txt"),
	}
}

func staticRoleFields() map[string]*framework.FieldSchema {
	return map[string]*framework.FieldSchema{
		"name":                     {Type: framework.TypeString, Description: "Name of the static role."},
		"username":                 {Type: framework.TypeString, Description: "Name of the IAM user. Required for a new role; it cannot change."},
		"rotation_period":          {Type: framework.TypeDurationSecond, Description: "How long a key is used before it is rotated: at least 60s, or 0 for rotation_schedule or by hand only. Required for a new role without rotation_schedule."},
		"rotation_schedule":        {Type: framework.TypeString, Description: "When the key is rotated: five fields of cron, in UTC. Excludes rotation_period."},
		"grace":                    {Type: framework.TypeString, Description: `How long the previous key stays valid after a rotation, such as "1h"; 0: not at all. Empty: until the next rotation.`},
		"key_adoption":             {Type: framework.TypeString, Description: "What to do with a new user who has two keys: replace_inactive (default), replace_oldest or fail."},
		"assume_role_arn":          {Type: framework.TypeString, Description: "ARN of an IAM role in the user's account, for a user of another account. It cannot change."},
		"assume_role_session_name": {Type: framework.TypeString, Description: "Name of the session of assume_role_arn."},
		"external_id":              {Type: framework.TypeString, Description: "External id that the trust policy of assume_role_arn asks for."},
	}
}

// listStaticRoles handles a list of static roles.
func (b *Backend) listStaticRoles(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	names, err := store.Records{Storage: req.Storage}.StaticRoleNames(ctx)
	if err != nil {
		return nil, err
	}
	return logical.ListResponse(names), nil
}

// readStaticRole handles a read of static-roles/<name>.
func (b *Backend) readStaticRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	role, err := store.Records{Storage: req.Storage}.StaticRole(ctx, d.Get("name").(string))
	if err != nil || role == nil {
		return nil, err
	}
	return staticRoleResponse(role), nil
}

func staticRoleResponse(role *store.StaticRole) *logical.Response {
	data := map[string]any{
		"name":                     role.Name,
		"id":                       role.ID,
		"username":                 role.Username,
		"rotation_period":          int64(role.RotationPeriod.Seconds()),
		"rotation_schedule":        role.RotationSchedule,
		"key_adoption":             string(adoption(role)),
		"grace":                    nil,
		"assume_role_arn":          role.AssumeRoleARN,
		"assume_role_session_name": role.AssumeRoleSessionName,
		"external_id":              role.ExternalID,
	}
	if role.Grace != nil {
		data["grace"] = int64(role.Grace.Seconds())
	}
	return &logical.Response{Data: data}
}

func adoption(role *store.StaticRole) lifecycle.Adoption {
	if role.KeyAdoption == "" {
		return lifecycle.ReplaceInactive
	}
	return lifecycle.Adoption(role.KeyAdoption)
}

// writeStaticRole handles an update of static-roles/<name>. A new role is stored
// together with its first key; AWS is asked under the role's own lock only.
func (b *Backend) writeStaticRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
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
		role, err = b.takeOver(ctx, req.Storage, d)
	} else {
		err = b.changeStaticRole(ctx, req.Storage, role, d)
	}
	if err != nil {
		return nil, err
	}
	return staticRoleResponse(role), nil
}

// mergeStaticRole puts the fields of a request into the role and checks them.
func mergeStaticRole(role *store.StaticRole, d *framework.FieldData, now time.Time) error {
	for field, to := range map[string]*string{
		"username": &role.Username, "rotation_schedule": &role.RotationSchedule, "key_adoption": &role.KeyAdoption,
		"assume_role_arn": &role.AssumeRoleARN, "assume_role_session_name": &role.AssumeRoleSessionName, "external_id": &role.ExternalID,
	} {
		if v, ok := d.GetOk(field); ok {
			*to = v.(string)
		}
	}
	if v, ok := d.GetOk("rotation_period"); ok {
		role.RotationPeriod = time.Duration(v.(int)) * time.Second
	}
	if v, ok := d.GetOk("grace"); ok {
		grace, err := graceOf(v.(string))
		if err != nil {
			return err
		}
		role.Grace = grace
	}
	return checkStaticRole(role, now)
}

func graceOf(text string) (*time.Duration, error) {
	if text == "" {
		return nil, nil
	}
	grace, err := parseutil.ParseDurationSecond(text)
	if err != nil || grace < 0 {
		return nil, invalid("grace %q is not a duration such as 1h or 0; empty keeps the previous key until the next rotation", text)
	}
	return &grace, nil
}

// minStaticPeriod is the built-in engine's.
const minStaticPeriod = time.Minute

func checkStaticRole(role *store.StaticRole, now time.Time) error {
	switch {
	case role.Username == "":
		return invalid("username is required: the name of an IAM user")
	case role.RotationPeriod != 0 && role.RotationPeriod < minStaticPeriod:
		return invalid("rotation_period %s is out of range: it must be at least %s, or 0", role.RotationPeriod, minStaticPeriod)
	case role.RotationPeriod != 0 && role.RotationSchedule != "":
		return invalid("rotation_period and rotation_schedule exclude each other: clear one")
	case !slices.Contains(lifecycle.Adoptions, adoption(role)):
		return invalid("key_adoption %q is not one of replace_inactive, replace_oldest, fail", role.KeyAdoption)
	case role.AssumeRoleARN == "" && (role.AssumeRoleSessionName != "" || role.ExternalID != ""):
		return invalid("assume_role_session_name and external_id need assume_role_arn: send it too, or clear them")
	}
	return checkStaticSchedule(role, now)
}

// checkStaticSchedule also notes the period that comes closest to the schedule.
func checkStaticSchedule(role *store.StaticRole, now time.Time) error {
	role.BuiltinPeriod = 0
	if role.RotationSchedule == "" {
		return nil
	}
	cron, err := rotation.DefaultScheduler.Parse(role.RotationSchedule)
	if err != nil {
		return invalid("rotation_schedule is not five fields of cron: %v", err)
	}
	first := cron.Next(now.UTC())
	if first.IsZero() {
		return invalid("rotation_schedule %q never comes: choose a day that its months have", role.RotationSchedule)
	}
	role.BuiltinPeriod = cron.Next(first).Sub(first)
	return nil
}

// takeOver makes the first key for a user and stores role and key.
func (b *Backend) takeOver(ctx context.Context, storage logical.Storage, d *framework.FieldData) (*store.StaticRole, error) {
	role := &store.StaticRole{Name: d.Get("name").(string)}
	if err := mergeStaticRole(role, d, b.options.Clock.Now()); err != nil {
		return nil, err
	}
	if !anySent(d, "rotation_period", "rotation_schedule") {
		return nil, invalid("rotation_period is required for a new static role: a duration of at least 60s, or 0 to rotate by hand only")
	}
	a, err := b.staticAccess(ctx, storage, role)
	if err != nil {
		return nil, err
	}
	user, err := a.client.FindUser(ctx, role.Username)
	if err != nil {
		return nil, err
	}
	role.ID, role.Account = user.ID, user.Account()
	unlock, err := b.staticRoles.Lock(ctx, "user "+role.ID)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := b.mayTakeOver(ctx, a, role, user); err != nil {
		return nil, err
	}
	if err := b.rotateStatic(ctx, a, role); err != nil {
		return nil, errors.Join(err, forgetKeyless(context.WithoutCancel(ctx), a.records, role))
	}
	return role, nil
}

// forgetKeyless removes a new role whose first key could not be stored.
func forgetKeyless(ctx context.Context, records store.Records, role *store.StaticRole) error {
	creds, err := records.StaticCreds(ctx, role.Name)
	if err != nil || creds != nil {
		return err
	}
	return records.DeleteStaticRole(ctx, role.Name)
}

// changeStaticRole stores what a request changes of a role: not whose key it is.
func (b *Backend) changeStaticRole(ctx context.Context, storage logical.Storage, role *store.StaticRole, d *framework.FieldData) error {
	before := *role
	if err := mergeStaticRole(role, d, b.options.Clock.Now()); err != nil {
		return err
	}
	if role.Username != before.Username || role.AssumeRoleARN != before.AssumeRoleARN {
		return invalid("username and assume_role_arn of static role %q cannot change: delete the role and write another", role.Name)
	}
	records := store.Records{Storage: storage}
	config, _, err := records.RootConfig(ctx)
	if err != nil {
		return err
	}
	if problems := config.ForbidsStatic(role); len(problems) > 0 {
		return invalid("%s", strings.Join(problems, "; "))
	}
	creds, err := records.StaticCreds(ctx, role.Name)
	if err != nil {
		return err
	}
	if creds != nil && (role.RotationPeriod != before.RotationPeriod || role.RotationSchedule != before.RotationSchedule) {
		creds.Expiration = nextStatic(role, b.lastRotation(creds))
		if err := records.PutStaticCreds(ctx, role.Name, creds); err != nil {
			return err
		}
	}
	return records.PutStaticRole(ctx, role)
}

// deleteStaticRole handles a delete of static-roles/<name>. The records go last:
// a key that AWS does not let us delete is not forgotten.
func (b *Backend) deleteStaticRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	unlock, err := b.staticRoles.Lock(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	records := store.Records{Storage: req.Storage}
	role, err := records.StaticRole(ctx, name)
	if err != nil || role == nil {
		return nil, err
	}
	creds, err := records.StaticCreds(ctx, name)
	if err != nil {
		return nil, err
	}
	// A write before the act: a deposed leader cannot write, so cannot act.
	if err := records.PutStaticRole(ctx, role); err != nil {
		return nil, err
	}
	if creds != nil {
		if err := b.deleteStaticKeys(ctx, req.Storage, role, creds); err != nil {
			return nil, err
		}
	}
	return nil, records.DeleteStaticRole(ctx, name)
}

func (b *Backend) deleteStaticKeys(ctx context.Context, storage logical.Storage, role *store.StaticRole, creds *store.StaticCreds) error {
	a, err := b.staticAccess(ctx, storage, role)
	if err != nil {
		return err
	}
	keys := []string{creds.AccessKey}
	if creds.PreviousKey != "" {
		keys = append(keys, creds.PreviousKey)
	}
	if err := a.spareRootKey(keys...); err != nil {
		return err
	}
	return b.users.DeleteStatic(ctx, a.client, role.Username, keys...)
}
