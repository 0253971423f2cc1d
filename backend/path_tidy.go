package backend

import (
	"context"
	"errors"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// What tidy does unless the request says otherwise.
const (
	defaultSafetyBuffer = 24 * time.Hour
	defaultMaxDeletes   = 10
)

// pathTidy serves tidy: find and remove what should not be there.
func (b *Backend) pathTidy() *framework.Path {
	return &framework.Path{
		Pattern: "tidy",
		Fields: map[string]*framework.FieldSchema{
			"tidy_records":       {Type: framework.TypeBool, Description: "Forget the records of users that are gone from AWS."},
			"tidy_unknown_users": {Type: framework.TypeBool, Description: "Destroy users with this mount's owner tag that nothing here names. Needs iam_owner_tags."},
			"safety_buffer":      {Type: framework.TypeDurationSecond, Default: int(defaultSafetyBuffer.Seconds()), Description: "How old an unknown user must be. Default: 24h."},
			"max_deletes":        {Type: framework.TypeInt, Default: defaultMaxDeletes, Description: "How many users are destroyed at most."},
			"dry_run":            {Type: framework.TypeBool, Default: true, Description: "Only report. Default: true."},
			"forget":             {Type: framework.TypeString, Description: "Drop the record of this user, whatever AWS says: of one that AWS does not let go and that you have dealt with."},
			"drain":              {Type: framework.TypeBool, Description: "true: make no new IAM users and finish all that is owed, before the mount is disabled or moved. false: go on."},
			"confirm_deadlines":  {Type: framework.TypeBool, Description: "true: clock and deadlines are right; users past them may be destroyed."},
			"confirm_restore":    {Type: framework.TypeBool, Description: "true: storage was restored, and it is known what became of the users since."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: activeOnly(operation(b.tidyNow, "Start a pass, or tell the mount what it waits for.")),
		},
		HelpSynopsis:    "Find and remove what should not be there; drain the mount.",
		HelpDescription: help("tidy.txt"),
	}
}

// pathTidyStatus serves tidy-status: how it went, and what the mount owes.
func (b *Backend) pathTidyStatus() *framework.Path {
	return &framework.Path{
		Pattern: "tidy-status",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: activeOnly(operation(b.tidyStatus, "Read how the last pass went, and what the mount still owes.")),
		},
		HelpSynopsis:    "Read how the last pass of tidy went, and what the mount still owes.",
		HelpDescription: help("tidy.txt"),
	}
}

// pathTidyCancel serves tidy-cancel.
func (b *Backend) pathTidyCancel() *framework.Path {
	return &framework.Path{
		Pattern: "tidy-cancel",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: activeOnly(operation(b.tidyCancel, "End the pass that runs.")),
		},
		HelpSynopsis:    "End the pass of tidy that runs.",
		HelpDescription: help("tidy.txt"),
	}
}

// tidyNow handles a write of tidy: the operator's words first, then the pass.
func (b *Backend) tidyNow(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	spec := tidySpec(d)
	starts := spec.Records || spec.UnknownUsers
	if !starts && !anySent(d, "forget", "drain", "confirm_deadlines", "confirm_restore") {
		return nil, invalid("nothing is selected: send tidy_records=true, tidy_unknown_users=true, forget, drain, confirm_deadlines or confirm_restore")
	}
	if err := b.checkTidy(ctx, req.Storage, spec); err != nil {
		return nil, err
	}
	if err := b.takeWord(ctx, d); err != nil {
		return nil, err
	}
	if !starts {
		return nil, nil
	}
	err := b.tidy.Start(b.life, spec, b.survey(req.Storage))
	if errors.Is(err, lifecycle.ErrTidyRuns) {
		return nil, invalid("%v", err)
	}
	if err != nil {
		return nil, err
	}
	resp := &logical.Response{}
	resp.AddWarning("tidy has started; read tidy-status for what it finds")
	if spec.DryRun {
		resp.AddWarning("dry_run is true: nothing is changed; send dry_run=false to act on what it finds")
	}
	return resp, nil
}

func tidySpec(d *framework.FieldData) lifecycle.TidySpec {
	return lifecycle.TidySpec{
		Records:      d.Get("tidy_records").(bool),
		UnknownUsers: d.Get("tidy_unknown_users").(bool),
		SafetyBuffer: time.Duration(d.Get("safety_buffer").(int)) * time.Second,
		MaxDeletes:   d.Get("max_deletes").(int),
		DryRun:       d.Get("dry_run").(bool),
	}
}

func (b *Backend) checkTidy(ctx context.Context, storage logical.Storage, spec lifecycle.TidySpec) error {
	if spec.SafetyBuffer < 0 || spec.MaxDeletes < 0 {
		return invalid("safety_buffer and max_deletes must not be negative: send 0 or more")
	}
	config, _, err := store.Records{Storage: storage}.RootConfig(ctx)
	if err != nil {
		return err
	}
	if spec.UnknownUsers && !config.OwnerTags {
		return invalid("tidy_unknown_users tells users of this mount by their tags: write iam_owner_tags=true to config/root first. Users made before that cannot be found this way")
	}
	return nil
}

// takeWord does what an operator says of the mount's state.
func (b *Backend) takeWord(ctx context.Context, d *framework.FieldData) error {
	if user := d.Get("forget").(string); user != "" {
		if _, err := b.users.UserRecord(ctx, user); errors.Is(err, lifecycle.ErrNoRecord) {
			return invalid("forget: there is no record of user %q; LIST users has those there are", user)
		}
		if err := b.users.ForgetUser(ctx, user, lifecycle.ReasonTold); err != nil {
			return err
		}
	}
	if d.Get("confirm_deadlines").(bool) {
		if err := b.users.ConfirmDeadlines(ctx); err != nil {
			return err
		}
	}
	return b.users.ChangeState(ctx, func(s *lifecycle.MountState) {
		if drain, sent := d.GetOk("drain"); sent {
			s.Draining = drain.(bool)
		}
		if d.Get("confirm_restore").(bool) {
			s.Restored = ""
		}
	})
}

// survey is how tidy reaches IAM.
func (b *Backend) survey(storage logical.Storage) func(context.Context) (lifecycle.Surveyor, error) {
	return func(ctx context.Context) (lifecycle.Surveyor, error) {
		root, err := b.root(ctx, storage)
		if err != nil {
			return nil, err
		}
		return root, nil
	}
}

// tidyStatus handles a read of tidy-status.
func (b *Backend) tidyStatus(ctx context.Context, _ *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	state, err := b.users.State(ctx)
	if err != nil {
		return nil, err
	}
	if state.Draining {
		b.wakeWorker(ctx)
	}
	owed, err := b.users.Owed(ctx)
	if err != nil {
		return nil, err
	}
	last := b.tidy.Status()
	return &logical.Response{Data: map[string]any{
		"state": last.State, "error": last.Error,
		"time_started": moment(last.Started), "time_finished": moment(last.Finished),
		"dry_run": last.Spec.DryRun, "tidy_records": last.Spec.Records, "tidy_unknown_users": last.Spec.UnknownUsers,
		"users_seen": last.Users, "records_seen": last.Records,
		"records_forgotten": last.Forgotten, "unknown_users": last.Unknown, "users_deleted": last.Deleted,
		"findings": findings(last),

		"live_users": owed.Users, "journal_entries": owed.Intents, "condemned_users": owed.Condemned, "overdue_users": owed.Overdue,
		"unreadable_records": owed.Unreadable, "records_complete": owed.Complete,
		"deadlines_held": owed.Held, "restored": state.Restored,
		"draining": state.Draining, "drained": state.Draining && owed.Done(),
		"owner": state.Owner, "incarnation": state.Incarnation,
	}}, nil
}

func findings(s lifecycle.TidyStatus) []map[string]any {
	shown := []map[string]any{}
	for _, f := range s.Findings {
		shown = append(shown, map[string]any{"user": f.User, "finding": f.What})
	}
	if s.MoreFindings > 0 {
		shown = append(shown, map[string]any{"user": "", "more": s.MoreFindings, "finding": "more that are not listed"})
	}
	return shown
}

// tidyCancel handles a write of tidy-cancel.
func (b *Backend) tidyCancel(context.Context, *logical.Request, *framework.FieldData) (*logical.Response, error) {
	if !b.tidy.Cancel() {
		return nil, invalid("tidy is not running: there is nothing to cancel")
	}
	return nil, nil
}
