package awserr

import (
	"context"
	"errors"
	"strings"
)

// advice is what to do about the errors it matches; an empty field matches all.
// In its text {action} stands for the refused action, {quota} for the quota.
type advice struct {
	op     string
	kind   Kind
	code   string
	action string // that AWS names as refused
	text   string
}

// remedies is searched from the top; the first match wins.
var remedies = []advice{
	{code: NoIdentityToken, text: "Check that this Vault server issues identity tokens (Enterprise does) and the identity_token_key of the mount, or write access_key and secret_key to config/root."},
	{op: "sts:AssumeRoleWithWebIdentity", kind: Denied, text: "Check the trust policy of role_arn in config/root: the OIDC provider, the audience and the subject of Vault's token."},
	{code: NoCredentials, text: "Write access_key and secret_key to config/root, or give the Vault server AWS credentials: environment, shared files, web identity, container endpoint or instance profile."},
	{code: "SignatureDoesNotMatch", text: "Write access_key and secret_key of one pair to config/root, and check the clock of the Vault server."},
	{code: "RegionDisabledException", text: "Activate STS for this region in the AWS account, or set sts_region in config/root to a region where it is active."},
	{code: "OptInRequired", text: "Complete the sign-up of the AWS account, or enable the region in it."},
	{code: "PackedPolicyTooLarge", text: "Shorten policy_document, or use fewer policy_arns, iam_groups or session tags."},
	{code: "MalformedPolicyDocument", text: "Correct the role's policy_document: it is JSON, but not what IAM takes for a policy."},
	{code: "PolicyNotAttachable", text: "Take AWS service role policies out of the role's policy_arns: IAM does not attach them to users."},

	{op: "sts:AssumeRole", kind: Denied, action: "sts:TagSession", text: "Allow sts:TagSession beside sts:AssumeRole in the IAM role's trust policy, and for the root credentials: the role has session_tags."},
	{op: "sts:AssumeRole", kind: Denied, action: "sts:SetSourceIdentity", text: "Allow sts:SetSourceIdentity beside sts:AssumeRole in the IAM role's trust policy, and for the root credentials: the role has source_identity_template."},
	{op: "sts:AssumeRole", kind: Denied, text: "Check the IAM role's trust policy, and that the root credentials may call sts:AssumeRole on it."},
	{kind: Denied, text: "Allow {action} for the root credentials of this mount (docs/permissions.md)."},

	{op: "sts:AssumeRole", kind: Invalid, text: "Check ttl against the IAM role's maximum session duration (one hour if the root credentials are an IAM role's), and the role's policies and tags."},
	{kind: Invalid, text: "Check what the role and config/root say against the message of AWS."},

	{op: "iam:CreateUser", kind: NotFound, text: "Check that the role's permissions_boundary_arn exists in the account."},
	{op: "iam:AttachUserPolicy", kind: NotFound, text: "Check that every policy in the role's policy_arns exists in the account."},
	{op: "iam:AddUserToGroup", kind: NotFound, text: "Check that every group in the role's iam_groups exists in the account."},
	{op: "iam:ListAttachedGroupPolicies", kind: NotFound, text: "Check that every group in the role's iam_groups exists in the account."},
	{op: "iam:ListGroupPolicies", kind: NotFound, text: "Check that every group in the role's iam_groups exists in the account."},

	{kind: NotFound, text: "Check that what AWS names exists in the account; if it is new, retry in a few seconds."},

	{op: "iam:CreateUser", kind: Exists, text: "Put {{random 20}} into username_template, so that no two users get the same name."},
	{kind: Exists, text: "Remove what is there under that name, or choose another."},
	{kind: InUse, text: "Remove in IAM what was added to the user by hand; the removal is tried again."},
	{kind: Limit, text: "Stay below the quota{quota}, or ask AWS to raise it (Service Quotas)."},
	{code: TooManyCalls, text: "Ask for fewer credentials at once, or have other programs call AWS less with this account."},
	{kind: Throttled, text: "Retry in a few seconds."},
	{kind: Busy, text: "Retry in a minute: AWS is still applying an earlier change."},
	{kind: UnknownKey, text: "Check in IAM that the access key in config/root exists and is active; if it is new, retry in a few seconds."},
	{kind: Expired, text: "Check the clock of the Vault server, and renew the root credentials if they are those of a session."},
	{kind: Unavailable, text: "Check that AWS and the network are in order: endpoints in config/root, proxy, DNS, and the reachability of AWS from the Vault server."},
	{kind: Unknown, text: "Look the answer up in the reference of the IAM and STS APIs, and check that the endpoints in config/root are AWS's."},
}

// sessionAdvice is for AccessDenied of calls that AWS keeps from temporary credentials.
const sessionAdvice = "Put an IAM user's access key into config/root, or use a role with credential_type=assumed_role."

// Remedy is one sentence on what a person can do about the failed AWS call in
// err; "" if there is nothing useful to say.
func Remedy(err error) string {
	var e *Error
	if !errors.As(err, &e) || errors.Is(err, context.Canceled) {
		return ""
	}
	if e.needsLongTermKey() {
		return sessionAdvice
	}
	for _, a := range remedies {
		if a.matches(e) {
			return strings.NewReplacer("{action}", e.deniedAction(), "{quota}", e.quota()).Replace(a.text)
		}
	}
	return ""
}

func (a advice) matches(e *Error) bool {
	return (a.op == "" || a.op == e.Op) &&
		(a.kind == "" || a.kind == e.Kind) &&
		(a.code == "" || a.code == e.Code) &&
		(a.action == "" || a.action == e.deniedAction())
}

// The three methods below read AWS's message, which nothing else may: AWS
// rewords it at will. Here that costs a less apt sentence and no decision. The
// wordings are those of spec and of the IAM User Guide (troubleshoot_access-denied).

// needsLongTermKey reports "Cannot call GetFederationToken with session
// credentials", which no code tells from a missing permission.
func (e *Error) needsLongTermKey() bool {
	return e.Kind == Denied && strings.Contains(e.Message, "with session credentials")
}

// deniedAction is the action that AWS names, or else the one that was called.
// They differ: CreateUser with tags also needs iam:TagUser.
func (e *Error) deniedAction() string {
	_, rest, _ := strings.Cut(e.Message, "is not authorized to perform: ")
	action, _, _ := strings.Cut(rest, " ")
	action = clean(action, maxID)
	if service, name, ok := strings.Cut(action, ":"); ok && service != "" && name != "" {
		return action
	}
	return e.Op
}

// quota is ` "UsersPerAccount: 5000"` of "Cannot exceed quota for
// UsersPerAccount: 5000"; "" if the message has another form.
func (e *Error) quota() string {
	_, name, found := strings.Cut(e.Message, "quota for ")
	if name = clean(name, maxID); !found || name == "" {
		return ""
	}
	return ` "` + name + `"`
}
