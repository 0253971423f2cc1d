package awscontract

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// uniqueID is the unique id of an entity, or a key's, with what follows it.
var uniqueID = regexp.MustCompile(`^(AKIA|ASIA|AIDA|AROA|AGPA|ANPA)[A-Z0-9]{12,124}(:.*)?$`)

// prefixed shows the prefix of a unique id, which says of what kind it is.
func prefixed(id *string) string {
	if !uniqueID.MatchString(aws.ToString(id)) {
		return "an id of no known kind"
	}
	return uniqueID.ReplaceAllString(*id, "$1…$2")
}

// userBeliefs are about users.
var userBeliefs = []belief{{
	id: "CreateUser: ARN and unique id", source: ids, want: "arn:aws:iam::ACCOUNT:user/PATH/NAME AIDA…",
	run: func(w *world) string {
		name := w.name(aUser)
		u := must(w.admin.iam.CreateUser(w.ctx, &iam.CreateUserInput{UserName: &name, Path: &w.path})).User
		return w.mask(aws.ToString(u.Arn), name, "NAME") + " " + prefixed(u.UserId)
	},
}, {
	id: "CreateUser: name that is taken", source: modelIAM, want: exists,
	run: func(w *world) string { return w.admin.createUser(w.user()) },
}, {
	id: "CreateUser: name that is taken but for case", source: quotas, want: exists,
	run: func(w *world) string { return w.admin.createUser(w.owns(aUser, strings.ToUpper(w.user()))) },
}, {
	id: "CreateUser: name that is taken at another path", source: quotas, want: exists,
	run: func(w *world) string {
		elsewhere := func(in *iam.CreateUserInput) { in.Path = aws.String(w.path + "elsewhere/") }
		return w.admin.createUser(w.user(), elsewhere)
	},
}, {
	id: "GetUser: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.findUser(w.name(aUser)) },
}, {
	id: "GetUser: without a name it is the caller", source: "IAM API Reference, GetUser", want: "NAME",
	run: func(w *world) string {
		user, a := w.someone(allow("iam:GetUser", "*"))
		return w.mask(aws.ToString(must(a.iam.GetUser(w.ctx, &iam.GetUserInput{})).User.UserName), user, "NAME")
	},
}, {
	id: "DeleteUser: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
	run: func(w *world) string {
		user := w.user()
		return then(w.admin.deleteUser(user), w.admin.deleteUser(user))
	},
}, {
	id: "DeleteUser: a name that was used is free again", source: refDeleteUser, want: "200, then 200",
	run: func(w *world) string {
		user := w.user()
		return then(w.admin.deleteUser(user), w.admin.createUser(user))
	},
}, {
	id: "UpdateUser: keys and policies stay with a renamed user", source: "IAM User Guide, id_users_rename",
	want: "200, then 404 NoSuchEntity, then 200, then arn:aws:iam::ACCOUNT:user/PATH/NEW",
	run:  renamed,
}, {
	id: "UpdateUser: new name that is taken", source: modelIAM, want: exists,
	run: func(w *world) string { return w.rename(w.user(), w.user()) },
}, {
	id: "ListUsers: those under the path, of whatever name", source: "IAM API Reference, ListUsers", want: "1 of 2",
	run: func(w *world) string {
		w.user()
		w.user(func(in *iam.CreateUserInput) { in.Path = aws.String(w.path + "deeper/") })
		out := must(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: aws.String(w.path + "deep")}))
		all := must(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &w.path}))
		return ofAll(len(out.Users), len(all.Users))
	},
}, {
	id: "ListUsers: shows neither tags nor boundary", source: "IAM API Reference, ListUsers", want: "0 tags",
	run: func(w *world) string {
		w.user(tagged(iamTag("k", "v")))
		u := must(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &w.path})).Users
		return counted(len(slices.Concat(u[0].Tags)), "tags")
	},
}}

func (w *world) rename(user, to string) string {
	return did(w.admin.iam.UpdateUser(w.ctx, &iam.UpdateUserInput{UserName: &user, NewUserName: &to}))
}

// renamed renames a user and looks for it, its key and its policy.
func renamed(w *world) string {
	user, a := w.someone(allow("iam:ListUsers", "*"))
	to := w.name(aUser)
	said := w.rename(user, to)
	w.settle()
	arn, _ := a.identity()
	return then(said, w.admin.findUser(user), a.listUsers(), w.mask(arn, to, "NEW"))
}

// boundaryBeliefs are what a permissions boundary is to its user; what it does
// is among the beliefs about access.
var boundaryBeliefs = []belief{{
	id: "CreateUser, PermissionsBoundary: stored", source: refBoundary, want: "BOUNDARY",
	run: func(w *world) string {
		arn := w.policy(allow("*", "*"))
		return w.mask(w.boundaryOf(w.user(bounded(arn))), arn, "BOUNDARY")
	},
}, {
	id: "CreateUser, PermissionsBoundary: no such policy", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.createUser(w.name(aUser), bounded(w.arn("policy", "missing"))) },
}, {
	id: "CreateUser, PermissionsBoundary: shorter than an ARN", source: modelIAM, want: invalid,
	run: func(w *world) string { return w.admin.createUser(w.name(aUser), bounded("garbage")) },
}, {
	id: "CreateUser, PermissionsBoundary: no ARN", source: modelIAM, want: invalidInput,
	run: func(w *world) string {
		return w.admin.createUser(w.name(aUser), bounded("a text that is no ARN but long enough"))
	},
}, {
	id: "PutUserPermissionsBoundary: replaces", source: refBoundary, want: "200, then 200, then BOUNDARY",
	run: func(w *world) string {
		user, first, second := w.user(), w.policy(allow("s3:*", "*")), w.policy(allow("*", "*"))
		return then(w.admin.bound(user, first), w.admin.bound(user, second), w.mask(w.boundaryOf(user), second, "BOUNDARY"))
	},
}, {
	id: "PutUserPermissionsBoundary: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.bound(w.name(aUser), w.policy(allow("*", "*"))) },
}, {
	id: "DeleteUserPermissionsBoundary: user who has none", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.unbound(w.user()) },
}, {
	id: "DeleteUserPermissionsBoundary: second time", source: modelIAM, want: "200, then 404 NoSuchEntity, then none",
	run: func(w *world) string {
		user := w.user()
		if got := w.admin.bound(user, w.policy(allow("*", "*"))); got != success {
			return got
		}
		return then(w.admin.unbound(user), w.admin.unbound(user), w.boundaryOf(user))
	},
}}

func bounded(policyARN string) func(*iam.CreateUserInput) {
	return func(in *iam.CreateUserInput) { in.PermissionsBoundary = &policyARN }
}

// boundaryOf is the ARN of a user's boundary, or "none".
func (w *world) boundaryOf(user string) string {
	u := must(w.admin.iam.GetUser(w.ctx, &iam.GetUserInput{UserName: &user})).User
	if u.PermissionsBoundary == nil {
		return "none"
	}
	return aws.ToString(u.PermissionsBoundary.PermissionsBoundaryArn)
}
