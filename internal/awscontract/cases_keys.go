package awscontract

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// keyBeliefs are about users' access keys.
var keyBeliefs = []belief{{
	id: "CreateAccessKey: id and status", source: ids, want: "AKIA… Active",
	run: func(w *world) string {
		user := w.user()
		k := must(w.admin.iam.CreateAccessKey(w.ctx, &iam.CreateAccessKeyInput{UserName: &user})).AccessKey
		return prefixed(k.AccessKeyId) + " " + string(k.Status)
	},
}, {
	id: "CreateAccessKey: third key", source: quotas, want: limit,
	run: func(w *world) string {
		user := w.user()
		w.key(user)
		w.key(user)
		return w.admin.createKey(user)
	},
}, {
	id: "CreateAccessKey: third key, of which one is inactive", source: quotas, want: "200, then 409 LimitExceeded",
	run: func(w *world) string {
		user := w.user()
		w.key(user)
		return then(w.admin.setKey(user, w.key(user).ID, "Inactive"), w.admin.createKey(user))
	},
}, {
	id: "CreateAccessKey: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.createKey(w.name(aUser)) },
}, {
	id: "CreateAccessKey: not idempotent", source: refCreateKey, want: "2 keys",
	run: func(w *world) string {
		user := w.user()
		w.admin.createKey(user)
		w.admin.createKey(user)
		return counted(len(w.keys(user)), "keys")
	},
}, {
	id: "DeleteAccessKey: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
	run: func(w *world) string {
		user := w.user()
		id := w.key(user).ID
		return then(w.admin.deleteKey(user, id), w.admin.deleteKey(user, id))
	},
}, {
	id: "DeleteAccessKey: key of another user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.deleteKey(w.user(), w.key(w.user()).ID) },
}, {
	id: "DeleteAccessKey, AccessKeyId: too short", source: modelIAM, want: invalid,
	run: func(w *world) string { return w.admin.deleteKey(w.user(), "AKIA") },
}, {
	id: "UpdateAccessKey: inactive", source: refKeys, want: "200, then Inactive",
	run: func(w *world) string {
		user := w.user()
		said := w.admin.setKey(user, w.key(user).ID, "Inactive")
		return then(said, string(w.keys(user)[0].Status))
	},
}, {
	id: "UpdateAccessKey, Status: no such status", source: modelIAM, want: invalid,
	run: func(w *world) string {
		user := w.user()
		return w.admin.setKey(user, w.key(user).ID, "Bogus")
	},
}, {
	id: "UpdateAccessKey: no such key", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string { return w.admin.setKey(w.user(), "AKIAIOSFODNN7MISSING", "Inactive") },
}, {
	id: "ListAccessKeys: no such user", source: modelIAM, want: noSuchEntity,
	run: func(w *world) string {
		return did(w.admin.iam.ListAccessKeys(w.ctx, &iam.ListAccessKeysInput{UserName: aws.String(w.name(aUser))}))
	},
}, {
	id: "GetAccessKeyLastUsed: whose key it is", source: "IAM API Reference, GetAccessKeyLastUsed", want: "NAME",
	run: func(w *world) string {
		user := w.user()
		id := w.key(user).ID
		out := must(w.admin.iam.GetAccessKeyLastUsed(w.ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id}))
		return w.mask(aws.ToString(out.UserName), user, "NAME")
	},
}}

func (w *world) keys(user string) []iamtypes.AccessKeyMetadata {
	return must(w.admin.iam.ListAccessKeys(w.ctx, &iam.ListAccessKeysInput{UserName: &user})).AccessKeyMetadata
}

// keylessBeliefs are the calls on keys that name no user: how a root key is
// rotated.
func keylessBeliefs() []belief {
	source := refCreateKey + " (without UserName)"
	mayAll := allow("iam:*AccessKey*", "*")
	return []belief{{
		id: "CreateAccessKey without UserName: is the caller's", source: source, want: "NAME, then 2 keys",
		run: func(w *world) string {
			user, a := w.someone(mayAll)
			k := must(a.iam.CreateAccessKey(w.ctx, &iam.CreateAccessKeyInput{})).AccessKey
			return then(w.mask(aws.ToString(k.UserName), user, "NAME"), counted(len(w.keys(user)), "keys"))
		},
	}, {
		id: "DeleteAccessKey without UserName: is the caller's", source: source, want: "200, then 0 keys",
		run: func(w *world) string {
			user, a := w.someone(mayAll)
			id := w.keys(user)[0].AccessKeyId
			return then(did(a.iam.DeleteAccessKey(w.ctx, &iam.DeleteAccessKeyInput{AccessKeyId: id})), counted(len(w.keys(user)), "keys"))
		},
	}, {
		id: "ListAccessKeys without UserName: are the caller's", source: source, want: "1 keys",
		run: func(w *world) string {
			_, a := w.someone(mayAll)
			return counted(len(must(a.iam.ListAccessKeys(w.ctx, &iam.ListAccessKeysInput{})).AccessKeyMetadata), "keys")
		},
	}, {
		id: "CreateAccessKey without UserName: caller that is no user", source: source, want: invalid,
		run: func(w *world) string {
			_, a := w.someone()
			arn, _ := a.identity()
			_, role := w.role(trust(arn), mayAll)
			return did(a.session(role).iam.CreateAccessKey(w.ctx, &iam.CreateAccessKeyInput{}))
		},
	}}
}
