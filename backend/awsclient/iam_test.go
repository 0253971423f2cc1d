package awsclient_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
)

const (
	allowAll  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	allowEC2  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}`
	readOnly  = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	adminRole = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// TestUser takes a user from its creation to its end: each port does in IAM what
// it says.
func TestUser(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	cloud.PutGroup(account, "staff", allowEC2)
	boundary := cloud.PutPolicy(account, "boundary", allowAll)
	client := mustClient(t, cloud.settings())
	spec := lifecycle.UserSpec{Name: "vault-a", Path: "/vault/", Boundary: boundary, Tags: map[string]string{"team": "a", "cost centre": "1/2"}}

	if got := client.KnownAccount(); got != "" {
		t.Errorf("account known before any call: %q", got)
	}
	got, err := client.CreateUser(t.Context(), spec)
	if err != nil || got != account || client.KnownAccount() != account {
		t.Fatalf("CreateUser = %q, %v; KnownAccount = %q; want %q", got, err, client.KnownAccount(), account)
	}
	mustDo(t, client.AttachPolicy(t.Context(), "vault-a", readOnly))
	mustDo(t, client.PutInlinePolicy(t.Context(), "vault-a", lifecycle.InlinePolicy{Name: "role", Document: allowEC2}))
	mustDo(t, client.JoinGroup(t.Context(), "vault-a", "staff"))
	key, err := client.CreateAccessKey(t.Context(), "vault-a")
	mustDo(t, err)

	user := cloud.State().Accounts[account].Users["vault-a"]
	want := awssim.User{
		Name: "vault-a", ID: user.ID, Path: "/vault/", ARN: "arn:aws:iam::123456789012:user/vault/vault-a", Created: user.Created,
		Tags: spec.Tags, Boundary: boundary,
		Keys:             []awssim.Key{{ID: key.ID, Status: "Active", Created: user.Keys[0].Created}},
		InlinePolicies:   map[string]string{"role": allowEC2},
		AttachedPolicies: []string{readOnly},
		Groups:           []string{"staff"},
		MFADevices:       []string{},
	}
	if diff := cmp.Diff(want, user); diff != "" {
		t.Errorf("user in AWS (-want +got):\n%s", diff)
	}

	parts := mustList(t, client, "vault-a")
	wantParts := lifecycle.Parts{AccessKeys: []string{key.ID}, PolicyARNs: []string{readOnly}, InlinePolicies: []string{"role"}, Groups: []string{"staff"}}
	if diff := cmp.Diff(wantParts, parts); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	created, err := client.CreatedAt(t.Context(), "vault-a")
	if mustDo(t, err); !created.Equal(user.Created.Truncate(time.Second)) {
		t.Errorf("CreatedAt = %s, want %s", created, user.Created)
	}
	mustWork(t, cloud, key)

	mustDo(t, client.DeleteAccessKey(t.Context(), "vault-a", key.ID))
	mustDo(t, client.DetachPolicy(t.Context(), "vault-a", readOnly))
	mustDo(t, client.DeleteInlinePolicy(t.Context(), "vault-a", "role"))
	mustDo(t, client.LeaveGroup(t.Context(), "vault-a", "staff"))
	mustDo(t, client.DeleteUser(t.Context(), "vault-a"))
	if diff := cmp.Diff([]string{}, cloud.Users(account)); diff != "" {
		t.Errorf("users left:\n%s", diff)
	}
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustList asks all the lists.
func mustList(t *testing.T, client *awsclient.Client, user string) (parts lifecycle.Parts) {
	t.Helper()
	var err error
	parts.AccessKeys, err = client.ListAccessKeys(t.Context(), user)
	mustDo(t, err)
	parts.PolicyARNs, err = client.ListAttachedPolicies(t.Context(), user)
	mustDo(t, err)
	parts.InlinePolicies, err = client.ListInlinePolicies(t.Context(), user)
	mustDo(t, err)
	parts.Groups, err = client.ListGroups(t.Context(), user)
	mustDo(t, err)
	return parts
}

// mustWork uses a key: the secret that was handed out signs for it.
func mustWork(t *testing.T, cloud cloud, key lifecycle.AccessKey) {
	t.Helper()
	settings := cloud.settings()
	settings.AccessKey, settings.SecretKey = key.ID, key.Secret.Reveal()
	got, err := mustClient(t, settings).Identity(t.Context())
	want := lifecycle.Identity{Account: account, ARN: "arn:aws:iam::123456789012:user/vault/vault-a"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Identity: %v (-want +got):\n%s", err, diff)
	}
}

// TestCreateUserSendsNoMore: what a spec leaves out is left out of the request,
// whose defaults are AWS's.
func TestCreateUserSendsNoMore(t *testing.T) {
	t.Parallel()
	server := newRecorder(t, answering(http.StatusOK, result("CreateUser", "")))
	_, err := mustClient(t, server.settings()).CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"})
	mustDo(t, err)
	want := []request{{form: map[string][]string{"Action": {"CreateUser"}, "UserName": {"vault-a"}}, scope: "us-east-1/iam", key: "AKIASTATIC"}}
	if diff := cmp.Diff(want, server.seen(), cmp.AllowUnexported(request{})); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestListsAreComplete: IAM cuts pages at any size, and every page counts.
func TestListsAreComplete(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{Settings: awssim.Settings{PageSize: 1}})
	client := mustClient(t, cloud.settings())
	keys := []string{cloud.PutUser(account, "vault-a", "").AccessKey, cloud.PutUser(account, "vault-a", "").AccessKey}
	slices.Sort(keys)
	want := lifecycle.Parts{
		AccessKeys:     keys,
		PolicyARNs:     []string{adminRole, readOnly},
		InlinePolicies: []string{"one", "three", "two"},
		Groups:         []string{"ops", "staff"},
	}
	for _, arn := range want.PolicyARNs {
		mustDo(t, client.AttachPolicy(t.Context(), "vault-a", arn))
	}
	for _, name := range want.InlinePolicies {
		mustDo(t, client.PutInlinePolicy(t.Context(), "vault-a", lifecycle.InlinePolicy{Name: name, Document: allowEC2}))
	}
	for _, group := range want.Groups {
		cloud.PutGroup(account, group, "")
		mustDo(t, client.JoinGroup(t.Context(), "vault-a", group))
	}
	if diff := cmp.Diff(want, mustList(t, client, "vault-a")); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

// TestGroupPolicies: all policies of all groups, documents decoded.
func TestGroupPolicies(t *testing.T) {
	t.Parallel()
	const odd = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*","Sid":"a"},"Id":"50% + ü"}`
	cloud := newCloud(t, awssim.Options{Settings: awssim.Settings{PageSize: 1}})
	cloud.PutGroup(account, "staff", odd)
	cloud.PutGroup(account, "ops", allowAll)
	cloud.PutGroup(account, "empty", "")
	attach(t, cloud, "staff", readOnly)
	attach(t, cloud, "staff", adminRole)

	client := mustClient(t, cloud.settings())
	got, err := client.GroupPolicies(t.Context(), []string{"staff", "empty", "ops"})
	want := awsclient.GroupPolicies{Documents: []string{odd, allowAll}, ARNs: []string{adminRole, readOnly}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("GroupPolicies: %v (-want +got):\n%s", err, diff)
	}
	_, err = client.GroupPolicies(t.Context(), []string{"staff", "none"})
	mustFail(t, err, failed{"iam:ListAttachedGroupPolicies", awserr.NotFound, "NoSuchEntity", http.StatusNotFound})
}

// TestIncompleteAnswers: a server that is not AWS, or a proxy before it, may say
// 200 and nothing. That is no success, and its effect is unknown.
func TestIncompleteAnswers(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no body":       "",
		"an empty page": "<html></html>",
		"no result":     "<Response></Response>",
		"no token":      result("AssumeRole", "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"),
		"no secret":     result("CreateAccessKey", "<AccessKey><AccessKeyId>AKIA</AccessKeyId></AccessKey>"),
	} {
		t.Run(name, func(t *testing.T) {
			client := mustClient(t, newRecorder(t, answering(http.StatusOK, body)).settings())
			for op, call := range map[string]func() error{
				"iam:CreateAccessKey":    func() error { _, err := client.CreateAccessKey(t.Context(), "vault-a"); return err },
				"iam:GetUser":            func() error { _, err := client.CreatedAt(t.Context(), "vault-a"); return err },
				"sts:AssumeRole":         func() error { _, err := client.AssumeRole(t.Context(), lifecycle.AssumeRoleSpec{}); return err },
				"sts:GetFederationToken": func() error { _, err := client.FederationToken(t.Context(), lifecycle.FederationSpec{}); return err },
				"sts:GetSessionToken":    func() error { _, err := client.SessionToken(t.Context(), lifecycle.SessionTokenSpec{}); return err },
			} {
				err := call()
				if awserr.Refused(err) || err == nil {
					t.Errorf("%s: %v, want an error whose effect is unknown", op, err)
				}
			}
		})
	}
}

// attach attaches a policy to a group, which the engine never does.
func attach(t *testing.T, cloud cloud, group, arn string) {
	t.Helper()
	client := iam.NewFromConfig(simtest.Config(cloud.endpoint, cloud.Admin()))
	_, err := client.AttachGroupPolicy(t.Context(), &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: &arn})
	mustDo(t, err)
}
