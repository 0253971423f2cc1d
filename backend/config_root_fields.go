package backend

import (
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
)

// configRootFields are the fields of config/root.
func configRootFields() map[string]*framework.FieldSchema { //nolint:funlen // a table
	return map[string]*framework.FieldSchema{
		"access_key": {
			Type:        framework.TypeString,
			Description: "Access key id of the root credentials. Without access_key and secret_key the Vault server's own AWS credentials are used.",
		},
		"secret_key": {
			Type:         framework.TypeString,
			Description:  "Secret access key of the root credentials. Never returned.",
			DisplayAttrs: &framework.DisplayAttributes{Sensitive: true},
		},
		"region": {
			Type:        framework.TypeString,
			Description: "AWS region, such as eu-west-1. IAM is reached in the home region of its partition. Default: us-east-1.",
		},
		"iam_endpoint": {
			Type:        framework.TypeString,
			Description: "URL of the IAM endpoint, where the default of the region does not fit.",
		},
		"sts_endpoint": {
			Type:        framework.TypeString,
			Description: "URL of the STS endpoint, where the default of the region does not fit.",
		},
		"sts_region": {
			Type:        framework.TypeString,
			Description: "Region of STS, if it is not region.",
		},
		"sts_fallback_endpoints": {
			Type:        framework.TypeCommaStringSlice,
			Description: "URLs of STS endpoints to try, in order, when the first does not answer. As many as sts_fallback_regions.",
		},
		"sts_fallback_regions": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Regions of sts_fallback_endpoints, in the same order.",
		},
		"max_retries": {
			Type:        framework.TypeInt,
			Default:     store.SDKRetries,
			Description: "How often a failed AWS call is repeated; -1 leaves it to the AWS SDK. Calls that create are repeated only when throttled.",
		},
		"username_template": {
			Type:        framework.TypeString,
			Description: "Template of IAM user names and STS session names: at most 2048 bytes. Empty restores the default.",
		},
		"identity_token_audience": {
			Type:        framework.TypeString,
			Description: "Audience of the identity tokens that are exchanged for credentials of role_arn, instead of access_key. Needs a server that issues them.",
		},
		"identity_token_ttl": {
			Type:        framework.TypeDurationSecond,
			Description: "Life of those tokens. Default: 1h.",
		},
		"rotation_schedule": {
			Type:        framework.TypeString,
			Description: "When the root key is rotated: five fields of cron, in UTC. Excludes rotation_period. Empty clears it.",
		},
		"rotation_window": {
			Type:        framework.TypeDurationSecond,
			Description: "How long after a time of rotation_schedule the rotation may still happen: at least 1h. 0: until it succeeds.",
		},
		"rotation_period": {
			Type:        framework.TypeDurationSecond,
			Description: "How long a root key is used before it is rotated: at least 10s. Excludes rotation_schedule. 0 clears it.",
		},
		"disable_automated_rotation": {
			Type:        framework.TypeBool,
			Description: "Keeps the schedule or period, and does not rotate.",
		},
		"allowed_policy_arns": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Patterns of the policy_arns that roles may have; * stands for any text. Empty: no limit.",
		},
		"allowed_role_arns": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Patterns of the role_arns that roles may have; * stands for any text. Empty: no limit.",
		},
		"allowed_user_paths": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Patterns of the user_path that roles may have; * stands for any text. Empty: no limit.",
		},
		"allowed_usernames": {
			Type:        framework.TypeCommaStringSlice,
			Description: "Patterns of the users that static roles may take over; * stands for any text. Empty: no limit.",
		},
		"required_permissions_boundary_arn": {
			Type:        framework.TypeString,
			Description: "The permissions_boundary_arn that every iam_user role must have. Empty: no limit.",
		},
		"iam_owner_tags": {
			Type:        framework.TypeBool,
			Description: "Tags each IAM user with the mount that made it, so that tidy finds users nothing names. Needs iam:TagUser.",
		},
		"max_users": {
			Type:        framework.TypeInt,
			Description: "How many IAM users of this mount may live at once. 0: no limit.",
		},
		"role_arn": {
			Type:        framework.TypeString,
			Description: "ARN of the IAM role for workload identity federation. Has no effect without identity_token_audience.",
		},
	}
}
