package lifecycle

import (
	"context"
	"errors"
)

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
	r = r.condemned(m.clock.Now(), reasonUnknown)
	return m.toldAs(WasTidied, r, func() error { return m.destroyRecorded(ctx, connectedTo(iam), r) })
}
