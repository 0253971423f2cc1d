package awscontract_test

import (
	"slices"

	"vault-plugin-secrets-aws/internal/awscontract"
)

// motoMissing are the operations that moto 5.2.1 does not have: it answers an
// HTML page.
var motoMissing = []awscontract.Missing{
	{Operation: "PutUserPermissionsBoundary", Instead: "500 in a form that the SDK cannot read"},
	{Operation: "DeleteUserPermissionsBoundary", Instead: "500 in a form that the SDK cannot read"},
	{Operation: "CreateServiceSpecificCredential", Instead: "500 in a form that the SDK cannot read"},
	{Operation: "getSigninToken", Instead: "500"},
}

// motoDeviations are what moto 5.2.1 answers instead of what AWS does.
var motoDeviations = slices.Concat(motoAccess, []awscontract.Deviation{
	{
		Why: "limits, patterns and enums are not checked", Instead: "200",
		Cases: []string{
			"CreateUser, UserName: space",
			"CreateUser, UserName: slash",
			"CreateUser, UserName: star",
			"CreateUser, UserName: colon",
			"CreateUser, UserName: letter that is not ASCII",
			"CreateUser, UserName: one character more",
			"CreateRole, RoleName: one character more",
			"CreateGroup, GroupName: one character more",
			"PutUserPolicy, PolicyName: one character more",
			"PutUserPolicy, PolicyName: slash",
			"PutUserPolicy, PolicyName: empty",
			"CreateUser, UserName: empty",
			"CreateUser, Path: one character more",
			"CreateUser, Path: without slashes",
			"CreateUser, Path: no slash at its end",
			"CreateUser, Path: space",
			"CreateUser, Path: letter that is not ASCII",
			"CreateUser, Path: empty",
			"ListUsers, PathPrefix: no slash at its beginning",
			"CreateUser, Tags: 51",
			"CreateUser, Tags: key of 129 characters",
			"CreateUser, Tags: key of no characters",
			"CreateUser, Tags: value of 257 characters",
			"CreateUser, Tags: character that is not allowed",
			"CreateUser, PermissionsBoundary: shorter than an ARN",
			"UpdateAccessKey, Status: no such status",
			"PutUserPolicy, PolicyDocument: character beyond U+00FF",
			"CreateRole, MaxSessionDuration: a second less",
			"CreateRole, MaxSessionDuration: a second more",
			"ListUsers, MaxItems: 0",
			"ListUsers, MaxItems: 1001",
			"ListUsers, Marker: empty",
			"ListUsers, Marker: 321 characters",
			"CreateUser, UserName: absent",
			"GetFederationToken, Name: absent",
			"AssumeRole, DurationSeconds: a second less",
			"AssumeRole, DurationSeconds: a second more",
			"AssumeRole, RoleSessionName: one character",
			"AssumeRole, RoleSessionName: space",
			"AssumeRole, Policy: one character more",
			"AssumeRole, Policy: empty",
			"AssumeRole, PolicyArns: 11",
			"AssumeRole, PolicyArns: no ARN",
			"AssumeRole, DurationSeconds: more than the role's maximum",
			"AssumeRole, RoleArn: no ARN",
			"Role chaining: a second more",
			"Session tags: 51",
			"AssumeRole, SourceIdentity: one character more",
			"AssumeRole, SourceIdentity: one character",
			"AssumeRole, SourceIdentity: space",
			"GetFederationToken, DurationSeconds: a second less",
			"GetFederationToken, DurationSeconds: a second more",
			"GetFederationToken, DurationSeconds: 0",
			"GetFederationToken, Name: one character more",
			"GetFederationToken, Name: one character",
			"GetFederationToken, Name: space",
			"GetFederationToken, PolicyArns: 11",
			"GetFederationToken, PolicyArns: no ARN",
			"GetSessionToken, DurationSeconds: a second less",
			"GetSessionToken, DurationSeconds: a second more",
		},
	},
	{
		Why: "limits, patterns and enums are not checked", Instead: "200, then 200",
		Cases: []string{
			"Role chaining: with a session token",
		},
	},
	{
		Why: "a name or an id is looked up before it is judged", Instead: "404 NoSuchEntity",
		Cases: []string{
			"GetUser, UserName: 129 characters",
			"DeleteAccessKey, AccessKeyId: too short",
			"CreateAccessKey without UserName: caller that is no user",
			"AttachUserPolicy, PolicyArn: shorter than an ARN",
			"AttachUserPolicy, PolicyArn: no ARN",
		},
	},
	{
		Why: "tag keys are case-sensitive", Instead: "200, then KEY=2 key=1",
		Cases: []string{
			"TagUser: replaces the value of a key, ignoring case",
		},
	},
	{
		Why: "quotas are not enforced, but for the two access keys", Instead: "200",
		Cases: []string{
			"TagUser: 50 tags in all",
			"PutUserPolicy, size of all policies: one character more",
			"PutGroupPolicy, size of all policies: one character more",
			"PutRolePolicy, size of all policies: one character more",
			"AttachUserPolicy: eleventh",
			"AttachGroupPolicy: eleventh",
			"CreatePolicy, size: one character more",
			"AddUserToGroup: eleventh group",
			"CreateRole, trust policy: longer than its quota",
		},
	},
	{
		Why: "quotas are not enforced, but for the two access keys", Instead: "200, then 200",
		Cases: []string{
			"PutUserPolicy, size of all policies: two policies, one character more",
		},
	},
	{
		Why: "tags and ARNs are not checked", Instead: "200",
		Cases: []string{
			"CreateUser, Tags: key twice",
			"CreateUser, Tags: key twice but for case",
			"CreateUser, Tags: key that AWS reserves",
			"CreateUser, PermissionsBoundary: no ARN",
		},
	},
	{
		Why: "ids have no prefix", Instead: "arn:aws:iam::ACCOUNT:user/PATH/NAME an id of no known kind",
		Cases: []string{
			"CreateUser: ARN and unique id",
			"GetCallerIdentity: user",
		},
	},
	{
		Why: "ids have no prefix", Instead: "arn:aws:iam::ACCOUNT:policy/PATH/NAME an id of no known kind",
		Cases: []string{
			"CreatePolicy: ARN and unique id",
		},
	},
	{
		Why: "names are case-sensitive, and a rename overwrites", Instead: "200",
		Cases: []string{
			"CreateUser: name that is taken but for case",
			"UpdateUser: new name that is taken",
			"CreateGroup: name that is taken but for case",
			"CreateRole: name that is taken but for case",
		},
	},
	{
		Why: "a boundary in CreateUser is ignored", Instead: "none",
		Cases: []string{
			"CreateUser, PermissionsBoundary: stored",
		},
	},
	{
		Why: "a boundary in CreateUser is ignored", Instead: "200",
		Cases: []string{
			"CreateUser, PermissionsBoundary: no such policy",
		},
	},
	{
		Why: "only inline and attached policies keep a user, or a role, from being deleted", Instead: "200, then 404 NoSuchEntity, then 404 NoSuchEntity",
		Cases: []string{
			"DeleteUser with access key",
			"DeleteUser with inactive access key",
			"DeleteUser with login profile",
			"DeleteUser with MFA device",
			"DeleteUser with SSH public key",
			"DeleteUser with signing certificate",
			"DeleteUser with group",
			"DeletePolicy that is attached",
		},
	},
	{
		Why: "only inline and attached policies keep a user, or a role, from being deleted", Instead: "200, then 404 NoSuchEntity",
		Cases: []string{
			"DeleteGroup with a member",
		},
	},
	{
		Why: "only inline and attached policies keep a user, or a role, from being deleted", Instead: "200",
		Cases: []string{
			"DeleteGroup with an inline policy",
			"DeleteGroup with an attached policy",
			"DeletePolicy that is a boundary",
			"DeleteVirtualMFADevice that is enabled",
		},
	},
	{
		Why: "trust and session policies are not judged, a principal in an identity policy is overlooked", Instead: "200",
		Cases: []string{
			"PutUserPolicy, PolicyDocument: Principal",
			"CreatePolicy, PolicyDocument: Principal",
			"CreateRole, trust policy: no JSON",
			"CreateRole, trust policy: no Principal",
			"CreateRole, trust policy: Resource",
			"CreateRole, trust policy: action of another service",
			"CreateRole, trust policy: principal that is no ARN",
			"CreateRole, trust policy: user who does not exist",
			"AssumeRole, Policy: no JSON",
			"AssumeRole, Policy: Principal",
			"GetFederationToken, Policy: no JSON",
			"GetFederationToken, Policy: Principal",
		},
	},
	{
		Why: "every policy must have the new version, an inline one too", Instead: "400 MalformedPolicyDocument",
		Cases: []string{
			"PutUserPolicy, PolicyDocument: old version",
			"PutUserPolicy, PolicyDocument: no version",
		},
	},
	{
		Why: "every policy must have the new version, an inline one too", Instead: "set-up: PutUserPolicy: 400 MalformedPolicyDocument",
		Cases: []string{
			"Variable: unknown in the old version",
		},
	},
	{
		Why: "an empty document is judged as a policy", Instead: "400 MalformedPolicyDocument",
		Cases: []string{
			"PutUserPolicy, PolicyDocument: empty",
		},
	},
	{
		Why: "AWS's own policies are only there if asked for", Instead: "404 NoSuchEntity",
		Cases: []string{
			"AttachUserPolicy, PolicyArn: one of AWS's own",
		},
	},
	{
		Why: "this read does not encode the document", Instead: "v1, plain, the same",
		Cases: []string{
			"GetPolicyVersion: URL-encoded, as it was put",
		},
	},
	{
		Why: "half of the lists are not paged", Instead: "at most 2 on a page; 2 in all",
		Cases: []string{
			"ListUsers: pages",
			"ListAccessKeys: pages",
			"ListUserPolicies: pages",
			"ListGroupsForUser: pages",
			"ListUserTags: pages",
			"ListGroupPolicies: pages",
			"GetGroup: pages",
		},
	},
	{
		Why: "half of the lists are not paged", Instead: "complete, without a marker",
		Cases: []string{
			"ListUsers: the first page says that there is more",
			"ListAccessKeys: the first page says that there is more",
			"ListUserPolicies: the first page says that there is more",
			"ListGroupsForUser: the first page says that there is more",
			"ListUserTags: the first page says that there is more",
			"ListGroupPolicies: the first page says that there is more",
			"GetGroup: the first page says that there is more",
		},
	},
	{
		Why: "an unknown action is a crash", Instead: "500 in a form that is no XML",
		Cases: []string{
			"Action: unknown",
		},
	},
	{
		Why: "the version is not looked at", Instead: "200",
		Cases: []string{
			"Action: of another version",
		},
	},
	{
		Why: "a missing parameter can be a crash", Instead: "500 in a form that is no XML",
		Cases: []string{
			"AssumeRole, RoleSessionName: absent",
		},
	},
	{
		Why: "the source identity is not echoed", Instead: "",
		Cases: []string{
			"Source identity: is told",
		},
	},
	{
		Why: "PackedPolicySize is a constant", Instead: "200",
		Cases: []string{
			"Session tags: more than fit",
		},
	},
	{
		Why: "versions do not keep a policy from being deleted", Instead: "200, then 200, then 404 NoSuchEntity, then 404 NoSuchEntity",
		Cases: []string{"DeletePolicy with another version"},
	},
})
