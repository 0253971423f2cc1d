package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
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

	// BuiltinPeriod is what the built-in engine finds as the rotation_period of a
	// role that has none: a key whose period is 0 it rotates as fast as AWS
	// answers. 0: longer than anybody waits.
	BuiltinPeriod time.Duration `json:"-"`

	RotationSchedule string         `json:"rotation_schedule,omitempty"`
	Grace            *time.Duration `json:"grace,omitempty"`        // how long the previous key stays valid; nil: until the next rotation
	KeyAdoption      string         `json:"key_adoption,omitempty"` // "": the default
	Account          string         `json:"account,omitempty"`      // "" in records of the built-in engine
}

// neverPeriod is the rotation_period that the built-in engine finds where a key
// is rotated by hand only.
const neverPeriod = 100 * 365 * 24 * time.Hour

// staticRoleFields are a static role's without its way of being stored.
type staticRoleFields StaticRole

// storedStaticRole is the stored form: its rotation_period is never 0.
type storedStaticRole struct {
	staticRoleFields
	PeriodForBuiltin bool `json:"period_for_builtin,omitempty"` // rotation_period is BuiltinPeriod
}

// MarshalJSON writes the stored form.
func (r StaticRole) MarshalJSON() ([]byte, error) {
	stored := storedStaticRole{staticRoleFields: staticRoleFields(r)}
	if r.RotationPeriod == 0 {
		stored.RotationPeriod, stored.PeriodForBuiltin = cmp.Or(r.BuiltinPeriod, neverPeriod), true
	}
	return json.Marshal(stored)
}

// UnmarshalJSON reads the stored form.
func (r *StaticRole) UnmarshalJSON(text []byte) error {
	var stored storedStaticRole
	if err := json.Unmarshal(text, &stored); err != nil {
		return err
	}
	*r = StaticRole(stored.staticRoleFields)
	if stored.PeriodForBuiltin {
		r.RotationPeriod, r.BuiltinPeriod = 0, r.RotationPeriod
	}
	return nil
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

// StaticRoleOfKey is the static role whose record or key lies under a storage key.
func StaticRoleOfKey(key string) (name string, is bool) {
	if name, is = strings.CutPrefix(key, staticRoleKeys); is {
		return name, true
	}
	return strings.CutPrefix(key, StaticCredsKeys)
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
