package awssim_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
)

// step is one raw call of the administrator and what comes of it.
type step struct {
	params string // of the query: "Action=CreateUser&UserName=u"
	want   string // status, and code of a refusal
}

// walk makes the calls in order.
func walk(t *testing.T, a actor, steps []step) {
	t.Helper()
	for _, s := range steps {
		got := raw(t, a, "iam", must(url.ParseQuery(s.params)))
		if !startsWith(got, s.want) {
			t.Fatalf("%s\ngot  %s\nwant %s", s.params, got, s.want)
		}
	}
}

func startsWith(text, prefix string) bool {
	return len(text) >= len(prefix) && text[:len(prefix)] == prefix
}

// TestPolicyVersions: five at most, one of which counts.
func TestPolicyVersions(t *testing.T) {
	sim, endpoint, admin := started(t)
	arn := sim.PutPolicy(account, "p", allow("iam:ListUsers", "*"))
	u := as(endpoint, sim.PutUser(account, "u", ""))
	must(admin.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: &arn}))
	lists := func() string {
		_, err := u.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		return outcome(err)
	}
	on, deny := "&PolicyArn="+url.QueryEscape(arn), "&PolicyDocument="+url.QueryEscape(policy("Deny", "*", "*"))
	before := lists()
	walk(t, admin, []step{
		{"Action=CreatePolicyVersion&SetAsDefault=true" + on + deny, "200"},
		{"Action=DeletePolicyVersion&VersionId=v2" + on, "409 DeleteConflict: Cannot delete the default version"},
		{"Action=DeletePolicyVersion&VersionId=v9" + on, "404 NoSuchEntity"},
		{"Action=CreatePolicyVersion" + on + deny, "200"},
		{"Action=CreatePolicyVersion" + on + deny, "200"},
		{"Action=CreatePolicyVersion" + on + deny, "200"},
		{"Action=CreatePolicyVersion" + on + deny, "409 LimitExceeded: A managed policy can have up to 5 versions."},
	})
	during := lists()
	walk(t, admin, []step{{"Action=SetDefaultPolicyVersion&VersionId=v1" + on, "200"}})
	if diff := cmp.Diff([]string{"ok", "403 AccessDenied", "ok"}, []string{before, during, lists()}); diff != "" {
		t.Error(diff)
	}
	walk(t, admin, []step{
		{"Action=DetachUserPolicy&UserName=u" + on, "200"},
		{"Action=DeletePolicy" + on, "409 DeleteConflict: This policy has more than one version."},
		{"Action=DeletePolicyVersion&VersionId=v2" + on, "200"},
		{"Action=DeletePolicyVersion&VersionId=v3" + on, "200"},
		{"Action=CreatePolicyVersion" + on + deny, "200"}, // v6: numbers are not given twice
		{"Action=DeletePolicyVersion&VersionId=v4" + on, "200"},
		{"Action=DeletePolicyVersion&VersionId=v5" + on, "200"},
		{"Action=DeletePolicyVersion&VersionId=v6" + on, "200"},
		{"Action=DeletePolicy" + on, "200"},
		{"Action=CreatePolicyVersion&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess" + deny, "403 AccessDenied"},
	})
}

// TestTagCase: keys that differ in case only are one key on users and roles,
// and two on policies.
func TestTagCase(t *testing.T) {
	sim, _, admin := started(t)
	sim.PutRole(account, "r", trusting(account), "")
	arn := sim.PutPolicy(account, "p", allow("*", "*"))
	tags := func(key, value string) []iamtypes.Tag { return []iamtypes.Tag{{Key: &key, Value: &value}} }
	for _, key := range []string{"Team", "team"} {
		must(admin.iam.TagRole(t.Context(), &iam.TagRoleInput{RoleName: aws.String("r"), Tags: tags(key, key)}))
		must(admin.iam.TagPolicy(t.Context(), &iam.TagPolicyInput{PolicyArn: &arn, Tags: tags(key, key)}))
	}
	if diff := cmp.Diff(map[string]string{"team": "team"}, sim.State().Accounts[account].Roles["r"].Tags); diff != "" {
		t.Error(diff)
	}
	ofPolicy := must(admin.iam.ListPolicyTags(t.Context(), &iam.ListPolicyTagsInput{PolicyArn: &arn}))
	if len(ofPolicy.Tags) != 2 {
		t.Errorf("tags of the policy: %v", ofPolicy.Tags)
	}
	walk(t, admin, []step{
		{"Action=UntagRole&RoleName=r&TagKeys.member.1=TEAM", "200"},
		{"Action=UntagPolicy&TagKeys.member.1=TEAM&PolicyArn=" + arn, "200"},
	})
	ofRole := must(admin.iam.ListRoleTags(t.Context(), &iam.ListRoleTagsInput{RoleName: aws.String("r")}))
	ofPolicy = must(admin.iam.ListPolicyTags(t.Context(), &iam.ListPolicyTagsInput{PolicyArn: &arn}))
	if len(ofRole.Tags) != 0 || len(ofPolicy.Tags) != 2 {
		t.Errorf("left on the role %v, on the policy %v", ofRole.Tags, ofPolicy.Tags)
	}
}

// TestRoleBoundary: a role may do what its boundary allows as well, and what
// bounds somebody cannot be deleted.
func TestRoleBoundary(t *testing.T) {
	sim, endpoint, admin := started(t)
	role := sim.PutRole(account, "r", trusting(account), allow("iam:*", "*"))
	arn := sim.PutPolicy(account, "bound", allow("iam:GetUser", "*"))
	walk(t, admin, []step{
		{"Action=PutRolePermissionsBoundary&RoleName=r&PermissionsBoundary=" + arn, "200"},
		{"Action=DeletePolicy&PolicyArn=" + arn, "409 DeleteConflict"},
	})
	list := func() string {
		_, err := withSession(endpoint, assume(t, admin, role)).iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		return outcome(err)
	}
	bounded := list()
	walk(t, admin, []step{
		{"Action=DeleteRolePermissionsBoundary&RoleName=r", "200"},
		{"Action=DeleteRolePermissionsBoundary&RoleName=r", "404 NoSuchEntity"},
		{"Action=DeletePolicy&PolicyArn=" + arn, "200"},
	})
	if diff := cmp.Diff([]string{"403 AccessDenied", "ok"}, []string{bounded, list()}); diff != "" {
		t.Error(diff)
	}
}

// TestDeleteConflicts: each thing that hangs on a user keeps it, until it is
// removed; what AWS says first is what has to go first.
func TestDeleteConflicts(t *testing.T) {
	sim, _, admin := started(t)
	arn := "arn:aws:iam::aws:policy/ReadOnlyAccess"
	serial := "arn:aws:iam::123456789012:mfa/u"
	sim.PutGroup(account, "g", "")
	key := sim.PutUser(account, "u", allow("*", "*"))
	interfere(t, sim, "u", "add-login", "")
	interfere(t, sim, "u", "add-mfa", "")
	interfere(t, sim, "u", "add-ssh-key", "")
	interfere(t, sim, "u", "add-certificate", "")
	interfere(t, sim, "u", "add-service-key", "")
	interfere(t, sim, "u", "attach-policy", arn)
	walk(t, admin, []step{{"Action=AddUserToGroup&UserName=u&GroupName=g", "200"}})
	ssh := must(admin.iam.ListSSHPublicKeys(t.Context(), &iam.ListSSHPublicKeysInput{UserName: aws.String("u")})).SSHPublicKeys
	certificates := must(admin.iam.ListSigningCertificates(t.Context(), &iam.ListSigningCertificatesInput{UserName: aws.String("u")})).Certificates
	services := must(admin.iam.ListServiceSpecificCredentials(t.Context(), &iam.ListServiceSpecificCredentialsInput{UserName: aws.String("u")})).ServiceSpecificCredentials
	if len(ssh) != 1 || len(certificates) != 1 || len(services) != 1 {
		t.Fatalf("listed %d, %d, %d", len(ssh), len(certificates), len(services))
	}
	refused := func(what string) step {
		return step{"Action=DeleteUser&UserName=u", "409 DeleteConflict: Cannot delete entity, must " + what + " first."}
	}
	walk(t, admin, []step{
		refused("delete access keys"),
		{"Action=DeleteAccessKey&UserName=u&AccessKeyId=" + key.AccessKey, "200"},
		refused("delete login profile"),
		{"Action=DeleteLoginProfile&UserName=u", "200"},
		refused("delete MFA device"),
		{"Action=DeactivateMFADevice&UserName=u&SerialNumber=" + serial, "200"},
		refused("remove referenced objects"),
		{"Action=DeleteSSHPublicKey&UserName=u&SSHPublicKeyId=" + *ssh[0].SSHPublicKeyId, "200"},
		refused("remove referenced objects"),
		{"Action=DeleteSigningCertificate&UserName=u&CertificateId=" + *certificates[0].CertificateId, "200"},
		refused("remove referenced objects"),
		{"Action=DeleteServiceSpecificCredential&UserName=u&ServiceSpecificCredentialId=" + *services[0].ServiceSpecificCredentialId, "200"},
		refused("remove users from group"),
		{"Action=RemoveUserFromGroup&UserName=u&GroupName=g", "200"},
		refused("delete policies"),
		{"Action=DeleteUserPolicy&UserName=u&PolicyName=inline", "200"},
		refused("detach all policies"),
		{"Action=DetachUserPolicy&UserName=u&PolicyArn=" + arn, "200"},
		{"Action=DeleteUser&UserName=u", "200"},
	})
}

// TestSideKeys: made by their own operations, up to their quotas, and gone at
// the second deletion.
func TestSideKeys(t *testing.T) {
	sim, _, admin := started(t)
	sim.PutUser(account, "u", "")
	for range 5 {
		must(admin.iam.UploadSSHPublicKey(t.Context(), &iam.UploadSSHPublicKeyInput{UserName: aws.String("u"), SSHPublicKeyBody: aws.String("ssh-rsa AAAA")}))
	}
	service := must(admin.iam.CreateServiceSpecificCredential(t.Context(), &iam.CreateServiceSpecificCredentialInput{UserName: aws.String("u"), ServiceName: aws.String("codecommit.amazonaws.com")})).ServiceSpecificCredential
	if *service.ServicePassword == "" || *service.ServiceUserName != "u-at-123456789012" {
		t.Errorf("credential %+v", service)
	}
	id := *service.ServiceSpecificCredentialId
	walk(t, admin, []step{
		{"Action=UploadSSHPublicKey&UserName=u&SSHPublicKeyBody=x", "409 LimitExceeded"},
		{"Action=UploadSigningCertificate&UserName=u&CertificateBody=x", "200"},
		{"Action=CreateServiceSpecificCredential&UserName=u&ServiceName=cassandra.amazonaws.com", "200"},
		{"Action=CreateServiceSpecificCredential&UserName=nobody&ServiceName=x", "404 NoSuchEntity"},
		{"Action=DeleteServiceSpecificCredential&UserName=u&ServiceSpecificCredentialId=" + id, "200"},
		{"Action=DeleteServiceSpecificCredential&UserName=u&ServiceSpecificCredentialId=" + id, "404 NoSuchEntity"},
	})
	left := must(admin.iam.ListServiceSpecificCredentials(t.Context(), &iam.ListServiceSpecificCredentialsInput{UserName: aws.String("u"), ServiceName: aws.String("cassandra.amazonaws.com")}))
	if len(left.ServiceSpecificCredentials) != 1 || left.ServiceSpecificCredentials[0].Status != "Active" {
		t.Errorf("left: %+v", left.ServiceSpecificCredentials)
	}
}

// TestProviders walks through the life of an OIDC provider.
func TestProviders(t *testing.T) {
	_, _, admin := started(t)
	thumb := fmt.Sprintf("%040d", 7)
	arn := "&OpenIDConnectProviderArn=arn:aws:iam::123456789012:oidc-provider/id.example/vault"
	walk(t, admin, []step{
		{"Action=CreateOpenIDConnectProvider&Url=id.example", "400 ValidationError"},
		{"Action=CreateOpenIDConnectProvider&Url=http://id.example", "400 InvalidInput"},
		{"Action=CreateOpenIDConnectProvider&Url=https://id.example/vault", "400 OpenIdIdpCommunicationError"},
		{"Action=CreateOpenIDConnectProvider&Url=https://id.example/vault&ThumbprintList.member.1=" + thumb, "200"},
		{"Action=CreateOpenIDConnectProvider&Url=https://id.example/vault&ThumbprintList.member.1=" + thumb, "409 EntityAlreadyExists"},
		{"Action=AddClientIDToOpenIDConnectProvider&ClientID=vault" + arn, "200"},
		{"Action=GetOpenIDConnectProvider&OpenIDConnectProviderArn=arn:aws:iam::210987654321:oidc-provider/id.example", "403 AccessDenied"},
		{"Action=GetOpenIDConnectProvider&OpenIDConnectProviderArn=arn:aws:iam::123456789012:user/id.example", "400 ValidationError"},
	})
	got := must(admin.iam.GetOpenIDConnectProvider(t.Context(), &iam.GetOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: aws.String("arn:aws:iam::123456789012:oidc-provider/id.example/vault"),
	}))
	if *got.Url != "id.example/vault" || !cmp.Equal(got.ClientIDList, []string{"vault"}) || !cmp.Equal(got.ThumbprintList, []string{thumb}) {
		t.Errorf("provider %+v", got)
	}
	walk(t, admin, []step{
		{"Action=RemoveClientIDFromOpenIDConnectProvider&ClientID=vault" + arn, "200"},
		{"Action=DeleteOpenIDConnectProvider" + arn, "200"},
		{"Action=DeleteOpenIDConnectProvider" + arn, "404 NoSuchEntity"},
	})
}
