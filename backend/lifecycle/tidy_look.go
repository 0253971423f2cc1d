package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unique"

	"vault-plugin-secrets-aws/backend/awserr"
)

// tidyPlan is what a pass has found out, before it changes anything.
type tidyPlan struct {
	forget []string   // records of users that are gone
	doomed []SeenUser // ours, and unknown
}

// run looks at everything first: an error of any look ends the pass with nothing
// changed, since a list that was throttled is not an empty one.
func (t *Tidy) run(ctx context.Context, spec TidySpec, connect func(context.Context) (Surveyor, error)) error {
	state, err := t.manager.State(ctx)
	if err != nil {
		return err
	}
	if state.Restored != "" {
		return fmt.Errorf("%w: %s", ErrRestored, state.Restored)
	}
	iam, err := connect(ctx)
	if err != nil {
		return err
	}
	plan, err := t.look(ctx, spec, iam)
	if err != nil {
		return err
	}
	if spec.DryRun {
		return nil
	}
	return t.act(ctx, spec, iam, plan)
}

func (t *Tidy) look(ctx context.Context, spec TidySpec, iam Surveyor) (plan tidyPlan, err error) {
	account, err := iam.Account(ctx)
	if err != nil {
		return plan, fmt.Errorf("tell the account of the root credentials: %w", err)
	}
	seen, err := iam.ListUsers(ctx)
	if err != nil {
		return plan, err
	}
	known, err := t.manager.known(ctx)
	if err != nil {
		return plan, err
	}
	t.change(func(s *TidyStatus) { s.Users, s.Records = len(seen), len(known.records) })
	if spec.Records {
		if plan.forget, err = t.gone(ctx, iam, account, seen, known); err != nil {
			return plan, err
		}
	}
	if spec.UnknownUsers {
		plan.doomed, err = t.unknown(ctx, spec, iam, seen, known)
	}
	return plan, err
}

// knownUsers is every user that the mount knows of.
type knownUsers struct {
	records   map[string]knownRecord
	announced map[string]bool
}

// knownRecord is what a pass needs of every record; there may be 100,000.
type knownRecord struct {
	state   RecordState
	account unique.Handle[string]
	issued  time.Time
}

// known reads the journal, then the records: a user that is issued meanwhile
// moves from the first to the second.
func (m *Manager) known(ctx context.Context) (known knownUsers, err error) {
	known = knownUsers{records: make(map[string]knownRecord), announced: make(map[string]bool)}
	ids, err := m.journal.Entries(ctx)
	if err != nil {
		return known, err
	}
	for _, id := range ids {
		e, err := m.journal.Load(ctx, id)
		if err == nil {
			known.announced[e.Intent.UserName] = true
		} else if !errors.Is(err, ErrNoEntry) && !errors.Is(err, ErrNotOurs) {
			return known, err
		}
	}
	names, err := m.records.RecordNames(ctx)
	if err != nil {
		return known, err
	}
	for some := range slices.Chunk(names, condemnedAtOnce) {
		if err := m.knownRecords(ctx, some, known.records); err != nil {
			return known, err
		}
	}
	return known, nil
}

// knownRecords reads records side by side.
func (m *Manager) knownRecords(ctx context.Context, names []string, known map[string]knownRecord) error {
	records := make([]UserRecord, len(names))
	calls := make([]func() error, len(names))
	for i, name := range names {
		calls[i] = func() (err error) {
			records[i], err = m.records.Record(ctx, name)
			if errors.Is(err, ErrNoRecord) || errors.Is(err, ErrUnreadable) {
				return nil
			}
			return err
		}
	}
	if err := sideBySide(calls...); err != nil {
		return err
	}
	for i, r := range records {
		known[names[i]] = knownRecord{sharedState(r.State), unique.Make(r.Account), r.Issued}
	}
	return nil
}

// gone lists the records of users that are not in AWS any more.
func (t *Tidy) gone(ctx context.Context, iam Surveyor, account string, seen []SeenUser, known knownUsers) (names []string, err error) {
	there := make(map[string]bool, len(seen))
	for _, user := range seen {
		there[user.Name] = true
	}
	for name, r := range known.records {
		if there[name] || r.account.Value() != account || !t.manager.overdue(r.issued, announcedGoneAge) {
			continue
		}
		if _, err := iam.CreatedAt(ctx, name); !errors.Is(err, awserr.NotFound) {
			if err != nil {
				return nil, err
			}
			continue
		}
		t.find(name, "its record is of a user that is gone from AWS")
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// unknown lists the users of ours that nothing names, and reports what hangs on
// those that are issued and is not from us.
func (t *Tidy) unknown(ctx context.Context, spec TidySpec, iam Surveyor, seen []SeenUser, known knownUsers) (doomed []SeenUser, err error) {
	var restored error
	for _, user := range seen {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r, recorded := known.records[user.Name]
		if recorded || known.announced[user.Name] {
			if err := t.inspectIssued(ctx, iam, user.Name, r.state); err != nil {
				return nil, err
			}
			continue
		}
		ours, err := t.isOurs(ctx, spec, iam, user)
		if errors.Is(err, ErrRestored) {
			restored = err // the others may be of later incarnations yet
			continue
		}
		if err != nil {
			return nil, err
		}
		if ours {
			doomed = append(doomed, user)
		}
	}
	return doomed, restored
}

// isOurs reports whether an unknown user has our owner tag and is old enough. One
// of a later incarnation than storage's shows that storage was restored: then
// the pass ends, and deadlines and rotations wait for an operator.
func (t *Tidy) isOurs(ctx context.Context, spec TidySpec, iam Surveyor, user SeenUser) (bool, error) {
	tags, err := iam.TagsOf(ctx, user.Name)
	if errors.Is(err, awserr.NotFound) {
		return false, nil // gone since it was listed
	}
	if err != nil {
		return false, err
	}
	state, err := t.manager.State(ctx)
	if err != nil {
		return false, err
	}
	incarnation, ours := state.owns(tags)
	if !ours {
		return false, nil
	}
	if incarnation > state.Incarnation {
		return false, t.restored(ctx, user, incarnation, state.Incarnation)
	}
	t.change(func(s *TidyStatus) { s.Unknown++ })
	if !t.manager.overdue(user.Created, spec.SafetyBuffer) {
		t.find(user.Name, "ours and named by nothing here; younger than safety_buffer")
		return false, nil
	}
	t.find(user.Name, "ours and named by nothing here")
	return true, nil
}

// restored stops what the mount does by itself. Its incarnations go on from the
// user's, so that an operator's word that all is known ends it for good.
func (t *Tidy) restored(ctx context.Context, user SeenUser, its, ours int) error {
	why := fmt.Sprintf("user %q was made in incarnation %d of this mount, and storage is at %d", user.Name, its, ours)
	t.find(user.Name, "%s", why)
	t.manager.log.Error("storage seems to have been restored; destruction by deadline, tidy and rotations wait for tidy confirm_restore=true", "reason", why)
	return errors.Join(fmt.Errorf("%w: %s", ErrRestored, why), t.manager.ChangeState(ctx, func(s *MountState) { s.Restored, s.Incarnation = why, its }))
}
