package parity

import (
	"slices"
	"strings"

	"vault-plugin-secrets-aws/internal/awssim"
)

// with is a story about credentials of a role.
func with(name string, role object, steps ...step) sitting {
	s := alone(name, steps...)
	s.given = []step{{request: post("roles/deploy", role)}}
	return s
}

// credentialStories are about what credentials a role gives out.
func credentialStories() []sitting {
	assumed, federation := roleForms()["assumed_role"], roleForms()["federation_token"]
	read := get("creds/deploy")
	all := []sitting{
		alone("role absent", steps(read, get("sts/deploy"), post("creds/deploy", nil), post("sts/deploy", object{"ttl": 1800}))...),
		with("whole iam_user", fullRoles()["iam_user"], steps(read)...),
		with("by PUT", federation, steps(put("creds/deploy", object{"ttl": 1800}), put("sts/deploy", object{"ttl": 1800}))...),
		with("query of a POST", federation, steps(query("POST", "creds/deploy", "ttl", "1800"))...),
		with("name in the body", federation, steps(post("creds/deploy", object{"name": "other"}))...),
		with("unknown parameter", federation, steps(post("creds/deploy", object{"nonsense": 1}), search("creds/deploy", "nonsense", "1"))...),
		with("several role_arns", plus(assumed, object{"role_arns": []any{iamRole, otherRole}}), steps(read, search("creds/deploy", "role_arn", otherRole), post("sts/deploy", object{"role_arn": iamRole}), search("creds/deploy", "role_arn", extRole))...),
		with("no role_arns", object{"credential_type": "assumed_role"}, steps(read, search("creds/deploy", "role_arn", iamRole))...),
		with("role that trusts nobody", plus(assumed, object{"role_arns": denied}), steps(read)...),
		with("role that is absent", plus(assumed, object{"role_arns": iamRole + "-absent"}), steps(read)...),
		with("role in another partition", plus(assumed, object{"role_arns": "arn:aws-cn:iam::123456789012:role/deploy"}), steps(read)...),
		with("external id", plus(assumed, object{"role_arns": extRole, "external_id": "shared"}), steps(read)...),
		with("external id missing", plus(assumed, object{"role_arns": extRole}), steps(read)...),
		with("session tags", plus(assumed, object{"session_tags": object{"team": "a"}}), steps(read)...),
		with("policies and groups assumed", plus(assumed, object{"policy_document": ec2Policy, "policy_arns": readOnly, "iam_groups": group}), steps(read)...),
		with("group without policies assumed", plus(assumed, object{"iam_groups": emptyTeam}), steps(read)...),
		with("group absent assumed", plus(assumed, object{"iam_groups": "absent"}), steps(read)...),
		with("groups alone federated", object{"credential_type": "federation_token", "iam_groups": group}, steps(read)...),
		with("managed policies alone federated", object{"credential_type": "federation_token", "policy_arns": readOnly}, steps(read)...),
		with("nothing federated", object{"credential_type": "federation_token"}, steps(read)...),
		with("group without policies federated", object{"credential_type": "federation_token", "iam_groups": emptyTeam}, steps(read)...),
		with("group absent federated", object{"credential_type": "federation_token", "iam_groups": "absent"}, steps(read)...),
		with("MFA", object{"credential_type": "session_token", "mfa_serial_number": mfaDevice}, steps(read, search("creds/deploy", "mfa_code", "$MFA"))...),
		with("MFA posted", object{"credential_type": "session_token", "mfa_serial_number": mfaDevice}, steps(post("sts/deploy", object{"mfa_code": "$MFA"}))...),
		with("MFA wrong", object{"credential_type": "session_token", "mfa_serial_number": mfaDevice}, steps(search("creds/deploy", "mfa_code", "000000"))...),
		with("MFA of nobody", object{"credential_type": "session_token", "mfa_serial_number": mfaDevice + "-absent"}, steps(search("creds/deploy", "mfa_code", "123456"))...),
	}
	for _, t := range []string{"assumed_role", "federation_token", "session_token"} {
		limited := plus(roleForms()[t], object{"default_sts_ttl": 1800, "max_sts_ttl": 2700})
		all = append(all, with("limited "+t, limited, steps(read, search("creds/deploy", "ttl", "45m"), search("creds/deploy", "ttl", "46m"), post("sts/deploy", object{"ttl": "24h"}))...))
	}
	return all
}

// renewStories follow leases to their ends.
func renewStories() []sitting {
	user := roleForms()["iam_user"]
	lease := func(fields ...any) object {
		o := object{"lease_id": "$LEASE"}
		for i := 0; i < len(fields); i += 2 {
			o[fields[i].(string)] = fields[i+1]
		}
		return o
	}
	configured := post("config/lease", object{"lease": "30m", "lease_max": "2h"})
	read, renew, lookup := get("creds/deploy"), post("sys/leases/renew", lease()), post("sys/leases/lookup", lease())
	revoke := post("sys/leases/revoke", lease("sync", true))
	all := []sitting{
		with("lease of the mount", user, steps(read, renew, revoke, lookup)...),
		with("lease configured", user, steps(configured, read, lookup, renew, post("sys/leases/renew", lease("increment", 600)), post("sys/leases/renew", lease("increment", 360000)), revoke, revoke)...),
		with("lease changed meanwhile", user, steps(configured, read, post("config/lease", object{"lease": "10m", "lease_max": "20m"}), renew, lookup)...),
		with("lease above its maximum", user, steps(post("config/lease", object{"lease": "2h", "lease_max": "1h"}), read, renew)...),
		with("role changed meanwhile", fullRoles()["iam_user"], steps(read, post("roles/deploy", object{"policy_arns": "", "iam_groups": ""}), renew, revoke)...),
		with("role deleted meanwhile", user, steps(read, del("roles/deploy"), renew, revoke)...),
		with("revoked by prefix", user, steps(read, read, request{method: "POST", path: "sys/leases/revoke-prefix/$MOUNTcreds/deploy", body: object{"sync": true}})...),
		with("whole iam_user revoked", fullRoles()["iam_user"], steps(read, revoke)...),
	}
	for _, t := range []string{"assumed_role", "federation_token", "session_token"} {
		all = append(all, with("lease of "+t, roleForms()[t], steps(read, lookup, renew, revoke)...))
	}
	for _, meanwhile := range []struct {
		name string
		step step
	}{
		{"nothing happened", noFaults()},
		{"a key was added", somebody(awssim.ActAddKey, "$USER", "")},
		{"a policy was put", somebody(awssim.ActPutPolicy, "$USER", s3Policy)},
		{"a policy was attached", somebody(awssim.ActAttachPolicy, "$USER", readOnly)},
		{"a password was added", somebody(awssim.ActAddLogin, "$USER", "")},
		{"an SSH key was added", somebody(awssim.ActAddSSHKey, "$USER", "")},
		{"the user was deleted", somebody(awssim.ActDelete, "$USER", "")},
		{"keys may not be deleted", fault(failure{"iam:DeleteAccessKey", 403, "AccessDenied"})},
		{"users may not be deleted", fault(failure{"iam:DeleteUser", 403, "AccessDenied"})},
		{"lists are refused", fault(failure{"iam:ListGroupsForUser", 403, "AccessDenied"})},
	} {
		all = append(all, with("revoked when "+meanwhile.name, user, slices.Concat(steps(read), []step{meanwhile.step}, steps(revoke))...))
	}
	return all
}

// failureStories let each call of AWS fail.
func failureStories() []sitting {
	var all []sitting
	roles := fullRoles()
	roles["assumed_role"] = plus(roleForms()["assumed_role"], object{"iam_groups": group})
	roles["federation_token"] = plus(roleForms()["federation_token"], object{"iam_groups": group})
	roles["session_token"] = roleForms()["session_token"]
	for role, actions := range map[string][]string{
		"iam_user":         {"iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:AddUserToGroup", "iam:CreateAccessKey"},
		"assumed_role":     {"sts:AssumeRole", "iam:ListAttachedGroupPolicies", "iam:GetGroupPolicy", "sts:GetCallerIdentity"},
		"federation_token": {"sts:GetFederationToken", "iam:ListGroupPolicies"},
		"session_token":    {"sts:GetSessionToken"},
	} {
		for _, action := range actions {
			for _, f := range []failure{{action, 403, "AccessDenied"}, {action, 409, "LimitExceeded"}, {action, 400, "Throttling"}, {action, 503, "ServiceUnavailable"}} {
				all = append(all, with(role+" "+f.String(), roles[role], fault(f), step{request: get("creds/deploy")}))
			}
		}
	}
	slices.SortFunc(all, byName)
	// A new user that one call does not find yet, or that AWS is still changing, is waited for, so that these take seconds.
	for _, f := range []failure{{"iam:AttachUserPolicy", 404, "NoSuchEntity"}, {"iam:AttachUserPolicy", 409, "ConcurrentModification"}} {
		all = append(all, with("iam_user "+f.String(), roles["iam_user"], fault(f), step{request: get("creds/deploy")}))
	}
	return all
}

// rotateStories are about config/rotate-root.
func (w *world) rotateStories() []sitting {
	rotate, read := post("config/rotate-root", nil), get("config/root")
	all := []sitting{
		alone("rotated", steps(rotate, read, post("roles/deploy", roleForms()["session_token"]), get("creds/deploy"))...),
		alone("rotated by PUT, unknown field", steps(put("config/rotate-root", object{"nonsense": 1}))...),
		alone("rotated with two keys", append([]step{somebody(awssim.ActAddKey, rootUser, "")}, steps(rotate, read)...)...),
	}
	for _, config := range []object{{"region": "us-east-1"}, {"access_key": "", "secret_key": ""}} {
		s := alone("rotated without keys", steps(post("config/root", config), rotate)...)
		s.bare = true
		all = append(all, s)
	}
	for _, f := range []failure{
		{"iam:GetUser", 403, "AccessDenied"},
		{"iam:CreateAccessKey", 403, "AccessDenied"},
		{"iam:CreateAccessKey", 409, "LimitExceeded"},
		{"iam:CreateAccessKey", 400, "Throttling"},
		{"iam:DeleteAccessKey", 403, "AccessDenied"},
		{"iam:CreateAccessKey", 503, "ServiceUnavailable"},
		{"iam:CreateAccessKey", 409, "EntityTemporarilyUnmodifiable"},
	} {
		all = append(all, alone("rotated, "+f.String(), fault(f), step{request: rotate}))
	}
	return all
}

// staticStories are about static roles.
func staticStories() []sitting {
	role := object{"username": appUser, "rotation_period": "24h"}
	write, read, creds, remove := post("static-roles/app", role), get("static-roles/app"), get("static-creds/app"), del("static-roles/app")
	all := []sitting{
		alone("static role from begin to end", steps(list("static-roles"), read, creds, write, read, creds, list("static-roles"), list("static-roles/"), search("static-roles", "list", "true"),
			post("static-roles/app", object{"rotation_period": "48h"}), creds, remove, read, creds, list("static-roles"), remove)...),
		alone("static role by PUT, unknown field", steps(put("static-roles/app", plus(role, object{"nonsense": 1, "name": "other"})))...),
		alone("static role without username", steps(post("static-roles/app", object{"rotation_period": "24h"}))...),
		alone("static role without rotation_period", steps(post("static-roles/app", object{"username": appUser}))...),
		alone("static role without anything", steps(post("static-roles/app", object{}))...),
		alone("static role by schedule", steps(post("static-roles/app", object{"username": appUser, "rotation_schedule": "0 0 * * SAT"}))...),
		alone("static role rotated by hand", steps(write, put("rotate-role/app", nil))...),
		alone("two static roles of a user", steps(write, post("static-roles/other", role))...),
		alone("static role of a user with two keys", steps(post("static-roles/app", plus(role, object{"username": twoKeys})))...),
		alone("static role of a user with two keys, the oldest goes", steps(post("static-roles/app", plus(role, object{"username": twoKeys, "key_adoption": "replace_oldest"})))...),
		alone("static role deleted after its key", slices.Concat(steps(write), []step{somebody(awssim.ActDelete, appUser, "")}, steps(remove))...),
		alone("static role deleted, iam:DeleteAccessKey answers AccessDenied", slices.Concat(steps(write), []step{fault(failure{"iam:DeleteAccessKey", 403, "AccessDenied"})}, steps(remove, read))...),
	}
	for _, f := range []failure{
		{"iam:GetUser", 403, "AccessDenied"},
		{"iam:GetUser", 400, "Throttling"},
		{"iam:ListAccessKeys", 403, "AccessDenied"},
		{"iam:CreateAccessKey", 403, "AccessDenied"},
		{"iam:CreateAccessKey", 409, "LimitExceeded"},
	} {
		all = append(all, alone("static role, "+f.String(),
			slices.Concat([]step{fault(f)}, steps(write), []step{noFaults()}, steps(read, creds))...))
	}
	return all
}

func byName(a, b sitting) int { return strings.Compare(a.cases[0].name, b.cases[0].name) }
