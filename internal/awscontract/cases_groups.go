package awscontract

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// groupBeliefs are about groups and their members.
var groupBeliefs = []belief{{
	id: "CreateGroup: name that is taken but for case", source: quotas, want: exists,
	run: func(w *world) string { return w.admin.createGroup(w.owns(aGroup, strings.ToUpper(w.group()))) },
}, {
	id: "AddUserToGroup: no such group", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.join(w.user(), w.name(aGroup)) },
}, {
	id: "AddUserToGroup: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.join(w.name(aUser), w.group()) },
}, {
	id: "AddUserToGroup: second time", source: "IAM API Reference, AddUserToGroup", want: "200, then 200, then 1 groups",
	run: func(w *world) string {
		user, group := w.user(), w.group()
		return then(w.admin.join(user, group), w.admin.join(user, group), counted(len(w.groupsOf(user)), "groups"))
	},
}, {
	id: "AddUserToGroup: eleventh group", source: quotas, want: limit,
	run: func(w *world) string {
		user := w.user()
		return tenAndOne(func() string { return w.admin.join(user, w.group()) })
	},
}, {
	id: "RemoveUserFromGroup: no longer a member", source: "IAM API Reference, RemoveUserFromGroup", want: "200, then 200, then 0 groups",
	run: func(w *world) string {
		user, group := w.user(), w.group()
		return then(w.admin.join(user, group), w.admin.leave(user, group), counted(len(w.groupsOf(user)), "groups"))
	},
}, {
	id: "RemoveUserFromGroup: no such group", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.leave(w.user(), w.name(aGroup)) },
}, {
	id: "ListGroupsForUser: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string {
		return did(w.admin.iam.ListGroupsForUser(w.ctx, &iam.ListGroupsForUserInput{UserName: aws.String(w.name(aUser))}))
	},
}, {
	id: "DeleteGroup: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
	run: func(w *world) string {
		group := w.group()
		return then(w.admin.deleteGroup(group), w.admin.deleteGroup(group))
	},
}, {
	id: "GetGroup: shows its members", source: "IAM API Reference, GetGroup", want: "200, then MEMBER",
	run: func(w *world) string {
		user, group := w.user(), w.group()
		said := w.admin.join(user, group)
		var names []string
		for _, u := range must(w.admin.iam.GetGroup(w.ctx, &iam.GetGroupInput{GroupName: &group})).Users {
			names = append(names, aws.ToString(u.UserName))
		}
		return then(said, w.mask(strings.Join(names, " "), user, "MEMBER"))
	},
}}

func (w *world) groupsOf(user string) (names []string) {
	for _, g := range must(w.admin.iam.ListGroupsForUser(w.ctx, &iam.ListGroupsForUserInput{UserName: &user})).Groups {
		names = append(names, aws.ToString(g.GroupName))
	}
	return names
}

// groupPolicyBeliefs are how the engine reads what a group's members may do.
func groupPolicyBeliefs() []belief {
	document := allow("s3:*", "*")
	return []belief{{
		id: "ListGroupPolicies: inline policies by name", source: "IAM API Reference, ListGroupPolicies", want: "a b",
		run: func(w *world) string {
			group := w.group()
			w.grantGroup(group, "b", document)
			w.grantGroup(group, "a", document)
			names := must(w.admin.iam.ListGroupPolicies(w.ctx, &iam.ListGroupPoliciesInput{GroupName: &group})).PolicyNames
			slices.Sort(names)
			return strings.Join(names, " ")
		},
	}, {
		id: "GetGroupPolicy: URL-encoded, as it was put", source: "IAM API Reference, GetGroupPolicy", want: "encoded, the same",
		run: func(w *world) string {
			group := w.group()
			w.grantGroup(group, "p", document)
			out := must(w.admin.iam.GetGroupPolicy(w.ctx, &iam.GetGroupPolicyInput{GroupName: &group, PolicyName: aws.String("p")}))
			return encoded(aws.ToString(out.PolicyDocument), document)
		},
	}, {
		id: "ListAttachedGroupPolicies: by ARN", source: "IAM API Reference, ListAttachedGroupPolicies", want: "POLICY",
		run: func(w *world) string {
			group, arn := w.group(), w.policy(document)
			must(w.admin.iam.AttachGroupPolicy(w.ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: &arn}))
			out := must(w.admin.iam.ListAttachedGroupPolicies(w.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &group})).AttachedPolicies
			return w.mask(aws.ToString(out[0].PolicyArn), arn, "POLICY")
		},
	}, {
		id: "ListGroupPolicies: no such group", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.ListGroupPolicies(w.ctx, &iam.ListGroupPoliciesInput{GroupName: aws.String(w.name(aGroup))}))
		},
	}, {
		id: "ListAttachedGroupPolicies: no such group", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.ListAttachedGroupPolicies(w.ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: aws.String(w.name(aGroup))}))
		},
	}, {
		id: "GetGroupPolicy: no such policy", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.GetGroupPolicy(w.ctx, &iam.GetGroupPolicyInput{GroupName: aws.String(w.group()), PolicyName: aws.String("p")}))
		},
	}}
}

func (w *world) grantGroup(group, policy, document string) {
	must(w.admin.iam.PutGroupPolicy(w.ctx, &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: &policy, PolicyDocument: &document}))
}
