package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/rotation"
)

// Limits of the schedule, as Vault documents them.
const (
	minRotationPeriod = 10 * time.Second
	minRotationWindow = time.Hour
)

var rotationFields = []string{"rotation_schedule", "rotation_window", "rotation_period", "disable_automated_rotation"}

// mergeRotation puts the fields of a request that say when the root key is
// rotated into c, and checks them together with what is stored.
func (b *Backend) mergeRotation(c *store.RootConfig, d *framework.FieldData) error {
	if !anySent(d, rotationFields...) {
		return nil
	}
	if v, ok := d.GetOk("rotation_schedule"); ok {
		c.RotationSchedule = v.(string)
	}
	for field, to := range map[string]*time.Duration{"rotation_window": &c.RotationWindow, "rotation_period": &c.RotationPeriod} {
		if v, ok := d.GetOk(field); ok {
			*to = time.Duration(v.(int)) * time.Second
		}
	}
	if v, ok := d.GetOk("disable_automated_rotation"); ok {
		c.DisableAutomatedRotation = v.(bool)
	}
	return b.checkRotation(c)
}

func (b *Backend) checkRotation(c *store.RootConfig) error {
	switch {
	case c.RotationSchedule != "" && c.RotationPeriod != 0:
		return invalid("mutually exclusive fields rotation_schedule and rotation_period were both specified; only one of them can be provided: clear the other with rotation_period=0 or an empty rotation_schedule")
	case c.RotationWindow != 0 && c.RotationPeriod != 0:
		return invalid("rotation_window does not apply to period: clear it with rotation_window=0")
	case c.RotationWindow != 0 && c.RotationSchedule == "":
		return invalid("cannot use rotation_window without rotation_schedule: send both, or rotation_window=0")
	case c.RotationWindow != 0 && c.RotationWindow < minRotationWindow:
		return invalid("rotation_window %s is too short: send at least %s", c.RotationWindow, minRotationWindow)
	case c.RotationPeriod != 0 && c.RotationPeriod < minRotationPeriod:
		return invalid("rotation_period %s is too short: send at least %s", c.RotationPeriod, minRotationPeriod)
	}
	if c.RotationSchedule == "" {
		return nil
	}
	cron, err := rotation.DefaultScheduler.Parse(c.RotationSchedule)
	if err != nil {
		return invalid("failed to parse provided rotation_schedule: %v; it has five fields of cron, in UTC: minute, hour, day of month, month, day of week", err)
	}
	if cron.Next(b.options.Clock.Now().UTC()).IsZero() {
		return invalid("rotation_schedule %q never comes: choose a day that its months have", c.RotationSchedule)
	}
	return nil
}

// rescheduled reports whether a write changed when the root key is rotated. One
// that sends the same again, as Terraform does, must not put the rotation off.
func rescheduled(before, after *store.RootConfig) bool {
	return before.RotationSchedule != after.RotationSchedule || before.RotationWindow != after.RotationWindow ||
		before.RotationPeriod != after.RotationPeriod || before.DisableAutomatedRotation != after.DisableAutomatedRotation
}

// scheduling schedules as a new config says, and stores it. If that fails, the
// schedule is again that of the config in storage, so that the server's rotation
// manager and the stored config do not part.
func (b *Backend) scheduling(ctx context.Context, req *logical.Request, c *store.RootConfig) error {
	records := store.Records{Storage: req.Storage}
	state, err := records.RotationState(ctx)
	if err != nil {
		return err
	}
	err = b.schedule(ctx, req, c)
	if err == nil {
		err = records.PutRootConfig(ctx, c)
	}
	if err == nil {
		return nil
	}
	return errors.Join(err, b.unschedule(context.WithoutCancel(ctx), req, c, state))
}

// unschedule undoes a schedule by c, unless c was stored although storage said
// that it failed.
func (b *Backend) unschedule(ctx context.Context, req *logical.Request, c *store.RootConfig, before store.RotationState) error {
	records := store.Records{Storage: req.Storage}
	stored, _, err := records.RootConfig(ctx)
	if err != nil || !rescheduled(stored, c) {
		return err
	}
	if _, err := b.registerRotation(ctx, req, stored); err != nil {
		return err
	}
	return records.PutRotationState(ctx, before)
}

// schedule tells the server's rotation manager, or notes that the engine itself
// rotates: only where the server has none.
func (b *Backend) schedule(ctx context.Context, req *logical.Request, c *store.RootConfig) error {
	records := store.Records{Storage: req.Storage}
	state, err := records.RotationState(ctx)
	if err != nil {
		return err
	}
	state.Since, state.LastError = b.options.Clock.Now().UTC(), ""
	if state.ByVault, err = b.registerRotation(ctx, req, c); err != nil {
		return err
	}
	return records.PutRotationState(ctx, state)
}

func (b *Backend) registerRotation(ctx context.Context, req *logical.Request, c *store.RootConfig) (byVault bool, err error) {
	if !c.Scheduled() {
		// A server without a rotation manager has no job to end either.
		_ = b.System().DeregisterRotationJob(ctx, &rotation.RotationJobDeregisterRequest{MountPoint: req.MountPoint, ReqPath: store.RootConfigKey})
		return false, nil
	}
	_, err = b.System().RegisterRotationJob(ctx, &rotation.RotationJobConfigureRequest{
		Name: "aws-root-creds", MountPoint: req.MountPoint, ReqPath: store.RootConfigKey,
		RotationSchedule: c.RotationSchedule, RotationWindow: c.RotationWindow, RotationPeriod: c.RotationPeriod,
	})
	if err != nil && !noRotationManager(err) {
		return false, invalid("error registering rotation job: %v", err)
	}
	return err == nil, nil
}

// noRotationManager reports whether the server says that it has no rotation
// manager. Only texts cross the process boundary: Community Edition's, that of a
// server too old for the call, and that of the sdk's own system view.
func noRotationManager(err error) bool {
	for _, text := range []string{"not supported in Vault community edition", "unknown method", "Unimplemented", "not implemented"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// rotationDuty rotates the root key when its time has come.
func (b *Backend) rotationDuty(storage logical.Storage) lifecycle.Duty {
	return lifecycle.Duty{
		Name:  "scheduled rotation",
		Items: func(context.Context) ([]lifecycle.EntryID, error) { return []lifecycle.EntryID{"root"}, nil },
		Attend: func(ctx context.Context, _ lifecycle.EntryID) error {
			return b.rotateOnSchedule(ctx, storage)
		},
	}
}

func (b *Backend) rotateOnSchedule(ctx context.Context, storage logical.Storage) error {
	records := store.Records{Storage: storage}
	c, _, err := records.RootConfig(ctx)
	if err != nil || !c.Scheduled() {
		return err
	}
	state, err := records.RotationState(ctx)
	if err != nil || state.ByVault {
		return err
	}
	now := b.options.Clock.Now().UTC()
	due := nextRotation(c, state)
	if due.IsZero() || now.Before(due) {
		return nil
	}
	// A write before the act: a deposed leader cannot write, so cannot rotate.
	if late := c.RotationWindow > 0 && now.After(due.Add(c.RotationWindow)); late {
		state.Since, state.LastError = now, fmt.Sprintf("the window of %s was missed", due.Format(time.RFC3339))
		return records.PutRotationState(ctx, state)
	}
	if err := records.PutRotationState(ctx, state); err != nil {
		return err
	}
	_, err = b.rotateRootKey(ctx, storage)
	return err
}

// nextRotation is when the root key is to be rotated next; zero for never.
func nextRotation(c *store.RootConfig, state store.RotationState) time.Time {
	from := state.Since
	if c.LastRotation.After(from) {
		from = c.LastRotation
	}
	switch {
	case !c.Scheduled() || from.IsZero():
		return time.Time{}
	case c.RotationPeriod > 0:
		return from.Add(c.RotationPeriod)
	}
	cron, err := rotation.DefaultScheduler.Parse(c.RotationSchedule)
	if err != nil {
		return time.Time{}
	}
	return cron.Next(from)
}

// noteRotation writes down how a rotation ended, whoever asked for it.
func (b *Backend) noteRotation(ctx context.Context, storage logical.Storage, failed error) {
	records := store.Records{Storage: storage}
	state, err := records.RotationState(ctx)
	if err == nil {
		state.LastError = ""
		if failed != nil {
			state.LastError = explain(failed)
		}
		err = records.PutRotationState(ctx, state)
	}
	if err != nil {
		b.Logger().Warn("the outcome of a root rotation is not written down", "error", err)
	}
}

// rotationTimes is what a read of config/root tells of rotation.
func rotationTimes(c *store.RootConfig, state store.RotationState) map[string]any {
	data := map[string]any{"last_vault_rotation": nil, "next_vault_rotation": nil, "last_rotation_error": state.LastError}
	if !c.LastRotation.IsZero() {
		data["last_vault_rotation"] = c.LastRotation.UTC().Format(time.RFC3339)
	}
	if next := nextRotation(c, state); !next.IsZero() && !state.ByVault {
		data["next_vault_rotation"] = next.UTC().Format(time.RFC3339)
	}
	return data
}
