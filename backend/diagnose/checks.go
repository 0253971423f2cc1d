package diagnose

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/naming"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// check is a row: it judges what is known, and calls nobody.
type check struct {
	name string
	run  func(*inquiry)
}

// checks is the table, in the order in which findings are told.
var checks = []check{
	{"config", checkConfig},
	{"credentials", checkCredentials},
	{"clock", checkClock},
	{"endpoints", checkEndpoints},
	{"root key", checkRootKey},
	{"rotation", checkRotation},
	{"template", checkTemplate},
	{"mount", checkState},
	{"permissions", checkPermissions},
	{"role", checkRoles},
	{"policies", checkPolicies},
	{"groups", checkGroups},
	{"sessions", checkSessions},
	{"trust", checkTrust},
	{"static role", checkStatics},
}

func checkConfig(q *inquiry) {
	if q.Unusable != nil {
		q.find(Error, "config/root", "correct config/root; until then nothing of AWS is checked", "no AWS client can be made of config/root: %v", q.Unusable)
		return
	}
	if !q.Written {
		q.find(Warning, "config/root", "write config/root, with access_key and secret_key unless the server's own identity is meant", "config/root is not written: the Vault server's own AWS credentials are used")
	}
	if strings.HasPrefix(q.Config.AccessKey, "ASIA") {
		q.find(Error, "config/root", "write an IAM user's key (AKIA…), or none to use the server's own credentials", "access_key is a temporary one, and config/root has no field for its session token")
	}
	for _, region := range slices.Concat([]string{q.Config.Region, q.Config.STSRegion}, q.Config.STSFallbackRegions) {
		if region != "" && !awsclient.KnownRegion(region) {
			q.find(Warning, "config/root", "check the region, unless the server is not AWS's own", "%q is no region of AWS that this version knows; requests are signed for it as it is", region)
		}
	}
	for _, endpoint := range slices.Concat([]string{q.Config.IAMEndpoint, q.Config.STSEndpoint}, q.Config.STSFallbackEndpoints) {
		if awsclient.Insecure(endpoint) {
			q.find(Warning, "config/root", "use https://", "endpoint %q is not encrypted: credentials cross the network in the clear", endpoint)
		}
	}
	if q.Config.RoleARN != "" && q.Config.IdentityTokenAudience == "" {
		q.find(Warning, "config/root", "write identity_token_audience, or clear role_arn", "role_arn has no effect without identity_token_audience")
	}
}

func checkCredentials(q *inquiry) {
	err := q.identity.err
	if q.source.err != nil && errors.Is(q.source.err, awserr.Denied) {
		err = q.source.err
	}
	switch {
	case !q.identity.asked:
	case errors.Is(err, awserr.Unavailable), errors.Is(err, awserr.Throttled):
		q.find(Error, "config/root", remedy(err), "AWS does not tell who the root credentials are: %v", err)
	case err != nil:
		q.find(Error, "config/root", remedy(err), "the root credentials do not work: %v", err)
	case q.root.AccountRoot():
		q.find(Error, "config/root", "make an IAM user with the policy of config/iam-policy and write its keys to config/root, then delete the account's root keys", "the root credentials are those of the AWS account's root user, whom no policy limits")
	}
	if err != nil {
		q.skip("config/root", "permissions, and all that roles name in AWS: the root credentials do not work")
	}
}

// remedy is what to do about a failed call; there is always something.
func remedy(err error) string {
	if text := awserr.Remedy(err); text != "" {
		return text
	}
	return "check config/root against the message of AWS"
}

// How far clocks may differ. AWS refuses signatures five minutes off.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (checked 2026-11)
const (
	oddSkew     = time.Minute
	refusedSkew = 5 * time.Minute
)

func checkClock(q *inquiry) {
	var worst time.Duration
	for _, e := range q.reached {
		if e.Skew.Abs() > worst.Abs() {
			worst = e.Skew
		}
	}
	severity := Warning
	if worst.Abs() >= refusedSkew {
		severity = Error
	}
	if worst.Abs() >= oddSkew {
		q.find(severity, "clock", "set the clock of this Vault server (NTP); AWS refuses requests that are more than five minutes off", "the clock of this server is %s %s AWS's", worst.Abs(), map[bool]string{true: "behind", false: "ahead of"}[worst > 0])
	}
}

func checkEndpoints(q *inquiry) {
	for i, e := range q.reached {
		if e.Answer {
			continue
		}
		subject := e.Service + " " + e.place()
		if e.Err == nil {
			q.skip(subject, "there was no time")
			continue
		}
		severity := Error
		if i > 0 && e.Service == "sts" || e.Service == "iam" && !q.usesIAM() {
			severity = Warning
		}
		q.find(severity, subject, "check its URL and region in config/root, DNS, proxy, firewall and TLS certificates of the Vault server", "the endpoint gives no answer of AWS: %v", e.Err)
	}
}

// place is where the endpoint is, as well as it is known.
func (e endpoint) place() string {
	for _, text := range []string{e.Host, e.URL, e.Region} {
		if text != "" {
			return text
		}
	}
	return "?"
}

// usesIAM reports whether something configured needs the IAM endpoint.
func (q *inquiry) usesIAM() bool {
	return len(q.Statics) > 0 || slices.ContainsFunc(q.Roles, func(r Role) bool { return r.Issues(store.IAMUser) || len(r.IAMGroups) > 0 })
}

// oldKey is when a key should have been rotated: AWS's own security checks and
// CIS complain after this long.
const oldKey = 90 * 24 * time.Hour

func checkRootKey(q *inquiry) {
	if q.root.UserName == "" || q.Config.AccessKey == "" {
		return
	}
	if q.told(q.keys.err, "config/root", "config/rotate-root") {
		return
	}
	if why := reason(q.keys); why != "" {
		q.skip("config/root", "the age of the root key: %s", why)
		return
	}
	for _, key := range q.keys.value {
		age := q.Now.Sub(key.Created)
		switch {
		case key.ID != q.Config.AccessKey:
			q.find(Warning, "config/root", "delete "+key.ID+" in IAM if nobody uses it", "the root user has another access key, %s: config/rotate-root has no room for a new one", key.ID)
		case age > oldKey:
			q.find(Warning, "config/root", "write config/rotate-root, or rotation_period to config/root", "the root key is %d days old", int(age.Hours()/24))
		}
	}
}

// overdue is how late a rotation may be before somebody should look.
const overdue = time.Hour

func checkRotation(q *inquiry) {
	switch {
	case q.Config.Scheduled() && q.Config.AccessKey == "":
		q.find(Warning, "config/root", "write access_key and secret_key, or clear rotation_schedule and rotation_period", "rotation has no effect: config/root holds no access_key")
	case q.State.RotationError != "":
		q.find(Error, "config/root", "mend what it says; the rotation is tried again by itself, or at once by config/rotate-root", "the last rotation of the root key failed: %s", q.State.RotationError)
	case !q.State.NextRotation.IsZero() && q.Now.After(q.State.NextRotation.Add(overdue)):
		q.find(Error, "config/root", "look for its errors in the server's log; rotate by config/rotate-root", "the rotation of the root key is overdue since %s", q.State.NextRotation.UTC().Format(time.RFC3339))
	}
}

func checkTemplate(q *inquiry) {
	names, err := naming.Parse(q.Template, func() time.Time { return q.Now })
	if err == nil {
		err = names.Validate()
	}
	if err != nil {
		q.find(Error, "config/root", "write a username_template that makes names, or an empty one for the default", "username_template makes no names: %v", err)
		return
	}
	for _, warning := range names.Warnings() {
		q.find(Warning, "config/root", "change username_template; see the default in docs/api.md", "%s", warning)
	}
}

func checkState(q *inquiry) {
	if q.State.Draining {
		q.find(Warning, "tidy", "write tidy with drain=false", "the mount is being drained: it makes no IAM users")
	}
	if q.State.Restored != "" {
		q.find(Error, "tidy", "see what became of the users since, then write tidy with confirm_restore=true", "storage seems to have been restored: %s", q.State.Restored)
	}
	if q.State.Held != "" {
		q.find(Error, "tidy", "check the clock, then write tidy with confirm_deadlines=true", "no user is destroyed by deadline: %s", q.State.Held)
	}
	if q.State.Condemned > 0 {
		q.find(Warning, "users", "users/<name> says why; mend that, and the next try succeeds", "%d users are to be destroyed and still in AWS", q.State.Condemned)
	}
}

func checkRoles(q *inquiry) {
	view := View{Partition: PartitionOf(q.Config.Region), MaxTTL: q.MaxTTL}
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

func checkStatics(q *inquiry) {
	for _, role := range q.Statics {
		subject := "static-roles/" + role.Name
		if role.LastError != "" {
			q.find(Error, subject, "mend what it says; the rotation is tried again by itself, or at once by rotate-role", "the last rotation failed: %s", role.LastError)
		} else if role.Expiration != nil && q.Now.After(role.Expiration.Add(overdue)) {
			q.find(Error, subject, "look for its errors in the server's log; rotate by rotate-role", "its rotation is overdue since %s", role.Expiration.UTC().Format(time.RFC3339))
		}
		for _, problem := range q.Config.ForbidsStatic(role.StaticRole) {
			q.find(Error, subject, "delete the static role, or widen the limit in config/root", "%s", problem)
		}
		if q.root.Account != "" {
			q.staticUser(subject, role)
		}
	}
}

func (q *inquiry) staticUser(subject string, role StaticRole) {
	a := q.users.of(role.Username)
	holds := func(key string) bool {
		return slices.ContainsFunc(a.value.keys, func(k keyInfo) bool { return k.ID == key && k.Active })
	}
	switch {
	case role.AssumeRoleARN != "":
		q.skip(subject, "user %q of another account, reached by %s", role.Username, role.AssumeRoleARN)
	case errors.Is(a.err, awserr.NotFound):
		q.find(Error, subject, "create the user, or delete the static role", "there is no IAM user %q", role.Username)
	case q.told(a.err, subject, "static roles"):
	case reason(a) != "":
		q.skip(subject, "user %q and its keys: %s", role.Username, reason(a))
	case role.ID != "" && a.value.info.ID != role.ID:
		q.find(Error, subject, "delete the static role and write it again, if the new user is meant", "IAM user %q was deleted and made anew: it is not the one that was taken over", role.Username)
	case role.AccessKey == "":
		q.find(Error, subject, "rotate by rotate-role", "no key is stored for user %q", role.Username)
	case !holds(role.AccessKey):
		q.find(Error, subject, "rotate by rotate-role", "access key %s, which static-creds gives out, does not exist or is inactive", role.AccessKey)
	}
}
