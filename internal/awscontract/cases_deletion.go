package awscontract

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// obstacle is something that keeps a user from being deleted. give makes it
// and returns what takes it away again.
type obstacle struct {
	what string
	give func(w *world, user string) (takeAway func() string)
}

var obstacles = []obstacle{
	{"access key", func(w *world, user string) func() string {
		id := w.key(user).ID
		return func() string { return w.admin.deleteKey(user, id) }
	}},
	{"inactive access key", func(w *world, user string) func() string {
		id := w.key(user).ID
		must(w.admin.iam.UpdateAccessKey(w.ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: iamtypes.StatusTypeInactive}))
		return func() string { return w.admin.deleteKey(user, id) }
	}},
	{"login profile", func(w *world, user string) func() string {
		must(w.admin.iam.CreateLoginProfile(w.ctx, &iam.CreateLoginProfileInput{UserName: &user, Password: aws.String(password())}))
		return func() string {
			return did(w.admin.iam.DeleteLoginProfile(w.ctx, &iam.DeleteLoginProfileInput{UserName: &user}))
		}
	}},
	{"MFA device", func(w *world, user string) func() string {
		d := w.device(user)
		return func() string {
			return did(w.admin.iam.DeactivateMFADevice(w.ctx, &iam.DeactivateMFADeviceInput{UserName: &user, SerialNumber: &d.serial}))
		}
	}},
	{"SSH public key", func(w *world, user string) func() string {
		body := sshPublicKey()
		id := must(w.admin.iam.UploadSSHPublicKey(w.ctx, &iam.UploadSSHPublicKeyInput{UserName: &user, SSHPublicKeyBody: &body})).SSHPublicKey.SSHPublicKeyId
		return func() string {
			return did(w.admin.iam.DeleteSSHPublicKey(w.ctx, &iam.DeleteSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: id}))
		}
	}},
	{"signing certificate", func(w *world, user string) func() string {
		body := certificate()
		id := must(w.admin.iam.UploadSigningCertificate(w.ctx, &iam.UploadSigningCertificateInput{UserName: &user, CertificateBody: &body})).Certificate.CertificateId
		return func() string {
			return did(w.admin.iam.DeleteSigningCertificate(w.ctx, &iam.DeleteSigningCertificateInput{UserName: &user, CertificateId: id}))
		}
	}},
	{"service-specific credential", func(w *world, user string) func() string {
		in := &iam.CreateServiceSpecificCredentialInput{UserName: &user, ServiceName: aws.String("codecommit.amazonaws.com")}
		id := must(w.admin.iam.CreateServiceSpecificCredential(w.ctx, in)).ServiceSpecificCredential.ServiceSpecificCredentialId
		return func() string {
			return did(w.admin.iam.DeleteServiceSpecificCredential(w.ctx, &iam.DeleteServiceSpecificCredentialInput{UserName: &user, ServiceSpecificCredentialId: id}))
		}
	}},
	{"inline policy", func(w *world, user string) func() string {
		w.grant(user, "inline", allow("s3:*", "*"))
		return func() string { return w.admin.deletePolicyOf(user, "inline") }
	}},
	{"attached policy", func(w *world, user string) func() string {
		arn := w.policy(allow("s3:*", "*"))
		must(w.admin.iam.AttachUserPolicy(w.ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn}))
		return func() string { return w.admin.detach(user, arn) }
	}},
	{"group", func(w *world, user string) func() string {
		group := w.group()
		must(w.admin.iam.AddUserToGroup(w.ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group}))
		return func() string { return w.admin.leave(user, group) }
	}},
}

// deletionBeliefs are what has to go before a user.
func deletionBeliefs() []belief {
	var out []belief
	for _, o := range obstacles {
		out = append(out, belief{
			id: "DeleteUser with " + o.what, source: refDeleteUser + "; " + threadConflicts,
			want: "409 DeleteConflict, then 200, then 200",
			run: func(w *world) string {
				user := w.user()
				takeAway := o.give(w, user)
				return then(w.admin.deleteUser(user), takeAway(), w.admin.deleteUser(user))
			},
		})
	}
	return append(out, belief{
		id: "DeleteUser with everything at once", source: refDeleteUser, want: strings.Repeat("409 DeleteConflict, then ", len(obstacles)-2) + success,
		run: func(w *world) string {
			user := w.user()
			var said []string
			var takeAway []func() string
			for _, o := range obstacles[1:] { // one key is enough
				takeAway = append(takeAway, o.give(w, user))
			}
			for _, take := range slices.Backward(takeAway) {
				take()
				said = append(said, w.admin.deleteUser(user))
			}
			return then(said...)
		},
	}, belief{
		id: "DeleteUser with tags and boundary", source: threadBoundary, want: "200, then 404 NoSuchEntity",
		run: func(w *world) string {
			user := w.user(tagged(iamTag("k", "v")), bounded(w.policy(allow("*", "*"))))
			return then(w.admin.deleteUser(user), w.admin.findUser(user))
		},
	})
}

// otherDeletionBeliefs are what has to go before anything else than a user.
var otherDeletionBeliefs = []belief{{
	id: "DeleteGroup with a member", source: "IAM API Reference, DeleteGroup", want: "409 DeleteConflict, then 200",
	run: func(w *world) string {
		user, group := w.user(), w.group()
		must(w.admin.iam.AddUserToGroup(w.ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: &group}))
		said := w.admin.deleteGroup(group)
		w.admin.leave(user, group)
		return then(said, w.admin.deleteGroup(group))
	},
}, {
	id: "DeleteGroup with an inline policy", source: "IAM API Reference, DeleteGroup", want: conflict,
	run: func(w *world) string {
		group := w.group()
		must(w.admin.iam.PutGroupPolicy(w.ctx, &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("s3:*", "*"))}))
		return w.admin.deleteGroup(group)
	},
}, {
	id: "DeleteGroup with an attached policy", source: "IAM API Reference, DeleteGroup", want: conflict,
	run: func(w *world) string {
		group, arn := w.group(), w.policy(allow("s3:*", "*"))
		must(w.admin.iam.AttachGroupPolicy(w.ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: &arn}))
		return w.admin.deleteGroup(group)
	},
}, {
	id: "DeleteRole with an inline policy", source: "IAM API Reference, DeleteRole", want: conflict,
	run: func(w *world) string {
		role, _ := w.role(trust("*"), allow("s3:*", "*"))
		return w.admin.deleteRole(role)
	},
}, {
	id: "DeleteRole with an attached policy", source: "IAM API Reference, DeleteRole", want: conflict,
	run: func(w *world) string {
		role, _ := w.role(trust("*"))
		arn := w.policy(allow("s3:*", "*"))
		must(w.admin.iam.AttachRolePolicy(w.ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: &arn}))
		return w.admin.deleteRole(role)
	},
}, {
	id: "DeletePolicy that is attached", source: "IAM API Reference, DeletePolicy", want: "409 DeleteConflict, then 200, then 200",
	run: func(w *world) string {
		user, arn := w.user(), w.policy(allow("s3:*", "*"))
		must(w.admin.iam.AttachUserPolicy(w.ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn}))
		return then(w.admin.deletePolicy(arn), w.admin.detach(user, arn), w.admin.deletePolicy(arn))
	},
}, {
	id: "DeletePolicy that is a boundary", source: threadBoundary, want: conflict,
	run: func(w *world) string {
		arn := w.policy(allow("s3:*", "*"))
		w.user(bounded(arn))
		return w.admin.deletePolicy(arn)
	},
}, {
	id: "DeleteVirtualMFADevice that is enabled", source: "IAM API Reference, DeleteVirtualMFADevice", want: conflict,
	run: func(w *world) string {
		d := w.device(w.user())
		return did(w.admin.iam.DeleteVirtualMFADevice(w.ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: &d.serial}))
	},
}, {
	id: "DeleteLoginProfile: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
	run: func(w *world) string {
		user := w.user()
		must(w.admin.iam.CreateLoginProfile(w.ctx, &iam.CreateLoginProfileInput{UserName: &user, Password: aws.String(password())}))
		in := &iam.DeleteLoginProfileInput{UserName: &user}
		return then(did(w.admin.iam.DeleteLoginProfile(w.ctx, in)), did(w.admin.iam.DeleteLoginProfile(w.ctx, in)))
	},
}}
