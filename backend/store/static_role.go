package store

import (
	"context"
	"fmt"
	"time"
)

const (
	staticRoleKeys = "static-roles/"
	// StaticCredsKeys is where keys of static roles lie. They hold secrets, so
	// the backend declares the prefix seal-wrapped.
	StaticCredsKeys = "static-creds/"
)

// StaticRole is what static-roles/<name> holds: an IAM user whose access key the
// engine rotates. The first seven are the built-in engine's.
type StaticRole struct {
	Name                  string        `json:"name"`
	ID                    string        `json:"id"` // AIDA…
	Username              string        `json:"username"`
	RotationPeriod        time.Duration `json:"rotation_period"` // 0: by schedule, or by hand only
	AssumeRoleARN         string        `json:"assume_role_arn"`
	AssumeRoleSessionName string        `json:"assume_role_session_name"`
	ExternalID            string        `json:"external_id"`

	RotationSchedule string         `json:"rotation_schedule,omitempty"`
	Grace            *time.Duration `json:"grace,omitempty"`        // how long the previous key stays valid; nil: until the next rotation
	KeyAdoption      string         `json:"key_adoption,omitempty"` // "": the default
	Account          string         `json:"account,omitempty"`      // "" in records of the built-in engine
}

// StaticCreds is what static-creds/<name> holds. The first three are the built-in
// engine's.
type StaticCreds struct {
	AccessKey  string     `json:"access_key"`
	SecretKey  string     `json:"secret_key"`
	Expiration *time.Time `json:"expiration,omitempty"` // time of the next rotation; nil: none, or an old record

	LastRotation       time.Time  `json:"last_vault_rotation,omitzero"`
	PreviousKey        string     `json:"previous_key,omitempty"`
	PreviousValidUntil *time.Time `json:"previous_valid_until,omitempty"`
	PreviousInactive   bool       `json:"previous_inactive,omitempty"`
	LastError          string     `json:"last_rotation_error,omitempty"`
}

// StaticRole reads a static role; nil if there is none.
func (r Records) StaticRole(ctx context.Context, name string) (*StaticRole, error) {
	role := new(StaticRole)
	found, err := r.load(ctx, staticRoleKeys+name, role)
	if err != nil || !found {
		return nil, err
	}
	return role, nil
}

// PutStaticRole writes a static role.
func (r Records) PutStaticRole(ctx context.Context, role *StaticRole) error {
	return r.save(ctx, staticRoleKeys+role.Name, role)
}

// StaticRoleNames lists the names of all static roles.
func (r Records) StaticRoleNames(ctx context.Context) ([]string, error) {
	names, err := r.Storage.List(ctx, staticRoleKeys)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", staticRoleKeys, err)
	}
	return names, nil
}

// StaticCreds reads the key of a static role; nil if there is none.
func (r Records) StaticCreds(ctx context.Context, name string) (*StaticCreds, error) {
	creds := new(StaticCreds)
	found, err := r.load(ctx, StaticCredsKeys+name, creds)
	if err != nil || !found {
		return nil, err
	}
	return creds, nil
}

// PutStaticCreds writes the key of a static role.
func (r Records) PutStaticCreds(ctx context.Context, name string, creds *StaticCreds) error {
	return r.save(ctx, StaticCredsKeys+name, creds)
}

// DeleteStaticRole removes a static role and its key.
func (r Records) DeleteStaticRole(ctx context.Context, name string) error {
	if err := r.remove(ctx, StaticCredsKeys+name); err != nil {
		return err
	}
	return r.remove(ctx, staticRoleKeys+name)
}
