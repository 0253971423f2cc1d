package lifecycle

import (
	"context"
	"fmt"
	"time"
)

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

	// Process is set for a user that is made ahead of time: the process that keeps
	// its key.
	Process string

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

// IssueUser makes one IAM user with one access key, for whom asked for it.
func (m *Manager) IssueUser(ctx context.Context, iam Users, spec UserSpec) (IssuedUser, error) {
	return m.issueUser(ctx, iam, spec, issuePatience)
}

// issueUser makes one IAM user with one access key.
//
// It waits for its turn before anything is written down; a wait that would be
// too long is awserr.Throttled at once. The user is journalled before AWS hears
// of it and recorded once its key exists; striking the entry then commits, so
// the name is always in the journal or in a record. On error nothing is handed
// out and whatever was made is destroyed at once; where that fails too, the
// entry stays and the worker owes the removal.
func (m *Manager) issueUser(ctx context.Context, iam Users, spec UserSpec, patience time.Duration) (IssuedUser, error) {
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
	ctx, release, err := iam.Reserve(ctx, spec.calls(), patience)
	if err != nil {
		return IssuedUser{}, fmt.Errorf("issue user %q: %w", spec.Name, err)
	}
	defer release()

	intent := UserIntent{
		UserName:   spec.Name,
		NameUnique: spec.NameUnique,
		IssuedAt:   m.clock.Now().UTC(),
		Account:    iam.KnownAccount(),
		Process:    spec.Process,
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
	if spec.Process != "" {
		r.State, r.Process = Pooled, spec.Process
	}
	return r
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
