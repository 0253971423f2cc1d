package awssim_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestUserLife makes a user with everything, looks at it from both sides, and
// takes it apart in the order that AWS insists on.
func TestUserLife(t *testing.T) {
	sim, _, admin := started(t)
	boundary := sim.PutPolicy(account, "boundary", allow("*", "*"))
	sim.PutGroup(account, "team", "")
	in := func(pairs ...string) url.Values {
		v := url.Values{"UserName": {"ada"}}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	call := func(action string, v url.Values) {
		t.Helper()
		v.Set("Action", action)
		if got := raw(t, admin, "iam", v); got != "200" {
			t.Fatalf("%s: %s", action, got)
		}
	}
	document := allow("s3:*", "*")
	call("CreateUser", in("Path", "/x/", "PermissionsBoundary", boundary, "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"))
	key := must(admin.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ada")})).AccessKey
	call("CreateLoginProfile", in("Password", "long enough"))
	device, seed := newDevice(t, admin, "phone")
	enable(t, sim, admin, "ada", device, seed)
	call("AddUserToGroup", in("GroupName", "team"))
	call("PutUserPolicy", in("PolicyName", "inline", "PolicyDocument", document))
	call("AttachUserPolicy", in("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"))

	want := awssim.User{
		Name: "ada", Path: "/x/", ARN: "arn:aws:iam::123456789012:user/x/ada",
		Tags: map[string]string{"k": "v"}, Boundary: boundary,
		Keys:           []awssim.Key{{ID: *key.AccessKeyId, Status: "Active"}},
		InlinePolicies: map[string]string{"inline": document}, AttachedPolicies: []string{"arn:aws:iam::aws:policy/IAMReadOnlyAccess"},
		Groups: []string{"team"}, LoginProfile: true, MFADevices: []string{device},
	}
	got := sim.State().Accounts[account].Users["ada"]
	ignore := cmpopts.IgnoreTypes(time.Time{})
	if diff := cmp.Diff(want, got, ignore, cmpopts.IgnoreFields(awssim.User{}, "ID")); diff != "" {
		t.Error(diff)
	}

	for _, step := range []struct {
		conflict string
		action   string
		params   url.Values
	}{
		{"delete access keys first", "DeleteAccessKey", in("AccessKeyId", *key.AccessKeyId)},
		{"delete login profile first", "DeleteLoginProfile", in()},
		{"delete MFA device first", "DeactivateMFADevice", in("SerialNumber", device)},
		{"remove users from group first", "RemoveUserFromGroup", in("GroupName", "team")},
		{"delete policies first", "DeleteUserPolicy", in("PolicyName", "inline")},
		{"detach all policies first", "DetachUserPolicy", in("PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess")},
	} {
		want := "409 DeleteConflict: Cannot delete entity, must " + step.conflict + "."
		if got := raw(t, admin, "iam", url.Values{"Action": {"DeleteUser"}, "UserName": {"ada"}}); got != want {
			t.Errorf("before %s: %s, want %s", step.action, got, want)
		}
		call(step.action, step.params)
	}
	call("DeleteUser", in()) // the boundary and the tags do not keep it
	if got := sim.Users(account); len(got) != 0 {
		t.Errorf("users left: %v", got)
	}
}

// TestRepeating calls everything twice: what AWS takes, what it refuses.
func TestRepeating(t *testing.T) {
	sim, _, admin := started(t)
	creds := sim.PutUser(account, "u", "")
	sim.PutGroup(account, "g", "")
	managed := sim.PutPolicy(account, "p", allow("s3:*", "*"))
	missing := "404 NoSuchEntity: "
	for _, tc := range []struct {
		params url.Values
		want   string
	}{
		{url.Values{"Action": {"CreateUser"}, "UserName": {"new"}}, "409 EntityAlreadyExists: User with name new already exists."},
		{url.Values{"Action": {"CreateLoginProfile"}, "UserName": {"u"}, "Password": {"long enough"}}, "409 EntityAlreadyExists: Login Profile for user u already exists."},
		{url.Values{"Action": {"PutUserPolicy"}, "UserName": {"u"}, "PolicyName": {"p"}, "PolicyDocument": {allow("s3:*", "*")}}, "200"},
		{url.Values{"Action": {"TagUser"}, "UserName": {"u"}, "Tags.member.1.Key": {"k"}, "Tags.member.1.Value": {"v"}}, "200"},
		{url.Values{"Action": {"PutUserPermissionsBoundary"}, "UserName": {"u"}, "PermissionsBoundary": {managed}}, "200"},
		{url.Values{"Action": {"AttachUserPolicy"}, "UserName": {"u"}, "PolicyArn": {managed}}, "200"},
		{url.Values{"Action": {"AddUserToGroup"}, "UserName": {"u"}, "GroupName": {"g"}}, "200"},
		{url.Values{"Action": {"UntagUser"}, "UserName": {"u"}, "TagKeys.member.1": {"k"}}, "200"},
		{url.Values{"Action": {"UpdateAccessKey"}, "UserName": {"u"}, "AccessKeyId": {creds.AccessKey}, "Status": {"Inactive"}}, "200"},
		{url.Values{"Action": {"RemoveUserFromGroup"}, "UserName": {"u"}, "GroupName": {"g"}}, "200"},
		{url.Values{"Action": {"DeleteLoginProfile"}, "UserName": {"u"}}, missing + "Login Profile for User u cannot be found."},
		{url.Values{"Action": {"DetachUserPolicy"}, "UserName": {"u"}, "PolicyArn": {managed}}, missing + "Policy " + managed + " was not found."},
		{url.Values{"Action": {"DeleteUserPermissionsBoundary"}, "UserName": {"u"}}, missing + "User u does not have a permissions boundary."},
		{url.Values{"Action": {"DeleteUserPolicy"}, "UserName": {"u"}, "PolicyName": {"p"}}, missing + "The user policy with name p cannot be found."},
		{url.Values{"Action": {"DeleteAccessKey"}, "UserName": {"u"}, "AccessKeyId": {creds.AccessKey}}, missing + "The Access Key with id " + creds.AccessKey + " cannot be found"},
		{url.Values{"Action": {"DeletePolicy"}, "PolicyArn": {managed}}, missing + "Policy " + managed + " was not found."},
		{url.Values{"Action": {"DeleteGroup"}, "GroupName": {"g"}}, missing + "The group with name g cannot be found."},
		{url.Values{"Action": {"DeleteUser"}, "UserName": {"u"}}, missing + "The user with name u cannot be found."},
	} {
		t.Run(tc.params.Get("Action"), func(t *testing.T) {
			if got := raw(t, admin, "iam", tc.params); got != "200" {
				t.Errorf("first: %s", got)
			}
			if got := raw(t, admin, "iam", tc.params); got != tc.want {
				t.Errorf("again: %s, want %s", got, tc.want)
			}
		})
	}
}

func TestDeleteConflictsOfOthers(t *testing.T) {
	sim, _, admin := started(t)
	user := sim.PutUser(account, "u", "")
	sim.PutGroup(account, "g", allow("s3:*", "*"))
	sim.PutRole(account, "r", trusting("*"), allow("s3:*", "*"))
	managed := sim.PutPolicy(account, "p", allow("s3:*", "*"))
	device, seed := newDevice(t, admin, "phone")
	enable(t, sim, admin, user.UserName, device, seed)
	must(admin.iam.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("u")}))
	must(admin.iam.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: &managed}))
	must(admin.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: &managed}))
	must(admin.iam.PutUserPermissionsBoundary(t.Context(), &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("u"), PermissionsBoundary: &managed}))

	for _, step := range []struct {
		params url.Values
		want   string
	}{
		{url.Values{"Action": {"DeleteGroup"}, "GroupName": {"g"}}, "409 DeleteConflict: Cannot delete entity, must remove users from group first."},
		{url.Values{"Action": {"RemoveUserFromGroup"}, "GroupName": {"g"}, "UserName": {"u"}}, "200"},
		{url.Values{"Action": {"DeleteGroup"}, "GroupName": {"g"}}, "409 DeleteConflict: Cannot delete entity, must delete policies first."},
		{url.Values{"Action": {"DeleteGroupPolicy"}, "GroupName": {"g"}, "PolicyName": {"inline"}}, "200"},
		{url.Values{"Action": {"DeleteGroup"}, "GroupName": {"g"}}, "409 DeleteConflict: Cannot delete entity, must detach all policies first."},
		{url.Values{"Action": {"DetachGroupPolicy"}, "GroupName": {"g"}, "PolicyArn": {managed}}, "200"},
		{url.Values{"Action": {"DeleteGroup"}, "GroupName": {"g"}}, "200"},
		{url.Values{"Action": {"DeleteRole"}, "RoleName": {"r"}}, "409 DeleteConflict: Cannot delete entity, must delete policies first."},
		{url.Values{"Action": {"DeleteRolePolicy"}, "RoleName": {"r"}, "PolicyName": {"inline"}}, "200"},
		{url.Values{"Action": {"DeleteRole"}, "RoleName": {"r"}}, "409 DeleteConflict: Cannot delete entity, must detach all policies first."},
		{url.Values{"Action": {"DeletePolicy"}, "PolicyArn": {managed}}, "409 DeleteConflict: Cannot delete a policy attached to entities."},
		{url.Values{"Action": {"DetachRolePolicy"}, "RoleName": {"r"}, "PolicyArn": {managed}}, "200"},
		{url.Values{"Action": {"DeleteRole"}, "RoleName": {"r"}}, "200"},
		{url.Values{"Action": {"DeletePolicy"}, "PolicyArn": {managed}}, "409 DeleteConflict: Cannot delete a policy attached to entities."},
		{url.Values{"Action": {"DeleteUserPermissionsBoundary"}, "UserName": {"u"}}, "200"},
		{url.Values{"Action": {"DeletePolicy"}, "PolicyArn": {managed}}, "200"},
		{url.Values{"Action": {"DeleteVirtualMFADevice"}, "SerialNumber": {device}}, "409 DeleteConflict: MFA VirtualDevice in use. Must deactivate first."},
		{url.Values{"Action": {"DeactivateMFADevice"}, "UserName": {"u"}, "SerialNumber": {device}}, "200"},
		{url.Values{"Action": {"DeleteVirtualMFADevice"}, "SerialNumber": {device}}, "200"},
	} {
		if got := raw(t, admin, "iam", step.params); got != step.want {
			t.Errorf("%s: %s, want %s", step.params.Get("Action"), got, step.want)
		}
	}
}

// TestNamesIgnoreCase holds for every kind of entity.
func TestNamesIgnoreCase(t *testing.T) {
	_, _, admin := started(t)
	for _, tc := range []struct{ first, second, get url.Values }{
		{
			url.Values{"Action": {"CreateUser"}, "UserName": {"Name"}},
			url.Values{"Action": {"CreateUser"}, "UserName": {"nAME"}},
			url.Values{"Action": {"GetUser"}, "UserName": {"NAME"}},
		}, {
			url.Values{"Action": {"CreateGroup"}, "GroupName": {"Name"}},
			url.Values{"Action": {"CreateGroup"}, "GroupName": {"nAME"}},
			url.Values{"Action": {"GetGroup"}, "GroupName": {"NAME"}},
		}, {
			url.Values{"Action": {"CreateRole"}, "RoleName": {"Name"}, "AssumeRolePolicyDocument": {trusting("*")}},
			url.Values{"Action": {"CreateRole"}, "RoleName": {"nAME"}, "AssumeRolePolicyDocument": {trusting("*")}},
			url.Values{"Action": {"GetRole"}, "RoleName": {"NAME"}},
		},
	} {
		got := []string{raw(t, admin, "iam", tc.first), raw(t, admin, "iam", tc.second)[:len("409 EntityAlreadyExists")], raw(t, admin, "iam", tc.get)}
		if diff := cmp.Diff([]string{"200", "409 EntityAlreadyExists", "200"}, got); diff != "" {
			t.Errorf("%s: %s", tc.first.Get("Action"), diff)
		}
	}
}

// TestCallerInferred leaves UserName out, as the rotation of a root key does.
func TestCallerInferred(t *testing.T) {
	sim, endpoint, _ := started(t)
	self := as(endpoint, sim.PutUser(account, "self", allow("iam:*AccessKey* iam:GetUser", "arn:aws:iam::123456789012:user/self")))
	root := as(endpoint, sim.RootKey(account))
	session := withSession(endpoint, assume(t, self, sim.PutRole(account, "r", trusting("*"), allow("iam:*", "*"))))
	for _, tc := range []struct {
		name string
		who  actor
		want string
	}{
		{"a user", self, "ok"},
		{"the root user", root, "ok"},
		{"a role session", session, "400 ValidationError"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			made, err := tc.who.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
			wantOutcome(t, "CreateAccessKey", err, tc.want)
			if err != nil {
				return
			}
			keys := must(tc.who.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{})).AccessKeyMetadata
			if !slices.ContainsFunc(keys, func(k iamtypes.AccessKeyMetadata) bool { return *k.AccessKeyId == *made.AccessKey.AccessKeyId }) {
				t.Errorf("the new key is not listed: %v", keys)
			}
			_, err = tc.who.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
			wantOutcome(t, "a third key", err, "409 LimitExceeded")
			_, err = tc.who.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{AccessKeyId: made.AccessKey.AccessKeyId})
			wantOutcome(t, "DeleteAccessKey", err, "ok")
			got := must(tc.who.iam.GetUser(t.Context(), &iam.GetUserInput{}))
			if arn := must(whoami(t.Context(), tc.who)); *got.User.Arn != arn {
				t.Errorf("GetUser says %s, GetCallerIdentity %s", *got.User.Arn, arn)
			}
		})
	}
}

func TestKeyLastUsed(t *testing.T) {
	sim, endpoint, admin := started(t)
	creds := sim.PutUser(account, "u", "")
	lastUsed := func() iamtypes.AccessKeyLastUsed {
		out := must(admin.iam.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: &creds.AccessKey}))
		if *out.UserName != "u" {
			t.Errorf("user %s", *out.UserName)
		}
		return *out.AccessKeyLastUsed
	}
	ignore := cmpopts.IgnoreUnexported(iamtypes.AccessKeyLastUsed{})
	if diff := cmp.Diff(iamtypes.AccessKeyLastUsed{ServiceName: aws.String("N/A"), Region: aws.String("N/A")}, lastUsed(), ignore); diff != "" {
		t.Error(diff)
	}
	must(whoami(t.Context(), as(endpoint, creds)))
	used := lastUsed()
	if used.LastUsedDate == nil || *used.ServiceName != "sts" || *used.Region != "us-east-1" {
		t.Errorf("after use: %+v", used)
	}
}

// TestUpdateUser renames and moves a user; the trust policy of a role that
// names it follows.
func TestUpdateUser(t *testing.T) {
	sim, endpoint, admin := started(t)
	creds := sim.PutUser(account, "old", "")
	role := sim.PutRole(account, "r", trusting("arn:aws:iam::123456789012:user/old"), "")
	must(admin.iam.UpdateUser(t.Context(), &iam.UpdateUserInput{UserName: aws.String("old"), NewUserName: aws.String("new"), NewPath: aws.String("/p/")}))
	u := as(endpoint, creds)
	if arn := must(whoami(t.Context(), u)); arn != "arn:aws:iam::123456789012:user/p/new" {
		t.Errorf("caller %s", arn)
	}
	assume(t, u, role)
	sim.PutUser(account, "old", "") // somebody else
	_, err := tryAssume(t, as(endpoint, sim.PutUser(account, "old", "")), role)
	wantOutcome(t, "AssumeRole by another user of the name", err, "403 AccessDenied")
}

// TestDocumentsAreEncoded: every read of a policy is URL-encoded on the wire.
// The Go SDK does not decode it, other SDKs do.
func TestDocumentsAreEncoded(t *testing.T) {
	sim, _, admin := started(t)
	ctx := t.Context()
	document, trust := allow("s3:Get*", "arn:aws:s3:::a+b/${aws:username}"), trusting("*")
	sim.PutUser(account, "u", document)
	sim.PutGroup(account, "g", document)
	sim.PutRole(account, "r", trust, document)
	managed := sim.PutPolicy(account, "p", document)
	ofUser := must(admin.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: aws.String("u"), PolicyName: aws.String("inline")}))
	ofGroup := must(admin.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("inline")}))
	ofRole := must(admin.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: aws.String("r"), PolicyName: aws.String("inline")}))
	version := must(admin.iam.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &managed, VersionId: aws.String("v1")}))
	role := must(admin.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")}))
	got := []string{*ofUser.PolicyDocument, *ofGroup.PolicyDocument, *ofRole.PolicyDocument, *version.PolicyVersion.Document, *role.Role.AssumeRolePolicyDocument}
	for i, text := range got {
		decoded := must(url.PathUnescape(text))
		if want := []string{document, document, document, document, trust}[i]; decoded != want || text == want {
			t.Errorf("number %d: %s", i, text)
		}
	}
}
