package awscontract_test

import "vault-plugin-secrets-aws/internal/awscontract"

// motoAccess are what moto 5.2.1 lets anybody do: it authorizes nobody unless
// told to, and then answers errors in a form that the Go SDK cannot read.
var motoAccess = []awscontract.Deviation{
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200",
		Cases: []string{
			"Signature: key that nobody has",
			"Signature: session without its token",
			"Signature: session with another token",
			"Access: user without policies",
			"Access: other action allowed",
			"Access: NotAction",
			"Access: a deny wins",
			"Boundary: allows nothing by itself",
			"Boundary: of a role",
			"Condition: a key that is absent",
			"AssumeRole: no such role",
			"AssumeRole: role at another path",
			"Session of a role: has no more than the role",
			"Trust: another user",
			"Trust: the account, and no policy of the user",
			"Trust: a deny of the user's own wins",
			"Trust: a deny of the role wins",
			"Trust: condition of MFA, without MFA",
			"Session policy: allows nothing that the role may not",
			"Session policy: a deny wins",
			"GetFederationToken: needs permission",
			"Federated user: no IAM",
			"Federated user: no session policy, no permission",
			"Session token: no IAM without MFA",
			"GetSessionToken with MFA: old code",
			"GetSessionToken with MFA: device of another user",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 200, then 200, then 200, then 200",
		Cases: []string{
			"Signature: inactive key",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 200, then 200",
		Cases: []string{
			"Signature: deleted key",
			"Access: by a managed policy",
			"Trust: ExternalId right, wrong and absent",
			"Federated user: no other sessions",
			"Federated user: what user and session policy allow",
			"Session token: no other sessions but roles",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 200",
		Cases: []string{
			"Access: by resource",
			"Access: tags in CreateUser need iam:TagUser",
			"Access: another service",
			"Boundary: limits what policies allow",
			"Boundary: can be made a condition of CreateUser",
			"Condition: iam:PolicyARN of AttachUserPolicy",
			"Condition: aws:RequestTag of CreateUser",
			"Variable: ${aws:username}",
			"Condition: aws:TokenIssueTime ends sessions",
			"Session of a role: may not get other sessions",
			"Trust: a user of the same name made later is another",
			"Trust: a new trust policy counts",
			"Trust: condition on the session's name",
			"Trust: condition on the source identity",
			"Session tags: transitive ones must be among them",
			"Session tags: the trust policy must allow sts:TagSession",
			"Source identity: the trust policy must allow sts:SetSourceIdentity",
			"Session tags: count in policies",
			"Role chaining: the source identity stays and cannot be changed",
			"Role chaining: transitive tags go on, others do not",
			"Session policy: managed ones limit too",
			"Federated user: loses what its user loses",
			"Session token: has the user's permissions",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 200, then 200, then 200",
		Cases: []string{
			"Boundary: can be made a condition of attaching policies",
			"Boundary: can be made a condition of removing policies",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "404 NoSuchEntity",
		Cases: []string{
			"Access: refused before it shows whether something exists",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 200, then 200, then 200",
		Cases: []string{
			"Access: by a group",
			"Access: by the default version of a managed policy",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "404 NoSuchEntity, then 200",
		Cases: []string{
			"Session policy: limits what the role may",
		},
	},
	{
		Why: "anybody may call anything: authorization is off by default", Instead: "200, then 404 NoSuchEntity, then 200",
		Cases: []string{
			"Session policy: inline and managed ones together allow what either does",
		},
	},
	{
		Why: "signatures are not verified", Instead: "200",
		Cases: []string{
			"Signature: wrong secret",
			"Signature: none",
			"Signature of IAM, Region: another",
			"Signature, date: 20 minutes old",
			"Signature, date: 20 minutes early",
		},
	},
	{
		Why: "the sessions of users are one constant key", Instead: "AKIA… arn:aws:sts::ACCOUNT:federated-user/federated ACCOUNT:federated",
		Cases: []string{
			"GetFederationToken: who the session is",
		},
	},
	{
		Why: "the sessions of users are one constant key", Instead: "the same",
		Cases: []string{
			"GetFederationToken: fresh credentials each time",
			"GetSessionToken: fresh credentials each time",
		},
	},
	{
		Why: "the sessions of users are one constant key", Instead: "AKIA… 12h0m0s",
		Cases: []string{
			"GetSessionToken: needs no permission; lasts 12 hours by default",
		},
	},
	{
		Why: "the sessions of users are one constant key, whose owner is unknown", Instead: "arn:aws:sts::ACCOUNT:user/moto AKIA…",
		Cases: []string{
			"GetCallerIdentity: federated user",
			"GetCallerIdentity: session token",
		},
	},
}
