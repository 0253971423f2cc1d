package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unique"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
)

// Surveyor is the part of IAM that tidy needs: it looks at all users of the
// account. Lists are complete.
type Surveyor interface {
	Users
	ListUsers(ctx context.Context) ([]SeenUser, error)
	TagsOf(ctx context.Context, user string) (map[string]string, error)
	// SignsIn reports whether the user has a login profile.
	SignsIn(ctx context.Context, user string) (bool, error)
}

// SeenUser is a user as a list of IAM shows it.
type SeenUser struct {
	Name    string
	Account string
	Created time.Time
}

// TidySpec is what one pass of tidy does.
type TidySpec struct {
	Records      bool          // forget records of users that are gone
	UnknownUsers bool          // destroy users with our owner tag that nothing names
	SafetyBuffer time.Duration // how old an unknown user must be
	MaxDeletes   int           // how many users at most
	DryRun       bool          // report only
}

// Finding is something that an operator should know.
type Finding struct {
	User string
	What string
}

// TidyStatus is how the last pass of tidy went, or stands.
type TidyStatus struct {
	State             string // inactive, running, finished, failed or cancelled
	Spec              TidySpec
	Started, Finished time.Time
	Error             string
	Users, Records    int // looked at
	Forgotten         int // records
	Unknown, Deleted  int // users
	Findings          []Finding
	MoreFindings      int // that are not listed
}

// maxFindings bounds the memory that a status takes.
const maxFindings = 1000

// Why a pass does not start.
var (
	ErrTidyRuns  = errors.New("tidy is running already: see tidy-status, or write tidy-cancel")
	errCancelled = errors.New("cancelled")
)

// Tidy finds what should not be there. One pass runs at a time.
type Tidy struct {
	manager *Manager

	mu     sync.Mutex
	status TidyStatus
	cancel context.CancelCauseFunc // of the pass that runs
	done   sync.WaitGroup
}

// NewTidy returns a tidy that is not running.
func NewTidy(manager *Manager) *Tidy {
	return &Tidy{manager: manager, status: TidyStatus{State: "inactive"}}
}

// Start starts a pass, which ends with ctx or Cancel.
func (t *Tidy) Start(ctx context.Context, spec TidySpec, connect func(context.Context) (Surveyor, error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status.State == "running" {
		return ErrTidyRuns
	}
	ctx, t.cancel = context.WithCancelCause(governor.As(ctx, governor.Tidy))
	t.status = TidyStatus{State: "running", Spec: spec, Started: t.manager.clock.Now().UTC()}
	t.done.Go(func() {
		err := Recovered(func() error { return t.run(ctx, spec, connect) })
		t.finish(context.Cause(ctx), err)
	})
	return nil
}

// Cancel ends the pass that runs, if any.
func (t *Tidy) Cancel() (was bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.status.State != "running" {
		return false
	}
	t.cancel(errCancelled)
	return true
}

// Wait blocks until the pass that runs has ended, or ctx does.
func (t *Tidy) Wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		t.done.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// Status is how the last pass went, or stands.
func (t *Tidy) Status() TidyStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.status
	s.Findings = slices.Clone(s.Findings)
	return s
}

func (t *Tidy) change(change func(*TidyStatus)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.status)
}

func (t *Tidy) finish(cancelled, err error) {
	t.change(func(s *TidyStatus) {
		s.Finished = t.manager.clock.Now().UTC()
		switch {
		case err == nil:
			s.State = "finished"
		case cancelled != nil:
			s.State = "cancelled"
		default:
			s.State, s.Error = "failed", err.Error()
		}
	})
	t.cancel(nil)
}

func (t *Tidy) find(user, format string, args ...any) {
	t.change(func(s *TidyStatus) {
		if len(s.Findings) == maxFindings {
			s.MoreFindings++
			return
		}
		s.Findings = append(s.Findings, Finding{User: user, What: fmt.Sprintf(format, args...)})
	})
}

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

// quarantine begins the names of the policies that AWS attaches to users whose
// key it found in public.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCompromisedKeyQuarantineV3.html (checked 2026-11)
const quarantine = "AWSCompromisedKeyQuarantine"

// act changes what the plan says. A user is condemned first, so that one that
// cannot be destroyed now is not forgotten again.
func (t *Tidy) act(ctx context.Context, spec TidySpec, iam Surveyor, plan tidyPlan) error {
	for _, name := range plan.forget {
		if err := t.manager.ForgetUser(ctx, name, reasonGone); err != nil {
			return err
		}
		t.change(func(s *TidyStatus) { s.Forgotten++ })
	}
	for i, user := range plan.doomed {
		if i == spec.MaxDeletes {
			t.find("", "%d more unknown users are left: max_deletes is reached", len(plan.doomed)-i)
			return nil
		}
		if err := t.manager.destroyUnknown(ctx, iam, user); err != nil {
			return err
		}
		t.change(func(s *TidyStatus) { s.Deleted++ })
	}
	return nil
}

// Why records are forgotten.
const (
	reasonGone = "it is gone from AWS"
	// ReasonTold is an operator's word.
	ReasonTold = "an operator had it forgotten"
)

// ForgetUser drops a record, and nothing else.
func (m *Manager) ForgetUser(ctx context.Context, user, reason string) error {
	unlock, err := m.users.Lock(ctx, user)
	if err != nil {
		return err
	}
	defer unlock()
	if err := m.dropRecord(ctx, user); err != nil {
		return err
	}
	m.tellOf(WasTidied, UserRecord{UserName: user, Reason: reason}, nil)
	return nil
}

const reasonUnknown = "tidy found it named by nothing"

func (m *Manager) destroyUnknown(ctx context.Context, iam Users, user SeenUser) error {
	unlock, err := m.users.Lock(ctx, user.Name)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := m.records.Record(ctx, user.Name); !errors.Is(err, ErrNoRecord) {
		return err // it has one by now
	}
	r := UserRecord{UserName: user.Name, NameUnique: true, Account: user.Account, Issued: user.Created.UTC()}
	connected := func(context.Context) (Users, error) { return iam, nil }
	r = r.condemned(m.clock.Now(), reasonUnknown)
	return m.toldAs(WasTidied, r, func() error { return m.destroyRecorded(ctx, connected, r) })
}
