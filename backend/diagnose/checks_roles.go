package diagnose

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// Checks of roles.

func checkRoles(q *inquiry) {
	view := View{Partition: PartitionOf(q.Config), MaxTTL: q.MaxTTL}
	if q.root.Partition != "" {
		view.Partition = q.root.Partition
	}
	if q.Config.OwnerTags {
		view.OwnerTags = OwnerTags()
	}
	for _, role := range q.Roles {
		subject := "roles/" + role.Name
		if role.InvalidData != "" {
			q.find(Error, subject, "write the role again, with credential_type", "the role is stored in a form of old that nobody can read")
			continue
		}
		view.Role = role
		for _, f := range RoleRules(view) {
			q.add(f)
		}
		for _, warning := range role.Warnings() {
			q.find(Warning, subject, "correct the role", "%s", warning)
		}
		for _, problem := range slices.Concat(role.Problems(), q.Config.Forbids(role.Role)) {
			q.find(Error, subject, "correct the role; as it is, it cannot be written again, or gives out nothing", "%s", problem)
		}
		q.temporary(role)
	}
	if q.RolesLeft+q.StaticsLeft > 0 {
		q.skip("roles", "%d roles and %d static roles: only %d are looked at; ask with role=", q.RolesLeft, q.StaticsLeft, MaxRoles)
	}
}

// OwnerTags is how many tags iam_owner_tags adds to a user.
func OwnerTags() int { return len(lifecycle.MountState{}.OwnerTags(lifecycle.Bearer{})) }

// longestChained is how long AWS lets temporary credentials assume an IAM role.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining (checked 2026-11)
const longestChained = time.Hour

// temporary tells what AWS keeps from temporary root credentials.
func (q *inquiry) temporary(role Role) {
	if q.source.err != nil || !q.source.value.Temporary {
		return
	}
	if role.IssuesAny([]store.CredentialType{store.FederationToken, store.SessionToken}) {
		q.find(Error, "roles/"+role.Name, "put an IAM user's keys into config/root, or use credential_type=assumed_role", "the root credentials are temporary (%s), and AWS gives them no federation or session tokens", q.source.value.Name)
	}
	for field, ttl := range map[string]time.Duration{"default_sts_ttl": role.DefaultSTSTTL, "max_sts_ttl": role.MaxSTSTTL} {
		if role.Issues(store.AssumedRole) && ttl > longestChained {
			q.find(ttlSeverity(field), "roles/"+role.Name, "write at most 1h, or put an IAM user's keys into config/root", "%s %s is more than AWS gives to temporary root credentials (role chaining), an hour", field, ttl)
		}
	}
}

func checkPolicies(q *inquiry) {
	for _, role := range q.Roles {
		for field, arns := range map[string][]string{"policy_arns": role.PolicyARNs, "permissions_boundary_arn": {role.PermissionsBoundaryARN}} {
			for _, arn := range arns {
				q.policy("roles/"+role.Name, field, arn)
			}
		}
	}
}

func (q *inquiry) policy(subject, field, text string) {
	arn, err := policy.ParseARN(text)
	if text == "" || err != nil || q.root.Account == "" {
		return
	}
	a := q.policies.of(text)
	switch {
	case arn.Account != q.root.Account && arn.Account != "aws":
		q.find(Error, subject, "write a policy of account "+q.root.Account, "%s holds %s, a policy of another account than the root credentials', %s", field, text, q.root.Account)
	case errors.Is(a.err, awserr.NotFound):
		q.find(Error, subject, "correct the ARN, or create the policy", "%s holds %s, and there is no such policy", field, text)
	case reason(a) != "":
		q.skip(subject, "whether %s exists: %s", text, reason(a))
	case !a.value:
		q.find(Error, subject, "take it out", "%s holds %s, which AWS does not let anybody attach", field, text)
	}
}

func checkGroups(q *inquiry) {
	for _, role := range q.Roles {
		if !role.Issues(store.IAMUser) || q.root.Account == "" {
			continue
		}
		for _, group := range role.IAMGroups {
			a := q.groups.of(group)
			switch {
			case errors.Is(a.err, awserr.NotFound):
				q.find(Error, "roles/"+role.Name, "correct iam_groups, or create the group", "there is no IAM group %q", group)
			case reason(a) != "":
				q.skip("roles/"+role.Name, "whether group %q exists: %s", group, reason(a))
			}
		}
	}
}

// maxSessionPolicy is what AWS takes of a session's policy, in characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (checked 2026-11)
const maxSessionPolicy = 2048

// checkSessions is about the policies and the lives of sessions.
func checkSessions(q *inquiry) {
	for _, role := range q.Roles {
		if limitsSessions(role.Role) && q.root.Account != "" {
			q.sessionPolicies(role)
		}
		for _, arn := range role.RoleARNs {
			if found := q.iamRoles.of(arn); found.asked && found.err == nil {
				q.sessionLives(role, found.value)
			}
		}
	}
}

func (q *inquiry) sessionPolicies(role Role) {
	subject, documents, arns := "roles/"+role.Name, []string{role.PolicyDocument}, slices.Clone(role.PolicyARNs)
	for _, group := range role.IAMGroups {
		a := q.limits.of(group)
		switch {
		case errors.Is(a.err, awserr.NotFound):
			q.find(Error, subject, "correct iam_groups, or create the group", "there is no IAM group %q", group)
			return
		case q.told(a.err, subject, "iam_groups of session roles"):
			return
		case reason(a) != "":
			q.skip(subject, "the policies of group %q, which limit the sessions: %s", group, reason(a))
			return
		}
		documents, arns = append(documents, a.value.Documents...), append(arns, a.value.ARNs...)
	}
	merged, err := policy.Merge(documents...)
	switch {
	case len(role.IAMGroups) == 0: // told by the rules
	case err != nil:
		q.find(Error, subject, "correct policy_document and the groups' policies", "the policies of the role and its iam_groups cannot be merged: %v", err)
	case len([]rune(merged)) > maxSessionPolicy:
		q.find(Error, subject, "shorten them, or attach policies to the IAM role", "policy_document and the policies of iam_groups have %d characters, and AWS takes %d for a session", len([]rune(merged)), maxSessionPolicy)
	case len(arns) > sessionQuota:
		q.find(Error, subject, "put them together, or attach them to the IAM role", "policy_arns and iam_groups have %d managed policies, and AWS takes %d for a session", len(arns), sessionQuota)
	}
}

func (q *inquiry) sessionLives(role Role, to awsclient.RoleInfo) {
	if to.MaxSession == 0 {
		return
	}
	asked := role.DefaultSTSTTL
	if asked == 0 {
		asked = time.Hour
	}
	subject, mend := "roles/"+role.Name, fmt.Sprintf("write at most %s, or raise the maximum session duration of the IAM role", to.MaxSession)
	switch {
	case asked > to.MaxSession:
		q.find(Error, subject, mend, "sessions of %s are asked for, and %s gives %s", asked, to.ARN, to.MaxSession)
	case role.MaxSTSTTL > to.MaxSession:
		q.find(Warning, subject, mend, "max_sts_ttl is %s, and %s gives %s", role.MaxSTSTTL, to.ARN, to.MaxSession)
	}
}
