package store

import (
	"context"
	"fmt"
	"strings"

	"vault-plugin-secrets-aws/backend/policy"
)

// legacyRole reads a role of the time before Vault 0.11, a bare text under
// policy/<name>; nil if there is none.
func (r Records) legacyRole(ctx context.Context, name string) (*Role, error) {
	entry, err := r.Storage.Get(ctx, legacyRoleKeys+name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", legacyRoleKeys+name, err)
	}
	if entry == nil {
		return nil, nil
	}
	return LegacyRole(string(entry.Value)), nil
}

// LegacyRole converts the text of a legacy role: the ARN of an IAM role or a
// managed policy, or a policy document. Any other text becomes InvalidData, and
// the role gives out nothing.
func LegacyRole(text string) *Role {
	role := legacyARN(text)
	if role == nil {
		role = legacyPolicy(text)
	}
	if role == nil {
		return &Role{InvalidData: text, Version: roleVersion}
	}
	role.Version, role.ProhibitFlexibleCredPath = roleVersion, true
	return role
}

func legacyARN(text string) *Role {
	text = strings.TrimSpace(text)
	arn, err := policy.ParseARN(text)
	switch {
	case err != nil:
		return nil
	case strings.HasPrefix(arn.Resource, "role/"):
		return &Role{CredentialTypes: []CredentialType{AssumedRole}, RoleARNs: []string{text}}
	case strings.HasPrefix(arn.Resource, "policy/"):
		return &Role{CredentialTypes: []CredentialType{IAMUser}, PolicyARNs: []string{text}}
	}
	return nil
}

func legacyPolicy(text string) *Role {
	doc, err := policy.Compact(text)
	if err != nil {
		return nil
	}
	return &Role{CredentialTypes: []CredentialType{IAMUser, FederationToken}, PolicyDocument: doc}
}
