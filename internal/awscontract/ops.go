package awscontract

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// The calls that many cases make, by their outcome.

func (a actor) createUser(name string, changes ...func(*iam.CreateUserInput)) string {
	in := &iam.CreateUserInput{UserName: &name, Path: &a.w.path}
	for _, change := range changes {
		change(in)
	}
	return did(a.iam.CreateUser(a.w.ctx, in))
}

func (a actor) findUser(name string) string {
	return did(a.iam.GetUser(a.w.ctx, &iam.GetUserInput{UserName: &name}))
}

func (a actor) deleteUser(name string) string {
	return did(a.iam.DeleteUser(a.w.ctx, &iam.DeleteUserInput{UserName: &name}))
}

// listUsers lists what the case has made.
func (a actor) listUsers() string {
	return did(a.iam.ListUsers(a.w.ctx, &iam.ListUsersInput{PathPrefix: &a.w.path}))
}

func (a actor) tag(user string, tags ...iamtypes.Tag) string {
	return did(a.iam.TagUser(a.w.ctx, &iam.TagUserInput{UserName: &user, Tags: tags}))
}

func (a actor) bound(user, policyARN string) string {
	return did(a.iam.PutUserPermissionsBoundary(a.w.ctx, &iam.PutUserPermissionsBoundaryInput{UserName: &user, PermissionsBoundary: &policyARN}))
}

func (a actor) unbound(user string) string {
	return did(a.iam.DeleteUserPermissionsBoundary(a.w.ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: &user}))
}

func (a actor) createKey(user string) string {
	return did(a.iam.CreateAccessKey(a.w.ctx, &iam.CreateAccessKeyInput{UserName: &user}))
}

func (a actor) deleteKey(user, id string) string {
	return did(a.iam.DeleteAccessKey(a.w.ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id}))
}

func (a actor) setKey(user, id, status string) string {
	return did(a.iam.UpdateAccessKey(a.w.ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: iamtypes.StatusType(status)}))
}

func (a actor) put(user, policy, document string) string {
	return did(a.iam.PutUserPolicy(a.w.ctx, &iam.PutUserPolicyInput{UserName: &user, PolicyName: &policy, PolicyDocument: &document}))
}

func (a actor) deletePolicyOf(user, policy string) string {
	return did(a.iam.DeleteUserPolicy(a.w.ctx, &iam.DeleteUserPolicyInput{UserName: &user, PolicyName: &policy}))
}

func (a actor) attach(user, policyARN string) string {
	return did(a.iam.AttachUserPolicy(a.w.ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &policyARN}))
}

func (a actor) detach(user, policyARN string) string {
	return did(a.iam.DetachUserPolicy(a.w.ctx, &iam.DetachUserPolicyInput{UserName: &user, PolicyArn: &policyARN}))
}

func (a actor) createPolicy(name, document string) string {
	return did(a.iam.CreatePolicy(a.w.ctx, &iam.CreatePolicyInput{PolicyName: &name, Path: &a.w.path, PolicyDocument: &document}))
}

func (a actor) deletePolicy(policyARN string) string {
	return did(a.iam.DeletePolicy(a.w.ctx, &iam.DeletePolicyInput{PolicyArn: &policyARN}))
}

func (a actor) createGroup(name string) string {
	return did(a.iam.CreateGroup(a.w.ctx, &iam.CreateGroupInput{GroupName: &name, Path: &a.w.path}))
}

func (a actor) deleteGroup(name string) string {
	return did(a.iam.DeleteGroup(a.w.ctx, &iam.DeleteGroupInput{GroupName: &name}))
}

func (a actor) join(user, group string) string {
	return did(a.iam.AddUserToGroup(a.w.ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group}))
}

func (a actor) leave(user, group string) string {
	return did(a.iam.RemoveUserFromGroup(a.w.ctx, &iam.RemoveUserFromGroupInput{UserName: &user, GroupName: &group}))
}

func (a actor) createRole(name, trust string, changes ...func(*iam.CreateRoleInput)) string {
	in := &iam.CreateRoleInput{RoleName: &name, Path: &a.w.path, AssumeRolePolicyDocument: &trust}
	for _, change := range changes {
		change(in)
	}
	return did(a.iam.CreateRole(a.w.ctx, in))
}

func (a actor) deleteRole(name string) string {
	return did(a.iam.DeleteRole(a.w.ctx, &iam.DeleteRoleInput{RoleName: &name}))
}

func (a actor) whoami() string {
	return did(a.sts.GetCallerIdentity(a.w.ctx, &sts.GetCallerIdentityInput{}))
}

// identity is who the actor is, as ARN and id.
func (a actor) identity() (arn, id string) {
	out := must(a.sts.GetCallerIdentity(a.w.ctx, &sts.GetCallerIdentityInput{}))
	return aws.ToString(out.Arn), aws.ToString(out.UserId)
}

func (a actor) assumeInput(roleARN string, changes []func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{RoleArn: &roleARN, RoleSessionName: aws.String("session")}
	for _, change := range changes {
		change(in)
	}
	return in
}

func (a actor) assume(roleARN string, changes ...func(*sts.AssumeRoleInput)) string {
	return did(a.sts.AssumeRole(a.w.ctx, a.assumeInput(roleARN, changes)))
}

func (a actor) federationInput(changes []func(*sts.GetFederationTokenInput)) *sts.GetFederationTokenInput {
	in := &sts.GetFederationTokenInput{Name: aws.String("federated")}
	for _, change := range changes {
		change(in)
	}
	return in
}

func (a actor) federate(changes ...func(*sts.GetFederationTokenInput)) string {
	return did(a.sts.GetFederationToken(a.w.ctx, a.federationInput(changes)))
}

func (a actor) sessionToken(changes ...func(*sts.GetSessionTokenInput)) string {
	in := &sts.GetSessionTokenInput{}
	for _, change := range changes {
		change(in)
	}
	return did(a.sts.GetSessionToken(a.w.ctx, in))
}
