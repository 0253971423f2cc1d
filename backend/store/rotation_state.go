package store

import (
	"context"
	"time"
)

const rotationStateKey = "journal/root-rotation"

// RotationState is how scheduled rotation of the root key stands: ours, local to
// the cluster, and without a secret. When the last rotation was, the config says.
type RotationState struct {
	Since     time.Time `json:"since"`                // the schedule counts from here
	LastError string    `json:"last_error,omitempty"` // of the last try; "" if it succeeded
	// ByVault says that the server's rotation manager has the job, so the engine
	// itself does not rotate.
	ByVault bool `json:"by_vault,omitempty"`
}

// RotationState reads the state; the zero value if there is none.
func (r Records) RotationState(ctx context.Context) (s RotationState, err error) {
	_, err = r.load(ctx, rotationStateKey, &s)
	return s, err
}

// PutRotationState writes the state.
func (r Records) PutRotationState(ctx context.Context, s RotationState) error {
	return r.save(ctx, rotationStateKey, s)
}

// Scheduled reports whether the root key is to be rotated by itself.
func (c *RootConfig) Scheduled() bool {
	return !c.DisableAutomatedRotation && (c.RotationSchedule != "" || c.RotationPeriod > 0)
}
