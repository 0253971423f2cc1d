package backend

import (
	"vault-plugin-secrets-aws/backend/metrics"

	"github.com/hashicorp/vault/sdk/framework"
)

// What operations answer. A field that is not always there is optional; one that
// is there and may be null says so. The scenarios of the mount hold every answer
// against these.

func answered(t framework.FieldType, description string) *framework.FieldSchema {
	return &framework.FieldSchema{Type: t, Description: description, Required: true}
}

func text(description string) *framework.FieldSchema {
	return answered(framework.TypeString, description)
}

func number(description string) *framework.FieldSchema {
	return answered(framework.TypeInt, description)
}

func flag(description string) *framework.FieldSchema {
	return answered(framework.TypeBool, description)
}

func texts(description string) *framework.FieldSchema {
	return answered(framework.TypeStringSlice, description)
}

func optional(field *framework.FieldSchema) *framework.FieldSchema {
	field.Required = false
	return field
}

func listAnswer() fields {
	return fields{"keys": optional(texts("Names."))}
}

func rootAnswer() fields {
	return joined(echoed(configRootFields(), "secret_key"), fields{
		"credential_source":   text("Where the root credentials come from, or why there are none."),
		"names_unique":        flag("Whether each name carries enough randomness of the engine's own."),
		"last_vault_rotation": text("Time of the last rotation (RFC 3339); null if there was none."),
		"next_vault_rotation": text("Time of the next rotation (RFC 3339); null if none is due, or Vault knows it."),
		"last_rotation_error": text("Why the last rotation failed; empty if it did not."),
	})
}

func rotateRootAnswer() fields {
	return fields{"access_key": text("Access key id of the new root key.")}
}

func leaseAnswer() fields {
	return fields{
		"lease":     text(`Lease of new IAM user credentials, such as "30m0s".`),
		"lease_max": text("Longest life that renewals can reach, in the same form."),
	}
}

func roleAnswer() fields {
	return joined(echoed(roleFields(), "name", "arn", "policy"), fields{
		"invalid_data": optional(text("What could not be read of a role that was written before Vault 0.11.")),
	})
}

func credsAnswer() fields {
	return fields{
		"access_key":      optional(text("Access key id.")),
		"secret_key":      optional(text("Secret access key.")),
		"session_token":   optional(text("Session token; null for IAM users.")),
		"security_token":  optional(text("The same, under its old name.")),
		"ttl":             optional(number("Life of the session, in seconds. STS types only.")),
		"expiration":      optional(text("End of the session (RFC 3339). STS types only.")),
		"arn":             optional(text("ARN of the session. assumed_role only.")),
		"source_identity": optional(text("Source identity of the session. Only with source_identity_template.")),
		"ready":           optional(flag("Whether STS knows the new key. Only with propagation_timeout.")),
		"ready_after":     optional(text("Since when it does (RFC 3339); null if not known. Only with propagation_timeout.")),
	}
}

func staticRoleAnswer() fields {
	return joined(echoed(staticRoleFields()), fields{
		"id":    text("IAM's unique id of the user."),
		"grace": number("How long the previous key stays valid after a rotation, in seconds; null: until the next rotation."),
	})
}

func staticCredsAnswer() fields {
	return fields{
		"access_key":           text("Access key id."),
		"secret_key":           text("Secret access key."),
		"rotation_period":      number("How long a key is used before it is rotated, in seconds; 0 if not by a period."),
		"expiration":           text("Time of the next rotation (RFC 3339); null if by hand only."),
		"ttl":                  number("Seconds until then; null if by hand only."),
		"last_vault_rotation":  text("Time of the last rotation (RFC 3339); null for a key that the built-in engine made."),
		"previous_valid_until": text("Until when the previous key is valid (RFC 3339); null if there is none, or no end."),
		"last_rotation_error":  text("Why the last rotation failed; empty if it did not."),
	}
}

func usersAnswer() fields {
	return fields{
		"keys":     optional(texts("Names of IAM users.")),
		"key_info": optional(answered(framework.TypeMap, "By name: state, role, access_key, issued and deadline.")),
	}
}

func userAnswer() fields {
	return fields{
		"user_name": text("Name of the IAM user."), "state": text("pooled, issued, or condemned: it is destroyed as soon as AWS lets us."),
		"role": text("Role that the credential is of."), "entity_id": text("Vault entity that asked for it."),
		"made": optional(text("When it was made (RFC 3339), of one from a pool.")), "display_name": text("Display name of the token that asked for it."), "request_id": text("Vault's id of that request, as in the audit log."),
		"account": text("AWS account of the user; empty if AWS did not tell."), "access_key": text("Access key id."),
		"policy_arns": texts("Managed policies that were attached."), "policy_names": texts("Inline policies that were put."), "iam_groups": texts("Groups that were joined."),
		"issued": text("When it was issued (RFC 3339); null if not known."), "deadline": text("End of its lease (RFC 3339); null if not known."),
		"process":         optional(text("Process that has the key of a pooled user.")),
		"key_deleted":     flag("Whether AWS confirmed that its key is deleted."),
		"condemned_since": optional(text("Since when it is condemned (RFC 3339).")), "reason": optional(text("Why it is condemned.")),
		"tries": optional(number("How often destroying it was tried.")), "next_try": optional(text("When it is tried again (RFC 3339).")),
		"last_error": optional(text("Why it is still there.")),
	}
}

func tidyAnswer() fields {
	return fields{
		"state": text("Of the last pass: inactive, running, finished, failed or cancelled."), "error": text("Why it failed."),
		"time_started": text("When it was started (RFC 3339); null if none was."), "time_finished": text("When it ended (RFC 3339); null if it has not."),
		"dry_run": flag("Whether it only reports."), "tidy_records": flag("Whether it looks at records."), "tidy_unknown_users": flag("Whether it looks for unknown users."),
		"users_seen": number("Users in the account."), "records_seen": number("Records of the mount."), "records_forgotten": number("Records that it forgot."),
		"unknown_users": number("Users of this mount that nothing names."), "users_deleted": number("Users that it destroyed."),
		"findings":   answered(framework.TypeSlice, "What it found: user and finding."),
		"live_users": number("Users that live, or are being made."), "journal_entries": number("Users that are announced in the journal."),
		"condemned_users": number("Users that are to be destroyed."), "overdue_users": number("Users past the end of their lease."),
		"unreadable_records": number("Records that cannot be decoded."), "records_complete": flag("Whether all records have been read since the start."),
		"deadlines_held": text("Why no user is destroyed by its deadline; empty if they are."), "restored": text("Why storage seems to have been restored; empty if not."),
		"pooled_users": number("Users that are made ahead of time."), "pooled_ready": number("Those that may be handed out now."),
		"draining": flag("Whether the mount makes no new users."), "drained": flag("Whether nothing is owed any more."),
		"owner": text("The owner tag of this mount's users."), "incarnation": number("How often the mount was started."),
	}
}

func iamPolicyAnswer() fields {
	return fields{
		"policy":     text("The policy as JSON; empty if nothing is configured that needs a permission."),
		"characters": number("Its size as AWS counts it, without white space."),
		"arn":        text("IAM user or role that it is for."),
		"features":   texts("What it is for, by what is configured."),
	}
}

func diagnoseAnswer() fields {
	return fields{
		"time":              text("When AWS was asked (RFC 3339)."),
		"identity":          answered(framework.TypeMap, "Who the mount is in AWS, and by which credentials."),
		"endpoints":         answered(framework.TypeSlice, "Where AWS was asked: service, region, host, whether it was reached, latency_ms and clock_skew in seconds."),
		"findings":          answered(framework.TypeSlice, "What is wrong: severity, check, subject, problem and remedy."),
		"more_findings":     number("Findings that are left out."),
		"not_checked":       answered(framework.TypeSlice, "What could not be found out: check, subject and reason."),
		"roles_checked":     number("Roles and static roles that were looked at."),
		"roles_not_checked": number("Those that were left out."),
		"errors":            number("Findings of severity error."),
		"report":            text("All of this, to read."),
	}
}

// metricsAnswer is the table of metrics. One is absent where nothing is known.
func metricsAnswer() fields {
	all := make(fields)
	for _, d := range metrics.New(callTimer, metricsTable()).Describe() {
		field := &framework.FieldSchema{Type: framework.TypeSlice, Description: d.Help}
		if len(d.Labels) == 0 {
			field.Type = framework.TypeFloat
		}
		all[d.Name] = field
	}
	return all
}
