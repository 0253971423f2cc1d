package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	roleKeys       = "role/"
	legacyRoleKeys = "policy/"
)

// CredentialType is what kind of AWS credential a role gives out.
type CredentialType string

// The credential types.
const (
	IAMUser         CredentialType = "iam_user"
	AssumedRole     CredentialType = "assumed_role"
	FederationToken CredentialType = "federation_token"
	SessionToken    CredentialType = "session_token"
)

// CredentialTypes are all credential types, in the order of the documentation.
var CredentialTypes = []CredentialType{IAMUser, AssumedRole, FederationToken, SessionToken}

// Role is what roles/<name> holds.
type Role struct {
	// CredentialTypes holds one type; two (iam_user and federation_token) in a
	// legacy role with an inline policy, none in one with InvalidData.
	CredentialTypes []CredentialType `json:"credential_types"`

	PolicyARNs     []string          `json:"policy_arns"`
	RoleARNs       []string          `json:"role_arns"`
	PolicyDocument string            `json:"policy_document"`
	IAMGroups      []string          `json:"iam_groups"`
	IAMTags        map[string]string `json:"iam_tags"`
	SessionTags    map[string]string `json:"session_tags"`
	ExternalID     string            `json:"external_id"`

	// InvalidData is the text of a legacy role that nobody can read; the next
	// write clears it.
	InvalidData string `json:"invalid_data,omitempty"`
	// ProhibitFlexibleCredPath keeps a legacy role to the path it was written
	// for: creds for users, sts for sessions.
	ProhibitFlexibleCredPath bool `json:"prohibit_flexible_cred_path,omitempty"`
	Version                  int  `json:"version"`

	DefaultSTSTTL time.Duration `json:"default_sts_ttl"` // 0: 1h
	MaxSTSTTL     time.Duration `json:"max_sts_ttl"`     // 0: the mount's maximum

	UserPath               string `json:"user_path"` // "": "/"
	PermissionsBoundaryARN string `json:"permissions_boundary_arn"`
	MFASerialNumber        string `json:"mfa_serial_number"`

	// Ours; the built-in engine passes over them.
	ExpiryPolicy bool `json:"expiry_policy,omitempty"`
	MaxUsers     int  `json:"max_users,omitempty"` // 0: no limit

	RoleSessionNameTemplate string   `json:"role_session_name_template,omitempty"` // "": by username_template
	SourceIdentityTemplate  string   `json:"source_identity_template,omitempty"`   // "": none
	TransitiveTagKeys       []string `json:"transitive_tag_keys,omitempty"`        // of SessionTags

	DefaultTTL time.Duration `json:"default_ttl,omitempty"` // of IAM users; 0: that of config/lease
	MaxTTL     time.Duration `json:"max_ttl,omitempty"`     // of IAM users; 0: that of config/lease

	PropagationTimeout time.Duration `json:"propagation_timeout,omitempty"` // 0: keys are handed out at once
	PropagationRegions []string      `json:"propagation_regions,omitempty"` // none: that of STS
}

// roleVersion is the version of the format above; the built-in engine knows
// one only.
const roleVersion = 1

// Issues reports whether the role gives out credentials of type t.
func (r *Role) Issues(t CredentialType) bool { return slices.Contains(r.CredentialTypes, t) }

// IssuesAny reports whether the role gives out credentials of one of the types.
func (r *Role) IssuesAny(types []CredentialType) bool { return slices.ContainsFunc(types, r.Issues) }

// Role reads a role, in whatever format it is stored; nil if there is none.
//
// A legacy role is converted in memory each time and stored in the current
// format by the next write, so that reading never writes.
func (r Records) Role(ctx context.Context, name string) (*Role, error) {
	role := new(Role)
	found, err := r.load(ctx, roleKeys+name, role)
	if err != nil {
		return nil, err
	}
	if found {
		return role, nil
	}
	return r.legacyRole(ctx, name)
}

// PutRole writes a role in the current format; a legacy record of the same name
// goes.
func (r Records) PutRole(ctx context.Context, name string, role *Role) error {
	role.Version = roleVersion
	if err := r.save(ctx, roleKeys+name, role); err != nil {
		return err
	}
	return r.remove(ctx, legacyRoleKeys+name)
}

// DeleteRole removes a role; one that is not there counts as removed.
// Credentials it has given out live on until their leases end.
func (r Records) DeleteRole(ctx context.Context, name string) error {
	if err := r.remove(ctx, legacyRoleKeys+name); err != nil {
		return err
	}
	return r.remove(ctx, roleKeys+name)
}

func (r Records) remove(ctx context.Context, key string) error {
	if err := r.Storage.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// RoleNames lists the names of all roles, sorted, each once.
func (r Records) RoleNames(ctx context.Context) ([]string, error) {
	var names []string
	for _, prefix := range []string{roleKeys, legacyRoleKeys} {
		some, err := r.Storage.List(ctx, prefix)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", prefix, err)
		}
		names = append(names, some...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
