package lifecycle

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// MountState is what a mount remembers of itself; local to the cluster.
type MountState struct {
	// Owner tells our users from those of other mounts: 128 random bits, made
	// once, and never derived from what replicated clusters share.
	Owner string `json:"owner"`
	// Incarnation counts the starts of the mount on a node that may write. A user
	// that was made in a later one shows that storage was restored; they go on from
	// there then.
	Incarnation int       `json:"incarnation"`
	Started     time.Time `json:"started,omitzero"` // the last of them

	ClockJump string    `json:"clock_jump,omitempty"` // why deadlines are not believed (L13)
	Confirmed time.Time `json:"confirmed,omitzero"`   // when an operator said that deadlines are right
	Restored  string    `json:"restored,omitempty"`   // why storage seems to have been restored
	Draining  bool      `json:"draining,omitempty"`
}

// StateStore keeps the state of a mount.
type StateStore interface {
	// MountState reads the state; the zero value if there is none.
	MountState(ctx context.Context) (MountState, error)
	PutMountState(ctx context.Context, s MountState) error
}

// Why a mount does not do what it is asked for.
var (
	// ErrDraining: it makes no new users.
	ErrDraining = errors.New("this mount is being drained and makes no new IAM users; write tidy drain=false to end that")
	// ErrRestored: its storage seems to be older than AWS.
	ErrRestored = errors.New("storage seems to have been restored from a snapshot; write tidy confirm_restore=true when it is known what became of the users since")
)

// state is the mount's state as this process knows it.
type state struct {
	changing KeyedLock // one key; held across storage calls, by those who change the state
	mu       sync.Mutex
	begun    bool
	now      MountState
}

func (s *state) known() (now MountState, begun bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.begun
}

func (s *state) learn(now MountState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.begun = now, true
}

// clockTolerance is by how much clocks are corrected in normal operation.
const clockTolerance = time.Minute

// State returns the mount's state as of the last change. The first call in the
// life of the process begins a new incarnation, on a node that may write.
func (m *Manager) State(ctx context.Context) (MountState, error) {
	if s, begun := m.state.known(); begun {
		return s, nil
	}
	unlock, err := m.state.changing.Lock(ctx, "")
	if err != nil {
		return MountState{}, err
	}
	defer unlock()
	return m.begin(ctx)
}

// begin begins the incarnation unless that is done. The caller holds the lock of
// those who change the state.
func (m *Manager) begin(ctx context.Context) (MountState, error) {
	if s, begun := m.state.known(); begun {
		return s, nil
	}
	s, err := m.states.MountState(ctx)
	if err != nil {
		return s, fmt.Errorf("read the mount's state: %w", err)
	}
	now := m.clock.Now().UTC()
	if s.Owner == "" {
		s.Owner = rand.Text()
	}
	if now.Before(s.Started.Add(-clockTolerance)) {
		s.ClockJump = fmt.Sprintf("the clock says %s, and the mount was started at %s before", now.Format(time.RFC3339), s.Started.Format(time.RFC3339))
	}
	s.Incarnation, s.Started = s.Incarnation+1, now
	return s, m.putState(ctx, s)
}

func (m *Manager) putState(ctx context.Context, s MountState) error {
	if err := m.states.PutMountState(ctx, s); err != nil {
		return fmt.Errorf("write the mount's state: %w", err)
	}
	m.state.learn(s)
	return nil
}

// ChangeState changes the mount's state durably.
func (m *Manager) ChangeState(ctx context.Context, change func(*MountState)) error {
	unlock, err := m.state.changing.Lock(ctx, "")
	if err != nil {
		return err
	}
	defer unlock()
	s, err := m.begin(ctx)
	if err != nil {
		return err
	}
	before := s
	if change(&s); s == before {
		return nil
	}
	return m.putState(ctx, s)
}

// Halted is ErrRestored while nothing may be destroyed or rotated on the mount's
// own account, since its storage seems to be older than AWS.
func (m *Manager) Halted(ctx context.Context) error {
	s, err := m.State(ctx)
	if err == nil && s.Restored != "" {
		err = fmt.Errorf("%w: %s", ErrRestored, s.Restored)
	}
	return err
}

// beginDuty begins the incarnation where Initialize could not.
func (m *Manager) beginDuty() Duty {
	return Duty{
		Name:  "start",
		Items: func(context.Context) ([]EntryID, error) { return []EntryID{"state"}, nil },
		Attend: func(ctx context.Context, _ EntryID) error {
			ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)
			defer cancel()
			_, err := m.State(ctx)
			return err
		},
	}
}
