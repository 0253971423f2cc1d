package awscontract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// page is one page of a list: keys of its items, and what it says of more.
type page struct {
	items     []string
	truncated bool
	marker    *string
}

// listing is a list that comes in pages. fill makes two items and returns
// what asks for a page of them.
type listing struct {
	operation string
	fill      func(*world) func(marker *string, most *int32) page
}

// keysOf names the items of a page.
func keysOf[T any](items []T, key func(T) *string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = aws.ToString(key(item))
	}
	return out
}

var listings = []listing{
	{"ListUsers", func(w *world) func(*string, *int32) page {
		w.user()
		w.user()
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &w.path, Marker: marker, MaxItems: most}))
			return page{keysOf(out.Users, func(u iamtypes.User) *string { return u.UserName }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListAccessKeys", func(w *world) func(*string, *int32) page {
		user := w.user()
		w.key(user)
		w.key(user)
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListAccessKeys(w.ctx, &iam.ListAccessKeysInput{UserName: &user, Marker: marker, MaxItems: most}))
			return page{keysOf(out.AccessKeyMetadata, func(k iamtypes.AccessKeyMetadata) *string { return k.AccessKeyId }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListUserPolicies", func(w *world) func(*string, *int32) page {
		user := w.user()
		w.grant(user, "a", allow("s3:*", "*"))
		w.grant(user, "b", allow("s3:*", "*"))
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListUserPolicies(w.ctx, &iam.ListUserPoliciesInput{UserName: &user, Marker: marker, MaxItems: most}))
			return page{out.PolicyNames, out.IsTruncated, out.Marker}
		}
	}},
	{"ListAttachedUserPolicies", func(w *world) func(*string, *int32) page {
		user := w.user()
		for range 2 {
			must(w.admin.iam.AttachUserPolicy(w.ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: aws.String(w.policy(allow("s3:*", "*")))}))
		}
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListAttachedUserPolicies(w.ctx, &iam.ListAttachedUserPoliciesInput{UserName: &user, Marker: marker, MaxItems: most}))
			return page{keysOf(out.AttachedPolicies, func(p iamtypes.AttachedPolicy) *string { return p.PolicyArn }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListGroupsForUser", func(w *world) func(*string, *int32) page {
		user := w.user()
		for range 2 {
			must(w.admin.iam.AddUserToGroup(w.ctx, &iam.AddUserToGroupInput{UserName: &user, GroupName: aws.String(w.group())}))
		}
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListGroupsForUser(w.ctx, &iam.ListGroupsForUserInput{UserName: &user, Marker: marker, MaxItems: most}))
			return page{keysOf(out.Groups, func(g iamtypes.Group) *string { return g.GroupName }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListUserTags", func(w *world) func(*string, *int32) page {
		user := w.user(tagged(tags(2)...))
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListUserTags(w.ctx, &iam.ListUserTagsInput{UserName: &user, Marker: marker, MaxItems: most}))
			return page{keysOf(out.Tags, func(t iamtypes.Tag) *string { return t.Key }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListGroupPolicies", func(w *world) func(*string, *int32) page {
		group := w.group()
		w.grantGroup(group, "a", allow("s3:*", "*"))
		w.grantGroup(group, "b", allow("s3:*", "*"))
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListGroupPolicies(w.ctx, &iam.ListGroupPoliciesInput{GroupName: &group, Marker: marker, MaxItems: most}))
			return page{out.PolicyNames, out.IsTruncated, out.Marker}
		}
	}},
	{"ListAttachedGroupPolicies", func(w *world) func(*string, *int32) page {
		group := w.group()
		for range 2 {
			must(w.admin.iam.AttachGroupPolicy(w.ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: aws.String(w.policy(allow("s3:*", "*")))}))
		}
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListAttachedGroupPolicies(w.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &group, Marker: marker, MaxItems: most}))
			return page{keysOf(out.AttachedPolicies, func(p iamtypes.AttachedPolicy) *string { return p.PolicyArn }), out.IsTruncated, out.Marker}
		}
	}},
	{"GetGroup", func(w *world) func(*string, *int32) page {
		group := w.group()
		for range 2 {
			must(w.admin.iam.AddUserToGroup(w.ctx, &iam.AddUserToGroupInput{UserName: aws.String(w.user()), GroupName: &group}))
		}
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.GetGroup(w.ctx, &iam.GetGroupInput{GroupName: &group, Marker: marker, MaxItems: most}))
			return page{keysOf(out.Users, func(u iamtypes.User) *string { return u.UserName }), out.IsTruncated, out.Marker}
		}
	}},
	{"ListRoles", func(w *world) func(*string, *int32) page {
		w.role(trust("*"))
		w.role(trust("*"))
		return func(marker *string, most *int32) page {
			out := must(w.admin.iam.ListRoles(w.ctx, &iam.ListRolesInput{PathPrefix: &w.path, Marker: marker, MaxItems: most}))
			return page{keysOf(out.Roles, func(r iamtypes.Role) *string { return r.RoleName }), out.IsTruncated, out.Marker}
		}
	}},
}

// pagingBeliefs are that a list shows MaxItems at most and goes on at Marker.
func pagingBeliefs() []belief {
	var out []belief
	for _, l := range listings {
		out = append(out, belief{
			id: l.operation + ": pages", source: refPaging, want: "at most 1 on a page; 2 in all",
			run: func(w *world) string { return follow(l.fill(w)) },
		}, belief{
			id: l.operation + ": the first page says that there is more", source: refPaging, want: "truncated, with a marker",
			run: func(w *world) string {
				first := l.fill(w)(nil, aws.Int32(1))
				return map[bool]string{true: "truncated", false: "complete"}[first.truncated] +
					map[bool]string{true: ", with a marker", false: ", without a marker"}[aws.ToString(first.marker) != ""]
			},
		})
	}
	return out
}

// follow goes through all pages of one item each. A page may be short: only
// IsTruncated says whether there is more.
func follow(ask func(*string, *int32) page) string {
	var all []string
	var marker *string
	longest := 0
	for range 20 {
		p := ask(marker, aws.Int32(1))
		all = append(all, p.items...)
		longest = max(longest, len(p.items))
		if !p.truncated {
			break
		}
		marker = p.marker
	}
	slices.Sort(all)
	return fmt.Sprintf("at most %d on a page; %d in all", longest, len(slices.Compact(all)))
}

// pageLimitBeliefs are the limits of MaxItems and Marker.
func pageLimitBeliefs() []belief {
	return slices.Concat(
		each("ListUsers, MaxItems", modelIAM, []variant[int32]{
			{"0", 0, invalid}, {"1000", 1000, success}, {"1001", 1001, invalid},
		}, func(w *world, n int32) string {
			return did(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &w.path, MaxItems: &n}))
		}),
		each("ListUsers, Marker", modelIAM, []variant[string]{
			{"empty", "", invalid},
			{"321 characters", strings.Repeat("x", 321), invalid},
		}, func(w *world, marker string) string {
			return did(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &w.path, Marker: &marker}))
		}),
	)
}
