package awscontract

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// cleanUp removes whatever the case may have made.
func (w *world) cleanUp() {
	slices.SortStableFunc(w.made, func(x, y thing) int { return int(x.kind - y.kind) })
	w.sweep(w.backend.Admin, w.made...)
}

// sweep removes things as the holder of a key.
func (w *world) sweep(who Key, things ...thing) {
	b := broom{context.WithoutCancel(w.ctx), iam.NewFromConfig(w.config(who))}
	for _, it := range things {
		if b.remove(it) != conflict {
			continue // it is gone, or never was
		}
		b.strip(it)
		if got := b.remove(it); got != success {
			w.t.Logf("left behind: %s: %s", it.name, got)
		}
	}
}

// broom removes things, whatever hangs on them.
type broom struct {
	ctx context.Context
	iam *iam.Client
}

func (b broom) remove(it thing) string {
	switch it.kind {
	case aUser:
		return did(b.iam.DeleteUser(b.ctx, &iam.DeleteUserInput{UserName: &it.name}))
	case aGroup:
		return did(b.iam.DeleteGroup(b.ctx, &iam.DeleteGroupInput{GroupName: &it.name}))
	case aRole:
		return did(b.iam.DeleteRole(b.ctx, &iam.DeleteRoleInput{RoleName: &it.name}))
	case aDevice:
		return did(b.iam.DeleteVirtualMFADevice(b.ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &it.name}))
	default:
		return did(b.iam.DeletePolicy(b.ctx, &iam.DeletePolicyInput{PolicyArn: &it.name}))
	}
}

// strip takes off what keeps a thing from being deleted. What goes wrong shows
// when it is deleted.
func (b broom) strip(it thing) {
	switch it.kind {
	case aUser:
		b.stripUser(&it.name)
		b.stripUserOfCredentials(&it.name)
	case aGroup:
		b.stripGroup(&it.name)
	case aRole:
		b.stripRole(&it.name)
	case aPolicy:
		b.stripPolicy(&it.name)
	}
}

func (b broom) stripPolicy(arn *string) {
	for _, v := range every(b.iam.ListPolicyVersions(b.ctx, &iam.ListPolicyVersionsInput{PolicyArn: arn})).Versions {
		if !v.IsDefaultVersion {
			did(b.iam.DeletePolicyVersion(b.ctx, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: v.VersionId}))
		}
	}
}

func (b broom) stripUser(user *string) {
	for _, name := range every(b.iam.ListUserPolicies(b.ctx, &iam.ListUserPoliciesInput{UserName: user})).PolicyNames {
		did(b.iam.DeleteUserPolicy(b.ctx, &iam.DeleteUserPolicyInput{UserName: user, PolicyName: &name}))
	}
	for _, p := range every(b.iam.ListAttachedUserPolicies(b.ctx, &iam.ListAttachedUserPoliciesInput{UserName: user})).AttachedPolicies {
		did(b.iam.DetachUserPolicy(b.ctx, &iam.DetachUserPolicyInput{UserName: user, PolicyArn: p.PolicyArn}))
	}
	for _, g := range every(b.iam.ListGroupsForUser(b.ctx, &iam.ListGroupsForUserInput{UserName: user})).Groups {
		did(b.iam.RemoveUserFromGroup(b.ctx, &iam.RemoveUserFromGroupInput{UserName: user, GroupName: g.GroupName}))
	}
	did(b.iam.DeleteUserPermissionsBoundary(b.ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: user}))
}

func (b broom) stripUserOfCredentials(user *string) {
	for _, k := range every(b.iam.ListAccessKeys(b.ctx, &iam.ListAccessKeysInput{UserName: user})).AccessKeyMetadata {
		did(b.iam.DeleteAccessKey(b.ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: k.AccessKeyId}))
	}
	did(b.iam.DeleteLoginProfile(b.ctx, &iam.DeleteLoginProfileInput{UserName: user}))
	for _, d := range every(b.iam.ListMFADevices(b.ctx, &iam.ListMFADevicesInput{UserName: user})).MFADevices {
		did(b.iam.DeactivateMFADevice(b.ctx, &iam.DeactivateMFADeviceInput{UserName: user, SerialNumber: d.SerialNumber}))
	}
	for _, k := range every(b.iam.ListSSHPublicKeys(b.ctx, &iam.ListSSHPublicKeysInput{UserName: user})).SSHPublicKeys {
		did(b.iam.DeleteSSHPublicKey(b.ctx, &iam.DeleteSSHPublicKeyInput{UserName: user, SSHPublicKeyId: k.SSHPublicKeyId}))
	}
	for _, c := range every(b.iam.ListSigningCertificates(b.ctx, &iam.ListSigningCertificatesInput{UserName: user})).Certificates {
		did(b.iam.DeleteSigningCertificate(b.ctx, &iam.DeleteSigningCertificateInput{UserName: user, CertificateId: c.CertificateId}))
	}
	for _, c := range every(b.iam.ListServiceSpecificCredentials(b.ctx, &iam.ListServiceSpecificCredentialsInput{UserName: user})).ServiceSpecificCredentials {
		did(b.iam.DeleteServiceSpecificCredential(b.ctx, &iam.DeleteServiceSpecificCredentialInput{UserName: user, ServiceSpecificCredentialId: c.ServiceSpecificCredentialId}))
	}
}

func (b broom) stripGroup(group *string) {
	for _, u := range every(b.iam.GetGroup(b.ctx, &iam.GetGroupInput{GroupName: group})).Users {
		did(b.iam.RemoveUserFromGroup(b.ctx, &iam.RemoveUserFromGroupInput{UserName: u.UserName, GroupName: group}))
	}
	for _, name := range every(b.iam.ListGroupPolicies(b.ctx, &iam.ListGroupPoliciesInput{GroupName: group})).PolicyNames {
		did(b.iam.DeleteGroupPolicy(b.ctx, &iam.DeleteGroupPolicyInput{GroupName: group, PolicyName: &name}))
	}
	for _, p := range every(b.iam.ListAttachedGroupPolicies(b.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: group})).AttachedPolicies {
		did(b.iam.DetachGroupPolicy(b.ctx, &iam.DetachGroupPolicyInput{GroupName: group, PolicyArn: p.PolicyArn}))
	}
}

func (b broom) stripRole(role *string) {
	for _, name := range every(b.iam.ListRolePolicies(b.ctx, &iam.ListRolePoliciesInput{RoleName: role})).PolicyNames {
		did(b.iam.DeleteRolePolicy(b.ctx, &iam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String(name)}))
	}
	for _, p := range every(b.iam.ListAttachedRolePolicies(b.ctx, &iam.ListAttachedRolePoliciesInput{RoleName: role})).AttachedPolicies {
		did(b.iam.DetachRolePolicy(b.ctx, &iam.DetachRolePolicyInput{RoleName: role, PolicyArn: p.PolicyArn}))
	}
}

// every is an answer, or an empty one where the call failed.
func every[T any](out *T, err error) *T {
	if err != nil {
		return new(T)
	}
	return out
}
