package backend

import "github.com/hashicorp/vault/sdk/framework"

// roleFields are the fields of roles/<name>.
func roleFields() map[string]*framework.FieldSchema { //nolint:funlen // a table
	return map[string]*framework.FieldSchema{
		"name": {
			Type:        framework.TypeString,
			Description: "Name of the role.",
		},
		"credential_type": {
			Type:        framework.TypeString,
			Description: "What the role gives out: iam_user, assumed_role, federation_token or session_token. Required.",
		},
		"policy_document": {
			Type:        framework.TypeString,
			Description: "IAM policy in JSON. iam_user: put on the user; assumed_role and federation_token: limits the session. Empty clears it.",
		},
		"policy_arns": {
			Type:        framework.TypeCommaStringSlice,
			Description: "ARNs of managed policies. iam_user: attached to the user; assumed_role and federation_token: limit the session.",
		},
		"role_arns": {
			Type:        framework.TypeCommaStringSlice,
			Description: "ARNs of the IAM roles that may be assumed. assumed_role only.",
		},
		"iam_groups": {
			Type:        framework.TypeCommaStringSlice,
			Description: "IAM groups. iam_user: joined by the user; assumed_role and federation_token: their policies limit the session.",
		},
		"iam_tags": {
			Type:        framework.TypeKVPairs,
			Description: "Tags of the user, key=value. iam_user only. Needs iam:TagUser.",
		},
		"session_tags": {
			Type:        framework.TypeKVPairs,
			Description: "Tags of the session, key=value. assumed_role only. Needs sts:TagSession in the IAM role's trust policy.",
		},
		"transitive_tag_keys": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Keys of session_tags that go on to the sessions of roles assumed with this one. assumed_role only.",
		},
		"role_session_name_template": {
			Type:        framework.TypeString,
			Description: "Template of the session's name, such as {{identity.entity.name}}; requests then cannot choose it. assumed_role only.",
		},
		"source_identity_template": {
			Type:        framework.TypeString,
			Description: "Template of the session's source identity. assumed_role only. Needs sts:SetSourceIdentity in the IAM role's trust policy.",
		},
		"external_id": {
			Type:        framework.TypeString,
			Description: "External id that the IAM role's trust policy asks for. assumed_role only.",
		},
		"default_sts_ttl": {
			Type:        framework.TypeDurationSecond,
			Description: "Life of a session unless the request asks for another. Default: 1h. STS types only.",
		},
		"max_sts_ttl": {
			Type:        framework.TypeDurationSecond,
			Description: "Longest life of a session that a request can ask for. Default: the mount's maximum. STS types only.",
		},
		"user_path": {
			Type:        framework.TypeString,
			Default:     "/",
			Description: "Path of the user in IAM, beginning and ending with a slash. iam_user only.",
		},
		"permissions_boundary_arn": {
			Type:        framework.TypeString,
			Description: "ARN of the managed policy that bounds the user's permissions. iam_user only.",
		},
		"mfa_serial_number": {
			Type:        framework.TypeString,
			Description: "Serial number or ARN of the root user's MFA device. session_token only; a request then needs mfa_code.",
		},
		"expiry_policy": {
			Type:        framework.TypeBool,
			Description: "Adds a policy to each user that denies everything once its lease must be over, even if Vault is gone. iam_user only.",
		},
		"max_users": {
			Type:        framework.TypeInt,
			Description: "How many users of the role may live at once. 0: no limit. iam_user only.",
		},
		"default_ttl": {
			Type:        framework.TypeDurationSecond,
			Description: "Lease of the role's users unless the request asks for another. Default: that of config/lease. iam_user only.",
		},
		"max_ttl": {
			Type:        framework.TypeDurationSecond,
			Description: "Longest life of the role's users, by renewals or on request. Default: that of config/lease. iam_user only.",
		},
		"propagation_timeout": {
			Type:        framework.TypeDurationSecond,
			Description: "How long an answer waits until STS accepts the new key, at most 25s. 0: it does not wait. iam_user only.",
		},
		"propagation_regions": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Regions whose STS has to accept the new key. Default: the one that config/root uses. iam_user only.",
		},
		"arn": {
			Type:        framework.TypeString,
			Deprecated:  true,
			Description: "Deprecated: use role_arns or policy_arns. ARN of an IAM role to assume or of a managed policy.",
		},
		"policy": {
			Type:        framework.TypeString,
			Deprecated:  true,
			Description: "Deprecated: use policy_document. IAM policy in JSON, for users and federation tokens.",
		},
	}
}
