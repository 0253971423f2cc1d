package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

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
