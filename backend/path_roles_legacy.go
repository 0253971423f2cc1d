package backend

import (
	"maps"
	"slices"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
)

const legacyWarning = "Detected use of legacy role or policy parameter. Please upgrade to use the new parameters."

// legacyUpdate replaces a role by what the deprecated policy or arn says.
func legacyUpdate(_ *store.Role, d *framework.FieldData) (*store.Role, []string, error) {
	text, err := legacyText(d)
	if err != nil {
		return nil, nil, err
	}
	role := store.LegacyRole(text)
	if role.InvalidData != "" {
		return nil, nil, invalid("unable to parse supplied data: policy must be a policy document in JSON, arn the ARN of an IAM role (role/…) or of a managed policy (policy/…)")
	}
	return role, []string{legacyWarning}, nil
}

// legacyText is the text of the one deprecated field of the request. Current
// fields beside it are refused: they would be lost.
func legacyText(d *framework.FieldData) (string, error) {
	texts := sent(d, "policy", "arn")
	if len(texts) > 1 {
		return "", invalid("only one of policy or arn should be provided: leave one out, or use policy_document, policy_arns and role_arns")
	}
	for _, field := range slices.Sorted(maps.Keys(roleFields())) {
		if field != "name" && field != "policy" && field != "arn" && anySent(d, field) {
			return "", invalid("cannot supply deprecated role or policy parameters with %s: use policy_document, policy_arns or role_arns", field)
		}
	}
	return texts[0].value, nil
}
