package awssim_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestAuthorization tries one call, GetUser on /team/ada, under many
// policies.
func TestAuthorization(t *testing.T) {
	const (
		ada     = "arn:aws:iam::123456789012:user/team/ada"
		nothing = " because no identity-based policy allows the iam:GetUser action"
		forbids = " with an explicit deny in an identity-based policy"
	)
	sim, endpoint, admin := started(t)
	must(admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{
		UserName: aws.String("ada"), Path: aws.String("/team/"),
		Tags: []iamtypes.Tag{{Key: aws.String("owner"), Value: aws.String("caller")}},
	}))
	conditional := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":` + condition + `}]}`
	}
	unless := func(condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":` + condition + `}]}`
	}
	for _, tc := range []struct{ name, policy, because string }{
		{"no policy", "", nothing},
		{"the action", allow("iam:GetUser", "*"), ""},
		{"the action in other letters", allow("IAM:getuser", "*"), ""},
		{"a wildcard", allow("iam:Get*", "*"), ""},
		{"a question mark", allow("iam:Get?ser", "*"), ""},
		{"another action", allow("iam:ListUsers", "*"), nothing},
		{"another service", allow("sts:*", "*"), nothing},
		{"the resource", allow("iam:GetUser", ada), ""},
		{"the resource's path", allow("iam:GetUser", "arn:aws:iam::*:user/team/*"), ""},
		{"the resource in other letters", allow("iam:GetUser", "arn:aws:iam::123456789012:user/TEAM/ADA"), nothing},
		{"the resource without its path", allow("iam:GetUser", "arn:aws:iam::123456789012:user/ada"), nothing},
		{"a resource of another account", allow("iam:GetUser", "arn:aws:iam::210987654321:user/team/ada"), nothing},
		{"everything but this action", `{"Statement":[{"Effect":"Allow","NotAction":"iam:Get*","Resource":"*"}]}`, nothing},
		{"everything but another action", `{"Statement":[{"Effect":"Allow","NotAction":"iam:List*","Resource":"*"}]}`, ""},
		{"everything but this resource", `{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"` + ada + `"}]}`, nothing},
		{"everything but another resource", `{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:iam::123456789012:user/eve"}]}`, ""},
		{"allow and deny", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:GetUser","Resource":"` + ada + `"}]}`, forbids},
		{"only deny", policy("Deny", "iam:GetUser", "*"), forbids},
		{"deny of another resource", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"arn:aws:iam::123456789012:user/eve"}]}`, ""},

		{"StringEquals", conditional(`{"StringEquals":{"aws:username":["x","caller"]}}`), ""},
		{"StringEquals, other", conditional(`{"StringEquals":{"aws:username":"Caller"}}`), nothing},
		{"StringEqualsIgnoreCase", conditional(`{"StringEqualsIgnoreCase":{"aws:username":"Caller"}}`), ""},
		{"StringNotEquals", conditional(`{"StringNotEquals":{"aws:username":["x","caller"]}}`), nothing},
		{"StringLike", conditional(`{"StringLike":{"AWS:UserName":"c*r"}}`), ""},
		{"StringNotLike", conditional(`{"StringNotLike":{"aws:username":"c*r"}}`), nothing},
		{"ArnLike", conditional(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/c*"}}`), ""},
		{"ArnLike does not cross a colon", conditional(`{"ArnLike":{"aws:PrincipalArn":"arn:aws:*:user/caller"}}`), nothing},
		{"ArnNotEquals", conditional(`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/caller"}}`), nothing},
		{"two keys, one wrong", conditional(`{"StringEquals":{"aws:username":"caller","aws:PrincipalAccount":"1"}}`), nothing},
		{"two operators, both right", conditional(`{"StringEquals":{"aws:username":"caller"},"StringLike":{"aws:PrincipalAccount":"1234*"}}`), ""},
		{"a key that is absent", conditional(`{"StringEquals":{"aws:SourceIdentity":"x"}}`), nothing},
		{"a key that is absent, negated", conditional(`{"StringNotEquals":{"aws:SourceIdentity":"x"}}`), ""},
		{"a key that is absent, IfExists", conditional(`{"StringEqualsIfExists":{"aws:SourceIdentity":"x"}}`), ""},
		{"a key that is there, IfExists", conditional(`{"StringEqualsIfExists":{"aws:username":"x"}}`), nothing},
		{"Null, absent", conditional(`{"Null":{"aws:TokenIssueTime":"true"}}`), ""},
		{"Null, there", conditional(`{"Null":{"aws:username":"true"}}`), nothing},
		{"Bool of a key that long-term keys lack", conditional(`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`), nothing},
		{"Bool", conditional(`{"Bool":{"aws:SecureTransport":false}}`), ""},
		{"DateGreaterThan", conditional(`{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}`), ""},
		{"DateLessThan", conditional(`{"DateLessThan":{"aws:CurrentTime":"2020-01-01"}}`), nothing},
		{"NumericGreaterThan", conditional(`{"NumericGreaterThan":{"aws:EpochTime":1000}}`), ""},
		{"NumericLessThanEquals", conditional(`{"NumericLessThanEquals":{"aws:EpochTime":"1000"}}`), nothing},
		{"IpAddress", conditional(`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","127.0.0.0/8"]}}`), ""},
		{"IpAddress, other", conditional(`{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}`), nothing},
		{"NotIpAddress", conditional(`{"NotIpAddress":{"aws:SourceIp":"127.0.0.1/32"}}`), nothing},
		{"principal tag", conditional(`{"StringEquals":{"aws:PrincipalTag/Team":"a"}}`), ""},
		{"resource tag, variable", conditional(`{"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"}}`), ""},
		{"resource tag of IAM, other", conditional(`{"StringEquals":{"iam:ResourceTag/owner":"x"}}`), nothing},
		{"unknown operator, allow", conditional(`{"StringMatches":{"aws:username":"caller"}}`), nothing},
		{"unknown operator, deny", unless(`{"StringMatches":{"aws:username":"nobody"}}`), forbids},
		{"deny that does not meet", unless(`{"StringNotEquals":{"aws:username":"caller"}}`), ""},
		{"variable in the resource", allow("iam:GetUser", "arn:aws:iam::123456789012:user/${aws:PrincipalTag/group}/ada"), ""},
		{"variable without a value", allow("iam:GetUser", "arn:aws:iam::123456789012:user/${aws:PrincipalTag/none}*"), nothing},
		{"variable with a default", allow("iam:GetUser", "arn:aws:iam::123456789012:user/${aws:PrincipalTag/none, 'team'}/ada"), ""},
		{"a star that is no wildcard", allow("iam:GetUser", "arn:aws:iam::123456789012:user/${*}"), nothing},
		{"no variables in old policies", strings.Replace(allow("iam:GetUser", "arn:aws:iam::123456789012:user/${aws:PrincipalTag/group}/ada"), "2012-10-17", "2008-10-17", 1), nothing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			creds := sim.PutUser(account, "caller", tc.policy)
			must(admin.iam.TagUser(t.Context(), &iam.TagUserInput{UserName: aws.String("caller"), Tags: []iamtypes.Tag{
				{Key: aws.String("team"), Value: aws.String("a")}, {Key: aws.String("group"), Value: aws.String("team")},
			}}))
			_, err := as(endpoint, creds).iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("ada")})
			want := "ok"
			if tc.because != "" {
				want = "403 AccessDenied: User: arn:aws:iam::123456789012:user/caller is not authorized to perform: iam:GetUser on resource: " + ada + tc.because
			}
			if got := said(err); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			dropKey(t, admin, creds)
		})
	}
}

// TestQuestions looks at what each call is judged by: action and resource.
func TestQuestions(t *testing.T) {
	sim, endpoint, _ := started(t)
	sim.PutGroup(account, "g", "")
	sim.PutUser(account, "u", "")
	nobody := as(endpoint, sim.PutUser(account, "nobody", ""))
	const user, group, role = ":user/u", ":group/g", ":role/r"
	tagged := []string{"Tags.member.1.Key", "k", "Tags.member.1.Value", "v"}
	for _, tc := range []struct {
		action   string
		params   []string
		resource string
	}{
		{"iam:CreateUser", []string{"UserName", "new", "Path", "/p/"}, ":user/p/new"},
		{"iam:GetUser", nil, ":user/nobody"},
		{"iam:ListUsers", []string{"PathPrefix", "/p/"}, ":user/p/"},
		{"iam:DeleteUser", []string{"UserName", "u"}, user},
		{"iam:DeleteUser", []string{"UserName", "none"}, ":user/none"},
		{"iam:UpdateUser", []string{"UserName", "u"}, user},
		{"iam:TagUser", append([]string{"UserName", "u"}, tagged...), user},
		{"iam:UntagUser", []string{"UserName", "u", "TagKeys.member.1", "k"}, user},
		{"iam:CreateAccessKey", nil, ":user/nobody"},
		{"iam:DeleteAccessKey", []string{"UserName", "u", "AccessKeyId", "AKIA1234567890123456"}, user},
		{"iam:PutUserPolicy", []string{"UserName", "u", "PolicyName", "p", "PolicyDocument", "{}"}, user},
		{"iam:AttachUserPolicy", []string{"UserName", "u", "PolicyArn", "arn:aws:iam::aws:policy/X"}, user},
		{"iam:PutUserPermissionsBoundary", []string{"UserName", "u", "PermissionsBoundary", "arn:aws:iam::aws:policy/X"}, user},
		{"iam:AddUserToGroup", []string{"UserName", "u", "GroupName", "g"}, group},
		{"iam:RemoveUserFromGroup", []string{"UserName", "u", "GroupName", "g"}, group},
		{"iam:ListGroupsForUser", []string{"UserName", "u"}, user},
		{"iam:PutGroupPolicy", []string{"GroupName", "g", "PolicyName", "p", "PolicyDocument", "{}"}, group},
		{"iam:GetRole", []string{"RoleName", "r"}, role},
		{"iam:CreateRole", []string{"RoleName", "r", "AssumeRolePolicyDocument", "{}"}, role},
		{"iam:CreatePolicy", []string{"PolicyName", "p", "PolicyDocument", "{}"}, ":policy/p"},
		{"iam:CreateVirtualMFADevice", []string{"VirtualMFADeviceName", "d"}, ":mfa/d"},
		{"iam:CreateLoginProfile", []string{"UserName", "u"}, user},
	} {
		t.Run(tc.action, func(t *testing.T) {
			params := url.Values{"Action": {strings.TrimPrefix(tc.action, "iam:")}}
			for i := 0; i < len(tc.params); i += 2 {
				params.Set(tc.params[i], tc.params[i+1])
			}
			want := "403 AccessDenied: User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: " + tc.action +
				" on resource: arn:aws:iam::123456789012" + tc.resource + " because no identity-based policy allows the " + tc.action + " action"
			if got := raw(t, nobody, "iam", params); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	status, body := describeRegions(t, endpoint, nobody.cfg)
	if want := "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/nobody is not authorized to perform: ec2:DescribeRegions because no identity-based policy allows the ec2:DescribeRegions action"; status != 403 || codeIn(body) != "UnauthorizedOperation" || !strings.Contains(body, want) {
		t.Errorf("%d %s", status, body)
	}
	must(whoami(t.Context(), as(endpoint, sim.PutUser(account, "denied", policy("Deny", "*", "*"))))) // no policy can forbid it
}

// TestWhereAPolicyComesFrom allows the same through each way that a policy
// reaches a user, and takes it away through each that limits one.
func TestWhereAPolicyComesFrom(t *testing.T) {
	const list = "iam:ListUsers"
	sim, endpoint, admin := started(t)
	ctx := t.Context()
	allows, denies := sim.PutPolicy(account, "allows", allow(list, "*")), sim.PutPolicy(account, "denies", policy("Deny", list, "*"))
	narrow := sim.PutPolicy(account, "narrow", allow("iam:GetUser", "*"))
	sim.PutGroup(account, "inline", allow(list, "*"))
	sim.PutGroup(account, "attached", "")
	must(admin.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("attached"), PolicyArn: &allows}))
	join := func(group string) {
		must(admin.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: aws.String("u"), GroupName: &group}))
	}
	attach := func(arn string) {
		must(admin.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: &arn}))
	}
	bound := func(arn string) {
		must(admin.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("u"), PermissionsBoundary: &arn}))
	}
	const denied = "403 AccessDenied: User: arn:aws:iam::123456789012:user/u is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/ "
	for _, tc := range []struct {
		name  string
		setUp func()
		want  string
	}{
		{"nowhere", func() {}, denied + "because no identity-based policy allows the iam:ListUsers action"},
		{"attached", func() { attach(allows) }, "ok"},
		{"AWS's own", func() { attach("arn:aws:iam::aws:policy/IAMReadOnlyAccess") }, "ok"},
		{"AWS's own, power user", func() { attach("arn:aws:iam::aws:policy/PowerUserAccess") }, denied + "because no identity-based policy allows the iam:ListUsers action"},
		{"group, inline", func() { join("inline") }, "ok"},
		{"group, attached", func() { join("attached") }, "ok"},
		{"allowed and denied", func() { join("inline"); attach(denies) }, denied + "with an explicit deny in an identity-based policy"},
		{"boundary alone", func() { bound(allows) }, denied + "because no identity-based policy allows the iam:ListUsers action"},
		{"boundary allows too", func() { attach(allows); bound(allows) }, "ok"},
		{"boundary does not", func() { attach(allows); bound(narrow) }, denied + "because no permissions boundary allows the iam:ListUsers action"},
		{"boundary denies", func() { attach(allows); bound(denies) }, denied + "with an explicit deny in a permissions boundary"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			creds := sim.PutUser(account, "u", "")
			tc.setUp()
			_, err := as(endpoint, creds).iam.ListUsers(ctx, &iam.ListUsersInput{})
			if got := said(err); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			removeUser(t, sim, admin, "u")
		})
	}
}

// removeUser takes a user apart by what the simulator says is there.
func removeUser(t *testing.T, sim *awssim.Sim, admin actor, name string) {
	t.Helper()
	ctx := t.Context()
	u := sim.State().Accounts[account].Users[name]
	for _, k := range u.Keys {
		must(admin.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &k.ID}))
	}
	for _, arn := range u.AttachedPolicies {
		must(admin.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &name, PolicyArn: &arn}))
	}
	for _, group := range u.Groups {
		must(admin.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &name, GroupName: &group}))
	}
	must(admin.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name}))
}

// TestRoleSessionPolicies intersects a role's policies with the session's.
func TestRoleSessionPolicies(t *testing.T) {
	sim, endpoint, admin := started(t)
	ec2, s3 := allow("ec2:*", "*"), allow("s3:*", "*")
	readEC2 := []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")}}
	for _, tc := range []struct {
		name   string
		role   string
		policy *string
		arns   []ststypes.PolicyDescriptorType
		status int
	}{
		{"no session policy", ec2, nil, nil, 200},
		{"both allow", ec2, &ec2, nil, 200},
		{"both allow, managed", ec2, nil, readEC2, 200},
		{"one of two session policies allows", ec2, &s3, readEC2, 200},
		{"the session does not", ec2, &s3, nil, 403},
		{"the role does not", s3, &ec2, nil, 403},
	} {
		t.Run(tc.name, func(t *testing.T) {
			role := sim.PutRole(account, "r", trusting(account), tc.role)
			out := must(admin.sts.AssumeRole(t.Context(), &sts.AssumeRoleInput{
				RoleArn: &role, RoleSessionName: aws.String("ss"), Policy: tc.policy, PolicyArns: tc.arns,
			}))
			if status, body := describeRegions(t, endpoint, withSession(endpoint, out.Credentials).cfg); status != tc.status {
				t.Errorf("%d, want %d: %s", status, tc.status, body)
			}
		})
	}
}

// TestTagsAndBoundaryOnCreate: what rides in CreateUser is judged as well.
func TestTagsAndBoundaryOnCreate(t *testing.T) {
	sim, endpoint, _ := started(t)
	boundary := sim.PutPolicy(account, "b", allow("*", "*"))
	tags := []iamtypes.Tag{{Key: aws.String("owner"), Value: aws.String("vault")}}
	when := func(actions, condition string) string {
		return strings.Replace(allow(actions, "*"), `"Resource":"*"`, `"Resource":"*","Condition":`+condition, 1)
	}
	for name, tc := range map[string]struct {
		policy string
		input  iam.CreateUserInput
		want   string
	}{
		"plain":             {allow("iam:CreateUser", "*"), iam.CreateUserInput{}, "ok"},
		"tags-unallowed":    {allow("iam:CreateUser", "*"), iam.CreateUserInput{Tags: tags}, "iam:TagUser"},
		"tags":              {allow("iam:CreateUser iam:TagUser", "*"), iam.CreateUserInput{Tags: tags}, "ok"},
		"tag-as-demanded":   {when("iam:CreateUser iam:TagUser", `{"StringEquals":{"aws:RequestTag/owner":"vault"},"ForAllValues:StringEquals":{"aws:TagKeys":["owner"]}}`), iam.CreateUserInput{Tags: tags}, "ok"},
		"tag-key-unallowed": {when("iam:CreateUser iam:TagUser", `{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`), iam.CreateUserInput{Tags: tags}, "iam:CreateUser"},
		"tag-key-any":       {when("iam:CreateUser iam:TagUser", `{"ForAnyValue:StringLike":{"aws:TagKeys":["t*","o*"]}}`), iam.CreateUserInput{Tags: tags}, "ok"},
		"tag-missing":       {when("iam:CreateUser iam:TagUser", `{"StringEquals":{"aws:RequestTag/owner":"vault"}}`), iam.CreateUserInput{}, "iam:CreateUser"},
		"boundary":          {when("iam:CreateUser", `{"StringEquals":{"iam:PermissionsBoundary":"`+boundary+`"}}`), iam.CreateUserInput{PermissionsBoundary: &boundary}, "ok"},
		"boundary-missing":  {when("iam:CreateUser", `{"StringEquals":{"iam:PermissionsBoundary":"`+boundary+`"}}`), iam.CreateUserInput{}, "iam:CreateUser"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.input.UserName = aws.String("made-" + name)
			caller := as(endpoint, sim.PutUser(account, "c-"+name, tc.policy))
			_, err := caller.iam.CreateUser(t.Context(), &tc.input)
			if tc.want == "ok" && err != nil || tc.want != "ok" && !strings.Contains(said(err), "is not authorized to perform: "+tc.want+" on") {
				t.Errorf("got %s, want %s", said(err), tc.want)
			}
		})
	}
}

// TestAccountsAreApart: the same names, nothing in common.
func TestAccountsAreApart(t *testing.T) {
	sim, endpoint, admin := started(t)
	far := as(endpoint, sim.AddAccount(other))
	managed := sim.PutPolicy(account, "p", allow("*", "*"))
	mustCreateUser(t, admin, "ada")
	mustCreateUser(t, far, "ada")
	mustCreateUser(t, far, "bob")
	_, err := admin.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("bob")})
	wantOutcome(t, "a user of the other account", err, "404 NoSuchEntity")
	_, err = far.iam.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("ada"), PolicyArn: &managed})
	wantOutcome(t, "a policy of the other account", err, "404 NoSuchEntity")
	got := map[string][]string{account: sim.Users(account), other: sim.Users(other)}
	if diff := cmp.Diff(map[string][]string{account: {"ada"}, other: {"ada", "bob"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMinimalPolicy is the permissions that the engine documents for IAM
// users (walkthrough, step 9), used in the order of a credential's life.
func TestMinimalPolicy(t *testing.T) {
	sim, endpoint, _ := started(t)
	root := as(endpoint, sim.PutUser(account, "root", allow("iam:AttachUserPolicy iam:CreateAccessKey iam:CreateUser iam:DeleteAccessKey iam:DeleteUser "+
		"iam:DeleteUserPolicy iam:DetachUserPolicy iam:ListAccessKeys iam:ListAttachedUserPolicies iam:ListGroupsForUser iam:ListUserPolicies "+
		"iam:PutUserPolicy iam:RemoveUserFromGroup", "arn:aws:iam::123456789012:user/vault-*")))
	name, managed := aws.String("vault-x"), aws.String("arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess")
	ctx := t.Context()
	must(root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))
	must(root.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("ec2:*", "*"))}))
	must(root.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: managed}))
	key := must(root.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})).AccessKey
	issued := as(endpoint, awssim.Credentials{AccessKey: *key.AccessKeyId, SecretKey: *key.SecretAccessKey})
	if status, body := describeRegions(t, endpoint, issued.cfg); status != 200 {
		t.Errorf("the issued key: %d %s", status, body)
	}
	must(root.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name}))
	must(root.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: name}))
	must(root.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name}))
	must(root.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: name}))
	must(root.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKeyId}))
	must(root.iam.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: managed}))
	must(root.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: aws.String("p")}))
	must(root.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))
	_, err := root.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("other")})
	wantOutcome(t, "a user of another name", err, "403 AccessDenied")
}
