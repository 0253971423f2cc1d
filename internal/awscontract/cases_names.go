package awscontract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// nameBeliefs are the limits of names.
func nameBeliefs() []belief {
	suffixes := []variant[string]{
		{"every legal character", "_+=,.@-", success},
		{"space", " x", invalid},
		{"slash", "/x", invalid},
		{"star", "*", invalid},
		{"colon", ":x", invalid},
		{"letter that is not ASCII", "ü", invalid},
	}
	lengths := []variant[int]{{"as long as it may be", 64, success}, {"one character more", 65, invalid}}
	return slices.Concat(
		each("CreateUser, UserName", modelIAM, suffixes, func(w *world, suffix string) string {
			return w.admin.createUser(w.owns(aUser, w.name(aUser)+suffix))
		}),
		each("CreateUser, UserName", modelIAM, lengths, func(w *world, n int) string {
			return w.admin.createUser(w.padded(aUser, n))
		}),
		each("CreateRole, RoleName", modelIAM, lengths, func(w *world, n int) string {
			return w.admin.createRole(w.padded(aRole, n), trust("*"))
		}),
		each("CreateGroup, GroupName", modelIAM, []variant[int]{
			{"as long as it may be", 128, success}, {"one character more", 129, invalid},
		}, func(w *world, n int) string { return w.admin.createGroup(w.padded(aGroup, n)) }),
		each("PutUserPolicy, PolicyName", modelIAM, []variant[string]{
			{"as long as it may be", strings.Repeat("p", 128), success},
			{"one character more", strings.Repeat("p", 129), invalid},
			{"slash", "a/b", invalid},
			{"empty", "", invalid},
		}, func(w *world, policy string) string { return w.admin.put(w.user(), policy, allow("s3:*", "*")) }),
		[]belief{{
			id: "CreateUser, UserName: empty", source: modelIAM, want: invalid,
			run: func(w *world) string { return w.admin.createUser(w.owns(aUser, "")) },
		}, {
			id: "GetUser, UserName: longer than a user's can be", source: modelIAM, want: noSuchEntity,
			run: func(w *world) string { return w.admin.findUser(strings.Repeat("x", 128)) },
		}, {
			id: "GetUser, UserName: 129 characters", source: modelIAM, want: invalid,
			run: func(w *world) string { return w.admin.findUser(strings.Repeat("x", 129)) },
		}},
	)
}

// pathBeliefs are the limits of paths.
func pathBeliefs() []belief {
	return slices.Concat(
		each("CreateUser, Path", modelIAM, []variant[string]{
			{"as long as it may be", root + strings.Repeat("x", 512-len(root)-1) + "/", success},
			{"one character more", root + strings.Repeat("x", 512-len(root)) + "/", invalid},
			{"every character of ASCII that prints", root + "!~$&'()*+,;=:@/", success},
			{"without slashes", "vault-acc", invalid},
			{"no slash at its end", "/vault-acc", invalid},
			{"space", root + "a b/", invalid},
			{"letter that is not ASCII", root + "ü/", invalid},
			{"empty", "", invalid},
		}, func(w *world, path string) string {
			return w.admin.createUser(w.name(aUser), func(in *iam.CreateUserInput) { in.Path = &path })
		}),
		each("ListUsers, PathPrefix", modelIAM, []variant[string]{
			{"part of a path", "/vault-acc/no", success},
			{"no slash at its beginning", "vault-acc/", invalid},
		}, func(w *world, prefix string) string {
			return did(w.admin.iam.ListUsers(w.ctx, &iam.ListUsersInput{PathPrefix: &prefix}))
		}),
	)
}

func tagged(tags ...iamtypes.Tag) func(*iam.CreateUserInput) {
	return func(in *iam.CreateUserInput) { in.Tags = tags }
}

// tags are n tags.
func tags(n int) []iamtypes.Tag {
	out := make([]iamtypes.Tag, n)
	for i := range out {
		out[i] = iamTag(fmt.Sprintf("key-%d", i), "value")
	}
	return out
}

// tagLimitBeliefs are the limits of tags in one call.
func tagLimitBeliefs() []belief {
	return each("CreateUser, Tags", modelIAM+"; "+quotas, []variant[[]iamtypes.Tag]{
		{"50", tags(50), success},
		{"51", tags(51), invalid},
		{"key of 128 characters", []iamtypes.Tag{iamTag(strings.Repeat("k", 128), "")}, success},
		{"key of 129 characters", []iamtypes.Tag{iamTag(strings.Repeat("k", 129), "")}, invalid},
		{"key of no characters", []iamtypes.Tag{iamTag("", "v")}, invalid},
		{"value of 256 characters", []iamtypes.Tag{iamTag("k", strings.Repeat("v", 256))}, success},
		{"value of 257 characters", []iamtypes.Tag{iamTag("k", strings.Repeat("v", 257))}, invalid},
		{"letters that are not ASCII", []iamtypes.Tag{iamTag("schlüssel", "größe 1")}, success},
		{"character that is not allowed", []iamtypes.Tag{iamTag("k", "a;b")}, invalid},
		{"key twice", []iamtypes.Tag{iamTag("k", "1"), iamTag("k", "2")}, invalidInput},
		{"key twice but for case", []iamtypes.Tag{iamTag("key", "1"), iamTag("KEY", "2")}, invalidInput},
		{"key that AWS reserves", []iamtypes.Tag{iamTag("aws:x", "1")}, invalidInput},
	}, func(w *world, tags []iamtypes.Tag) string { return w.admin.createUser(w.name(aUser), tagged(tags...)) })
}

// tagBeliefs are what tagging does.
var tagBeliefs = []belief{{
	id: "CreateUser: tags ride in it", source: refTags, want: "a=1 b=2",
	run: func(w *world) string { return w.tagsOf(w.user(tagged(iamTag("a", "1"), iamTag("b", "2")))) },
}, {
	id: "TagUser: replaces the value of a key, ignoring case", source: refTags, want: "200, then KEY=2",
	run: func(w *world) string {
		user := w.user(tagged(iamTag("key", "1")))
		return then(w.admin.tag(user, iamTag("KEY", "2")), w.tagsOf(user))
	},
}, {
	id: "TagUser: repeatable", source: refTags, want: "200, then 200, then k=v",
	run: func(w *world) string {
		user := w.user()
		return then(w.admin.tag(user, iamTag("k", "v")), w.admin.tag(user, iamTag("k", "v")), w.tagsOf(user))
	},
}, {
	id: "TagUser: 50 tags in all", source: quotas, want: limit,
	run: func(w *world) string { return w.admin.tag(w.user(tagged(tags(50)...)), iamTag("one", "more")) },
}, {
	id: "TagUser: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.tag(w.name(aUser), iamTag("k", "v")) },
}, {
	id: "UntagUser: key that is not there", source: refTags, want: "200, then a=1",
	run: func(w *world) string {
		user := w.user(tagged(iamTag("a", "1"), iamTag("b", "2")))
		in := &iam.UntagUserInput{UserName: &user, TagKeys: []string{"b", "c"}}
		return then(did(w.admin.iam.UntagUser(w.ctx, in)), w.tagsOf(user))
	},
}}

// tagsOf lists a user's tags, sorted.
func (w *world) tagsOf(user string) string {
	var out []string
	for _, t := range must(w.admin.iam.ListUserTags(w.ctx, &iam.ListUserTagsInput{UserName: &user})).Tags {
		out = append(out, aws.ToString(t.Key)+"="+aws.ToString(t.Value))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
