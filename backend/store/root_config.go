package store

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/vault/sdk/logical"
)

// RootConfigKey is where the root config lies. It holds a secret key, so the
// backend declares it seal-wrapped.
const RootConfigKey = "config/root"

// RootConfig is what config/root holds: how AWS is reached and as whom.
//
// Fields that need a capability this engine does not have yet are kept as they
// are, so that a mount loses nothing on its way through.
type RootConfig struct {
	AccessKey string `json:"access_key"` // empty with SecretKey: ambient credentials
	SecretKey string `json:"secret_key"`

	Region               string   `json:"region"`
	IAMEndpoint          string   `json:"iam_endpoint"`
	STSEndpoint          string   `json:"sts_endpoint"`
	STSRegion            string   `json:"sts_region"`
	STSFallbackEndpoints []string `json:"sts_fallback_endpoints"`
	STSFallbackRegions   []string `json:"sts_fallback_regions"`
	MaxRetries           int      `json:"max_retries"` // -1: the SDK's default

	UsernameTemplate string `json:"username_template"` // "": the engine's default

	RoleARN               string        `json:"role_arn"`
	IdentityTokenAudience string        `json:"identity_token_audience"`
	IdentityTokenTTL      time.Duration `json:"identity_token_ttl"`

	RotationSchedule         string        `json:"rotation_schedule"`
	RotationWindow           time.Duration `json:"rotation_window"`
	RotationPeriod           time.Duration `json:"rotation_period"`
	DisableAutomatedRotation bool          `json:"disable_automated_rotation"`

	// Ours; the built-in engine passes over them.

	// LastRotation is when the stored key was made by a rotation. It is part of
	// the record that holds the key: written apart, a node that dies between the
	// two would leave a key that looks due, and another one is made at once.
	LastRotation time.Time `json:"last_rotation,omitzero"`

	OwnerTags bool `json:"iam_owner_tags,omitempty"`
	MaxUsers  int  `json:"max_users,omitempty"` // 0: no limit

	Limits
}

// SDKRetries is the MaxRetries that leaves the number to the SDK.
const SDKRetries = -1

// NewRootConfig is the root config of a mount that has none: the server's
// ambient credentials.
func NewRootConfig() *RootConfig { return &RootConfig{MaxRetries: SDKRetries} }

// StoredRootConfig reads the text of the root config; nil without one. It tells
// whether a decoded one is still what is stored.
func (r Records) StoredRootConfig(ctx context.Context) ([]byte, error) {
	entry, err := r.Storage.Get(ctx, RootConfigKey)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", RootConfigKey, err)
	}
	if entry == nil {
		return nil, nil
	}
	return entry.Value, nil
}

// DecodeRootConfig decodes what StoredRootConfig has read.
func DecodeRootConfig(text []byte) (*RootConfig, error) {
	c := NewRootConfig()
	if text == nil {
		return c, nil
	}
	if err := (&logical.StorageEntry{Value: text}).DecodeJSON(c); err != nil {
		return nil, fmt.Errorf("decode %s: %w", RootConfigKey, err)
	}
	return c, nil
}

// RootConfig reads the root config, and whether there is one; without one it
// returns NewRootConfig.
func (r Records) RootConfig(ctx context.Context) (*RootConfig, bool, error) {
	c := NewRootConfig()
	found, err := r.load(ctx, RootConfigKey, c)
	return c, found, err
}

// PutRootConfig writes the root config.
func (r Records) PutRootConfig(ctx context.Context, c *RootConfig) error {
	return r.save(ctx, RootConfigKey, c)
}
