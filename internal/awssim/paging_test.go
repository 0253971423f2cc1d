package awssim_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestPaging walks every list with pages of two.
func TestPaging(t *testing.T) {
	const n = 5
	sim, _, admin := started(t, awssim.Options{Settings: awssim.Settings{PageSize: 2}})
	ctx := t.Context()
	sim.PutUser(account, "u", "")
	sim.PutGroup(account, "g", "")
	sim.PutRole(account, "r", trusting("*"), "")
	var want []string
	for i := range n {
		name := fmt.Sprint("x", i)
		want = append(want, name)
		sim.PutUser(account, name, "")
		sim.PutGroup(account, name, "")
		sim.PutRole(account, name, trusting("*"), "")
		arn := sim.PutPolicy(account, name, allow("s3:*", "*"))
		must(admin.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: aws.String("u"), GroupName: &name}))
		must(admin.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &name, GroupName: aws.String("g")}))
		must(admin.iam.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("u"), Tags: []iamtypes.Tag{{Key: &name, Value: aws.String("")}}}))
		document := aws.String(allow("s3:*", "*"))
		must(admin.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("u"), PolicyName: &name, PolicyDocument: document}))
		must(admin.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: &name, PolicyDocument: document}))
		must(admin.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("r"), PolicyName: &name, PolicyDocument: document}))
		must(admin.iam.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: aws.String("u"), PolicyArn: &arn}))
		must(admin.iam.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("g"), PolicyArn: &arn}))
		must(admin.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: &arn}))
	}
	all := func(extra ...string) []string { return slices.Sorted(slices.Values(slices.Concat(extra, want))) }

	for _, tc := range []struct {
		name string
		want []string
		page func(marker *string) (names []string, truncated bool, next *string)
	}{
		{"ListUsers", all("admin", "u"), func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListUsers(ctx, &iam.ListUsersInput{Marker: m}))
			return names(out.Users, func(u iamtypes.User) *string { return u.UserName }), out.IsTruncated, out.Marker
		}},
		{"ListGroups", all("g"), func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListGroups(ctx, &iam.ListGroupsInput{Marker: m}))
			return names(out.Groups, func(g iamtypes.Group) *string { return g.GroupName }), out.IsTruncated, out.Marker
		}},
		{"ListRoles", all("r"), func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListRoles(ctx, &iam.ListRolesInput{Marker: m}))
			return names(out.Roles, func(r iamtypes.Role) *string { return r.RoleName }), out.IsTruncated, out.Marker
		}},
		{"ListPolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListPolicies(ctx, &iam.ListPoliciesInput{Marker: m, Scope: iamtypes.PolicyScopeTypeLocal}))
			return names(out.Policies, func(p iamtypes.Policy) *string { return p.PolicyName }), out.IsTruncated, out.Marker
		}},
		{"ListUserTags", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String("u"), Marker: m}))
			return names(out.Tags, func(t iamtypes.Tag) *string { return t.Key }), out.IsTruncated, out.Marker
		}},
		{"ListGroupsForUser", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: aws.String("u"), Marker: m}))
			return names(out.Groups, func(g iamtypes.Group) *string { return g.GroupName }), out.IsTruncated, out.Marker
		}},
		{"GetGroup", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.GetGroup(ctx, &iam.GetGroupInput{GroupName: aws.String("g"), Marker: m}))
			return names(out.Users, func(u iamtypes.User) *string { return u.UserName }), out.IsTruncated, out.Marker
		}},
		{"ListUserPolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: aws.String("u"), Marker: m}))
			return out.PolicyNames, out.IsTruncated, out.Marker
		}},
		{"ListGroupPolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: aws.String("g"), Marker: m}))
			return out.PolicyNames, out.IsTruncated, out.Marker
		}},
		{"ListRolePolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: aws.String("r"), Marker: m}))
			return out.PolicyNames, out.IsTruncated, out.Marker
		}},
		{"ListAttachedUserPolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: aws.String("u"), Marker: m}))
			return names(out.AttachedPolicies, attachedName), out.IsTruncated, out.Marker
		}},
		{"ListAttachedGroupPolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: aws.String("g"), Marker: m}))
			return names(out.AttachedPolicies, attachedName), out.IsTruncated, out.Marker
		}},
		{"ListAttachedRolePolicies", want, func(m *string) ([]string, bool, *string) {
			out := must(admin.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: aws.String("r"), Marker: m}))
			return names(out.AttachedPolicies, attachedName), out.IsTruncated, out.Marker
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			pages, more := 0, true
			for marker := (*string)(nil); more; pages++ {
				var page []string
				page, more, marker = tc.page(marker)
				if len(page) > 2 || more != (marker != nil) {
					t.Fatalf("page of %d, truncated %v, marker %v", len(page), more, marker)
				}
				got = append(got, page...)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || pages != (len(tc.want)+1)/2 {
				t.Errorf("%d pages: %s", pages, diff)
			}
		})
	}
}

func attachedName(p iamtypes.AttachedPolicy) *string { return p.PolicyName }

func names[T any](items []T, name func(T) *string) []string {
	var out []string
	for _, item := range items {
		out = append(out, *name(item))
	}
	return out
}

// TestPagingWhileItemsGo deletes the user that a marker stands for.
func TestPagingWhileItemsGo(t *testing.T) {
	sim, _, admin := started(t)
	for _, name := range []string{"a", "b", "c"} {
		mustCreateUser(t, admin, name)
	}
	first := must(admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{MaxItems: aws.Int32(1)}))
	sim.Configure(func(s *awssim.Settings) { s.PageSize = 1 })
	must(admin.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: first.Users[0].UserName}))
	second := must(admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{Marker: first.Marker}))
	if got := *first.Users[0].UserName + *second.Users[0].UserName; got != "aadmin" {
		t.Errorf("a page each: %s", got)
	}
}

func TestPathPrefix(t *testing.T) {
	_, _, admin := started(t)
	for name, path := range map[string]string{"root": "/", "in": "/team/", "deep": "/team/a/", "near": "/teammate/"} {
		must(admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name, Path: &path}))
	}
	out := must(admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{PathPrefix: aws.String("/team/")}))
	if diff := cmp.Diff([]string{"deep", "in"}, names(out.Users, func(u iamtypes.User) *string { return u.UserName })); diff != "" {
		t.Error(diff)
	}
}
