package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"

	"github.com/hashicorp/go-hclog"
)

// Manager makes and destroys the credentials of one mount. It is safe for
// concurrent use.
type Manager struct {
	journal Journal
	records Records
	states  StateStore
	clock   Clock
	log     hclog.Logger

	// users is held by whoever makes, renews or destroys the user of that name;
	// rollback and the worker pass by those that are held (L11).
	users   KeyedLock
	index   index
	graves  graves
	serial  serial
	waiting atomic.Int32 // credentials whose propagation is waited for
	state   state
	brake   brake
	tally   tally
	undone  undone

	rotating sync.Mutex // held by the one rotation of the root key; nothing else waits for it
}

// Storage is where a mount writes things down.
type Storage struct {
	Journal Journal
	Records Records
	States  StateStore
}

// NewManager returns the manager of a mount.
func NewManager(storage Storage, clock Clock, log hclog.Logger) *Manager {
	return &Manager{journal: storage.Journal, records: storage.Records, states: storage.States, clock: clock, log: log}
}

// UserSpec is one IAM user to make.
type UserSpec struct {
	Name       string // 1 to 64 of [\w+=,.@-]
	NameUnique bool   // the name carries at least 60 bits of our own randomness
	Path       string // "/" or "/…/"
	Boundary   string // ARN of the permissions boundary; "" for none
	Tags       map[string]string

	PolicyARNs     []string
	InlinePolicies []InlinePolicy
	Groups         []string

	Bearer Bearer
	TTL    time.Duration // of the lease; 0: unknown
	Caps   Caps

	// KeyLast has the access key made in a round of its own, after everything
	// else: set it when a part can restrict (a Deny, a group), so that no key
	// works without it.
	KeyLast bool
}

// InlinePolicy is a policy document and its name in IAM.
type InlinePolicy struct {
	Name     string
	Document string
}

// IssuedUser is a user whose key may be handed out.
type IssuedUser struct {
	Name    string
	Account string // "" if AWS did not tell
	Key     AccessKey
}

// Parts names what hangs on the user when it is issued.
func (s UserSpec) Parts(key AccessKey) Parts {
	p := Parts{AccessKeys: []string{key.ID}, PolicyARNs: s.PolicyARNs, Groups: s.Groups}
	for _, policy := range s.InlinePolicies {
		p.InlinePolicies = append(p.InlinePolicies, policy.Name)
	}
	return p
}

// calls is how many calls it takes to make the user, if nothing goes wrong.
func (s UserSpec) calls() int {
	const userAndKey = 2
	return userAndKey + len(s.PolicyARNs) + len(s.InlinePolicies) + len(s.Groups)
}

// IssueUser makes one IAM user with one access key.
//
// It waits for its turn before anything is written down; a wait that would be
// too long is awserr.Throttled at once.
// The user is journalled before AWS hears of it and recorded once its key
// exists; striking the entry then commits, so the name is always in the journal
// or in a record. On error nothing is handed out and whatever was made is destroyed at once;
// where that fails too, the entry stays and the worker owes the removal.
func (m *Manager) IssueUser(ctx context.Context, iam Users, spec UserSpec) (IssuedUser, error) {
	ctx, cancel := context.WithTimeout(ctx, issueDeadline)
	defer cancel()
	unlock, err := m.users.Lock(ctx, spec.Name)
	if err != nil {
		return IssuedUser{}, fmt.Errorf("issue user %q: %w", spec.Name, err)
	}
	defer unlock()
	if err := m.admit(ctx, spec); err != nil {
		return IssuedUser{}, err
	}
	defer m.index.retract(spec.Name)
	m.graves.remove(spec.Name)
	ctx, release, err := iam.Reserve(ctx, spec.calls(), issuePatience)
	if err != nil {
		return IssuedUser{}, fmt.Errorf("issue user %q: %w", spec.Name, err)
	}
	defer release()

	intent := UserIntent{
		UserName:   spec.Name,
		NameUnique: spec.NameUnique,
		IssuedAt:   m.clock.Now().UTC(),
		Account:    iam.KnownAccount(),
	}
	id, err := m.journal.Record(ctx, intent)
	if err != nil {
		return IssuedUser{}, fmt.Errorf("journal user %q: %w", spec.Name, err)
	}
	a := attempt{bearer: spec.Bearer, entry: Entry{ID: id, Intent: intent, RecordedAt: intent.IssuedAt}}
	var key AccessKey
	err = Recovered(func() (err error) {
		if key, err = m.makeUser(ctx, iam, spec, &a); err != nil {
			return err
		}
		a.record = m.recordOf(spec, a, key)
		return m.commit(ctx, &a)
	})
	if err != nil {
		m.abandon(ctx, iam, a)
		return IssuedUser{}, err
	}
	return IssuedUser{Name: spec.Name, Account: a.account, Key: key}, nil
}

// ErrUnseen is that IAM does not show a user that it has made.
var ErrUnseen = errors.New("AWS does not show the new user everywhere yet; try again")

// attempt is what a request knows of the user it is making.
type attempt struct {
	entry     Entry
	account   string
	bearer    Bearer
	confirmed bool // AWS told that the user exists, by our call
	lost      bool // an answer to CreateUser was lost: the user may exist, or appear later
	record    UserRecord
	recorded  bool // the record was asked for: from then on the user is in it, or in the entry, or both
}

// admit refuses a user that the mount may not make.
func (m *Manager) admit(ctx context.Context, spec UserSpec) error {
	s, err := m.State(ctx)
	if err != nil {
		return err
	}
	if s.Draining {
		return ErrDraining
	}
	return m.index.admit(spec)
}

// recordOf is the record of a user whose key exists.
func (m *Manager) recordOf(spec UserSpec, a attempt, key AccessKey) UserRecord {
	parts, now := spec.Parts(key), m.clock.Now().UTC()
	r := UserRecord{
		UserName: spec.Name, State: Issued, Bearer: spec.Bearer,
		NameUnique: spec.NameUnique, Resent: a.entry.Intent.Resent,
		Account: a.account, AccessKey: key.ID,
		PolicyARNs: parts.PolicyARNs, Policies: parts.InlinePolicies, Groups: parts.Groups,
		Issued: a.entry.Intent.IssuedAt,
	}
	if spec.TTL > 0 {
		r.Deadline = now.Add(spec.TTL)
	}
	return r
}

// makeUser creates, grants and keys the user. Everything but the key goes side
// by side with it, unless a part can restrict: then the key comes last.
func (m *Manager) makeUser(ctx context.Context, iam Users, spec UserSpec, a *attempt) (AccessKey, error) {
	if err := m.createUser(ctx, iam, spec, a); err != nil {
		return AccessKey{}, fmt.Errorf("create user %q: %w", spec.Name, err)
	}
	var key AccessKey
	grants := append(m.grants(ctx, iam, spec), m.noteAccount(ctx, a))
	makeKey := func() (err error) {
		key, err = m.createKey(ctx, iam, spec.Name)
		return err
	}
	if !spec.KeyLast {
		return key, m.inParallel(append(grants, makeKey)...)
	}
	if err := m.inParallel(grants...); err != nil {
		return key, err
	}
	return key, makeKey()
}

// noteAccount completes the entry of a mount's first user after a start, whose
// account only CreateUser told.
func (m *Manager) noteAccount(ctx context.Context, a *attempt) func() error {
	return func() error {
		if a.account == "" || a.entry.Intent.Account == a.account {
			return nil
		}
		a.entry.Intent.Account = a.account
		return m.journal.Reassert(ctx, a.entry)
	}
}

// createAttempts is how often a CreateUser whose answer was lost is sent.
const createAttempts = 3

// createUser makes the user, also when AWS's answer is lost (L8): a name with
// our own randomness is asked for again, and EntityAlreadyExists then means that
// the lost call was ours and took effect.
func (m *Manager) createUser(ctx context.Context, iam Users, spec UserSpec, a *attempt) (err error) {
	for range createAttempts {
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if a.lost {
			if noteErr := m.noteResent(ctx, a); noteErr != nil {
				return errors.Join(err, noteErr)
			}
		}
		err = m.settle(ctx, busy, func() (err error) {
			a.account, err = iam.CreateUser(ctx, spec)
			return err
		})
		if err == nil || a.lost && errors.Is(err, awserr.Exists) {
			a.confirmed = true
			return nil
		}
		if awserr.Refused(err) {
			return err
		}
		if a.lost = true; !spec.NameUnique {
			return err
		}
	}
	return err
}

// noteResent writes down that CreateUser is sent again: whoever rolls the entry
// back must not take the first user that turns up for the last.
func (m *Manager) noteResent(ctx context.Context, a *attempt) error {
	if a.entry.Intent.Resent {
		return nil
	}
	a.entry.Intent.Resent = true
	return m.journal.Reassert(ctx, a.entry)
}

// createKey makes the user's access key. After a lost answer (L8) every key the
// user has is one that nobody holds: it is deleted, and a key is made once more.
func (m *Manager) createKey(ctx context.Context, iam Users, user string) (key AccessKey, err error) {
	create := func() (err error) {
		key, err = iam.CreateAccessKey(ctx, user)
		return err
	}
	err = m.settleNoting(ctx, own, create)
	if err != nil && !awserr.Refused(err) && ctx.Err() == nil {
		err = m.settle(ctx, own, func() error { return m.deleteAllKeys(ctx, iam, user) })
		if err == nil {
			err = m.settle(ctx, own, create)
		}
	}
	if errors.Is(err, awserr.NotFound) {
		err = fmt.Errorf("%w: %w", ErrUnseen, err)
	}
	if err != nil {
		return AccessKey{}, fmt.Errorf("create access key of user %q: %w", user, err)
	}
	return key, nil
}

// grants returns the calls that give the user its permissions, in the order in
// which their errors count.
func (m *Manager) grants(ctx context.Context, iam Users, spec UserSpec) []func() error {
	var calls []func() error
	add := func(what string, call func() error) {
		calls = append(calls, func() error {
			if err := m.settleNoting(ctx, fresh, call); err != nil {
				return fmt.Errorf("%s user %q: %w", what, spec.Name, err)
			}
			return nil
		})
	}
	for _, arn := range spec.PolicyARNs {
		add(fmt.Sprintf("attach policy %q to", arn), func() error { return iam.AttachPolicy(ctx, spec.Name, arn) })
	}
	for _, policy := range spec.InlinePolicies {
		add("put policy of", func() error { return iam.PutInlinePolicy(ctx, spec.Name, policy) })
	}
	for _, group := range spec.Groups {
		add(fmt.Sprintf("add to group %q", group), func() error { return iam.JoinGroup(ctx, spec.Name, group) })
	}
	return calls
}

// commit records a user whose key exists and strikes its entry. A request that
// took too long by the wall clock must neither strike nor hand out: another node
// may have rolled its user back meanwhile.
func (m *Manager) commit(ctx context.Context, a *attempt) error {
	a.recorded = true
	if err := m.writeRecord(ctx, a.record); err != nil {
		return err
	}
	if err := m.inTime(a.entry); err != nil {
		return err
	}
	if err := m.journal.Strike(ctx, a.entry.ID); err != nil {
		return fmt.Errorf("strike journal entry of user %q: %w", a.entry.Intent.UserName, err)
	}
	return m.inTime(a.entry)
}

func (m *Manager) inTime(e Entry) error {
	if m.overdue(e.Intent.IssuedAt, issueDeadline) {
		return fmt.Errorf("issue user %q: %w", e.Intent.UserName, context.DeadlineExceeded)
	}
	return nil
}

// abandon removes what a failed request made. It runs on a context of its own,
// since the request may have ended.
func (m *Manager) abandon(ctx context.Context, iam Users, a attempt) {
	ctx, cancel := detached(ctx, cleanupDeadline)
	defer cancel()
	left := UserRecord{UserName: a.entry.Intent.UserName, Bearer: a.bearer, AccessKey: a.record.AccessKey, Reason: reasonFailed}
	err := Recovered(func() error { return m.undo(ctx, iam, a) })
	switch {
	case err != nil:
		m.tellOf(WasDeferred, left, err)
	case a.confirmed:
		m.tellOf(WasDestroyed, left, nil)
	}
}

// undo destroys the user of an attempt. The entry is struck only when nothing
// can be left: no user was made, or it was destroyed and no CreateUser can still
// be under way. Otherwise it stays, and the worker owes the removal.
func (m *Manager) undo(ctx context.Context, iam Users, a attempt) error {
	if a.recorded {
		return m.undoRecorded(ctx, iam, a)
	}
	if a.confirmed || a.lost {
		if err := m.DestroyUser(ctx, iam, a.doomed()); err != nil {
			return errors.Join(err, m.handOver(ctx, a, err))
		}
	}
	if a.lost {
		return nil
	}
	return m.journal.Strike(ctx, a.entry.ID)
}

// handOver condemns a user that could not be destroyed at once: the worker tries
// it again in its next pass, where the entry waits for its age. The entry stays
// as well, for the built-in engine, should the mount move back. A user that AWS
// never confirmed is the entry's alone.
func (m *Manager) handOver(ctx context.Context, a attempt, cause error) error {
	if !a.confirmed {
		return nil
	}
	i := a.entry.Intent
	r := UserRecord{UserName: i.UserName, NameUnique: i.NameUnique, Resent: i.Resent, Account: a.account, Bearer: a.bearer, Issued: i.IssuedAt, Entry: a.entry.ID}
	r = r.condemned(m.clock.Now(), reasonFailed).tried(m.clock.Now())
	r.LastError = cause.Error()
	return m.writeRecord(ctx, r)
}

// undoRecorded is undo of a user whose record may have been written: the record
// is condemned, so that whatever fails from here on is the worker's. Only where
// that cannot be written does the entry, which then still stands or is written
// again, owe the removal.
func (m *Manager) undoRecorded(ctx context.Context, iam Users, a attempt) error {
	r := a.record.condemned(m.clock.Now(), reasonFailed)
	r.Entry = a.entry.ID
	if err := Recovered(func() error { return m.writeRecord(ctx, r) }); err != nil {
		unwritten := Recovered(func() error { return m.journal.Reassert(ctx, a.entry) })
		return errors.Join(err, unwritten, m.DestroyUser(ctx, iam, a.doomed()))
	}
	connected := func(context.Context) (Users, error) { return iam, nil }
	return m.destroyRecorded(ctx, connected, r)
}

func (a attempt) doomed() Doomed {
	return Doomed{
		Name:        a.entry.Intent.UserName,
		Account:     a.account,
		Born:        a.entry.announcedAt(),
		Unconfirmed: !a.confirmed,
		NameUnique:  a.entry.Intent.NameUnique,
	}
}
