package versitygwapi

import "vault-plugin-secrets-aws/internal/awscontract"

// What is answered for operations that versitygw v1.8.0 does not have.
const (
	noAction  = "400 InvalidAction"
	noService = "400 SignatureDoesNotMatch" // what it takes to be another service's
)

var missing = []awscontract.Missing{
	{Operation: "AddUserToGroup", Instead: noAction},
	{Operation: "AssumeRole", Instead: noService},
	{Operation: "AttachUserPolicy", Instead: noAction},
	{Operation: "CreateGroup", Instead: noAction},
	{Operation: "CreateLoginProfile", Instead: noAction},
	{Operation: "CreatePolicy", Instead: noAction},
	{Operation: "CreateServiceSpecificCredential", Instead: noAction},
	{Operation: "CreateVirtualMFADevice", Instead: noAction},
	{Operation: "DeleteUserPermissionsBoundary", Instead: noAction},
	{Operation: "DescribeRegions", Instead: noService},
	{Operation: "GetFederationToken", Instead: noService},
	{Operation: "GetPolicy", Instead: noAction},
	{Operation: "GetSessionToken", Instead: noService},
	{Operation: "ListAttachedGroupPolicies", Instead: noAction},
	{Operation: "ListAttachedUserPolicies", Instead: noAction},
	{Operation: "ListGroupPolicies", Instead: noAction},
	{Operation: "ListGroupsForUser", Instead: noAction},
	{Operation: "RemoveUserFromGroup", Instead: noAction},
	{Operation: "SimulatePrincipalPolicy", Instead: noAction},
	{Operation: "UploadSSHPublicKey", Instead: noAction},
	{Operation: "UploadSigningCertificate", Instead: noAction},
}

var deviations = []awscontract.Deviation{
	{
		Why: "an empty or overlong Marker, an empty Path and whatever PermissionsBoundary says are passed over", Instead: "200",
		Cases: []string{
			"CreateUser, Path: empty",
			"CreateUser, PermissionsBoundary: no ARN",
			"CreateUser, PermissionsBoundary: no such policy",
			"CreateUser, PermissionsBoundary: shorter than an ARN",
			"ListUsers, Marker: 321 characters",
			"ListUsers, Marker: empty",
		},
	},
	{
		Why: "no tag key is reserved", Instead: "200",
		Cases: []string{"CreateUser, Tags: key that AWS reserves"},
	},
	{
		Why: "lists show tags", Instead: "1 tags",
		Cases: []string{"ListUsers: shows neither tags nor boundary"},
	},
	{
		Why: "white space is counted", Instead: "409 LimitExceeded",
		Cases: []string{"PutUserPolicy, size of all policies: white space is not counted"},
	},
	{
		Why: "iam:TagUser is not asked for", Instead: "200, then 200",
		Cases: []string{"Access: tags in CreateUser need iam:TagUser"},
	},
	{
		Why: "trust policies are for web identities only: AWS principals are not looked up", Instead: "200",
		Cases: []string{
			"CreateRole, trust policy: principal that is no ARN",
			"CreateRole, trust policy: user who does not exist",
		},
	},
	{
		Why: "trust policies are for web identities only: services are unknown", Instead: "400 MalformedPolicyDocument",
		Cases: []string{"CreateRole, trust policy: a service"},
	},
}
