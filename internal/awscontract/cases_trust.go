package awscontract

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// mayAssume is an identity policy that lets its owner assume any role.
func mayAssume() string { return allow("sts:AssumeRole", "*") }

// trustBeliefs are who may assume a role of its own account.
var trustBeliefs = []belief{{
	id: "Trust: the user by name, who needs no policy", source: refCrossAccount, want: success,
	run: func(w *world) string {
		a, role := w.assumable()
		return a.assume(role)
	},
}, {
	id: "Trust: another user", source: refTrust, want: denied,
	run: func(w *world) string {
		_, a := w.someone(mayAssume())
		_, role := w.assumable()
		return a.assume(role)
	},
}, {
	id: "Trust: the account, and no policy of the user", source: refTrust, want: denied,
	run: func(w *world) string {
		_, a := w.someone()
		_, role := w.role(trust(w.rootARN()))
		return a.assume(role)
	},
}, {
	id: "Trust: the account, and a policy of the user", source: refTrust, want: success,
	run: func(w *world) string {
		_, a := w.someone(mayAssume())
		_, role := w.role(trust(w.rootARN()))
		return a.assume(role)
	},
}, {
	id: "Trust: the account by number", source: refTrust, want: success,
	run: func(w *world) string {
		_, a := w.someone(mayAssume())
		_, role := w.role(trust(w.backend.Account))
		return a.assume(role)
	},
}, {
	id: "Trust: a deny of the user's own wins", source: refEvaluation, want: denied,
	run: func(w *world) string {
		_, a := w.someone(deny("sts:AssumeRole", "*"))
		arn, _ := a.identity()
		_, role := w.role(trust(arn))
		return a.assume(role)
	},
}, {
	id: "Trust: a deny of the role wins", source: refEvaluation, want: denied,
	run: func(w *world) string {
		user, a := w.someone(mayAssume())
		_, role := w.role(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + w.rootARN() + `"},"Action":"sts:AssumeRole"},` +
			`{"Effect":"Deny","Principal":{"AWS":"` + w.arn("user", user) + `"},"Action":"sts:AssumeRole"}]}`)
		return a.assume(role)
	},
}, {
	id: "Trust: a user of the same name made later is another", source: refTrust, want: "200, then 403 AccessDenied",
	run: madeAgain,
}, {
	id: "Trust: a new trust policy counts", source: "IAM API Reference, UpdateAssumeRolePolicy", want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		name, role := w.role(trust(arn))
		said := a.assume(role)
		must(w.admin.iam.UpdateAssumeRolePolicy(w.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String(trust(w.rootARN()))}))
		w.settle()
		return then(said, a.assume(role))
	},
}, {
	id: "Trust: ExternalId right, wrong and absent", source: refExternalID, want: "200, then 403 AccessDenied, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		_, role := w.role(trustOf(arn, "sts:AssumeRole", `{"StringEquals":{"sts:ExternalId":"right"}}`))
		with := func(id string) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) { in.ExternalId = &id }
		}
		return then(a.assume(role, with("right")), a.assume(role, with("wrong")), a.assume(role))
	},
}, {
	id: "Trust: condition on the session's name", source: refConditions, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		_, role := w.role(trustOf(arn, "sts:AssumeRole", `{"StringLike":{"sts:RoleSessionName":"sess*"}}`))
		return then(a.assume(role), a.assume(role, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("other") }))
	},
}, {
	id: "Trust: condition of MFA, without MFA", source: "IAM User Guide, id_credentials_mfa_configure-api-require", want: denied,
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		_, role := w.role(trustOf(arn, "sts:AssumeRole", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
		return a.assume(role)
	},
}}

func (w *world) rootARN() string { return "arn:aws:iam::" + w.backend.Account + ":root" }

// madeAgain deletes a user whom a role trusts and makes another of its name.
func madeAgain(w *world) string {
	user := w.user()
	k := w.key(user)
	w.settle()
	_, role := w.role(trust(w.arn("user", user)))
	said := w.as(k).assume(role)
	w.admin.deleteKey(user, k.ID)
	w.admin.deleteUser(user)
	w.admin.createUser(user)
	w.grant(user, "p", mayAssume())
	k = w.key(user)
	w.settle()
	return then(said, w.as(k).assume(role))
}

// crossAccountBeliefs are who may assume a role of another account: whom both
// sides let.
func crossAccountBeliefs() []belief {
	needs := []need{needOther}
	return []belief{{
		id: "Cross-account: both sides allow", source: refCrossAccount, needs: needs, want: success,
		run: func(w *world) string {
			a, _ := w.foreigner(mayAssume())
			_, role := w.role(trust(a.accountRoot()))
			return a.assume(role)
		},
	}, {
		id: "Cross-account: the role does not", source: refCrossAccount, needs: needs, want: denied,
		run: func(w *world) string {
			a, _ := w.foreigner(mayAssume())
			_, role := w.role(trust(w.rootARN()))
			return a.assume(role)
		},
	}, {
		id: "Cross-account: the user does not, though the role names it", source: refCrossAccount, needs: needs, want: denied,
		run: func(w *world) string {
			a, arn := w.foreigner("")
			_, role := w.role(trust(arn))
			return a.assume(role)
		},
	}, {
		id: "Cross-account: the session is the role's account's", source: ids, needs: needs, want: "arn:aws:sts::ACCOUNT:assumed-role/ROLE/session",
		run: func(w *world) string {
			a, _ := w.foreigner(mayAssume())
			name, role := w.role(trust(a.accountRoot()))
			arn, _ := a.session(role).identity()
			return w.mask(arn, name, "ROLE")
		},
	}}
}

// foreigner is a user of the other account, with a policy unless it is "".
func (w *world) foreigner(document string) (a actor, arn string) {
	there := w.as(*w.backend.Other)
	name := w.name(aUser)
	u := must(there.iam.CreateUser(w.ctx, &iam.CreateUserInput{UserName: &name, Path: &w.path})).User
	if document != "" {
		must(there.iam.PutUserPolicy(w.ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &document}))
	}
	k := must(there.iam.CreateAccessKey(w.ctx, &iam.CreateAccessKeyInput{UserName: &name})).AccessKey
	w.t.Cleanup(func() { w.sweep(*w.backend.Other, thing{aUser, name}) })
	w.settle()
	return w.as(Key{ID: aws.ToString(k.AccessKeyId), Secret: aws.ToString(k.SecretAccessKey)}), aws.ToString(u.Arn)
}

// accountRoot is the ARN of the actor's account.
func (a actor) accountRoot() string {
	out := must(a.sts.GetCallerIdentity(a.w.ctx, &sts.GetCallerIdentityInput{}))
	return "arn:aws:iam::" + aws.ToString(out.Account) + ":root"
}

// sessionTagBeliefs are what else a session can be given.
func sessionTagBeliefs() []belief {
	team := func(in *sts.AssumeRoleInput) { in.Tags = []ststypes.Tag{stsTag("team", "blue")} }
	source := func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("ada") }
	return []belief{{
		id: "Session tags: the trust policy must allow sts:TagSession", source: refSessionTags, want: "403 AccessDenied, then 200",
		run: func(w *world) string { return w.twoRoles(team, "sts:TagSession") },
	}, {
		id: "Source identity: the trust policy must allow sts:SetSourceIdentity", source: refSource, want: "403 AccessDenied, then 200",
		run: func(w *world) string { return w.twoRoles(source, "sts:SetSourceIdentity") },
	}, {
		id: "Source identity: is told", source: refSource, want: "ada",
		run: func(w *world) string {
			_, a := w.someone()
			arn, _ := a.identity()
			_, role := w.role(trustOf(arn, "sts:AssumeRole sts:SetSourceIdentity", "{}"))
			return aws.ToString(must(a.sts.AssumeRole(w.ctx, a.assumeInput(role, []func(*sts.AssumeRoleInput){source}))).SourceIdentity)
		},
	}, {
		id: "Session tags: count in policies", source: refSessionTags, want: "200, then 403 AccessDenied",
		run: func(w *world) string {
			_, a := w.someone()
			arn, _ := a.identity()
			_, role := w.role(trustOf(arn, "sts:AssumeRole sts:TagSession", "{}"),
				statement("Allow", "iam:ListUsers", "*", `{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`))
			return then(a.session(role, team).listUsers(), a.session(role).listUsers())
		},
	}, {
		id: "Session tags: more than fit", source: threadPacked, want: packed,
		run: func(w *world) string {
			return w.tagSession(func(in *sts.AssumeRoleInput) {
				for _, key := range "abcdefghi" {
					in.Tags = append(in.Tags, stsTag(string(key), longValue))
				}
			})
		},
	}, {
		id: "Session tags: 51", source: modelSTS, want: invalid,
		run: func(w *world) string {
			return w.tagSession(func(in *sts.AssumeRoleInput) {
				for i := range 51 {
					in.Tags = append(in.Tags, stsTag(counted(i, "th"), "v"))
				}
			})
		},
	}}
}

// attributionBeliefs are what sessions are known by, and what of it goes on.
func attributionBeliefs() []belief {
	identity := func(s string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.SourceIdentity = &s }
	}
	limits := each("AssumeRole, SourceIdentity", modelSTS, []variant[func(*sts.AssumeRoleInput)]{
		{"as long as it may be", identity(strings.Repeat("s", 64)), success},
		{"one character more", identity(strings.Repeat("s", 65)), invalid},
		{"one character", identity("s"), invalid},
		{"space", identity("a b"), invalid},
		{"every legal character", identity("a_+=,.@-"), success},
	}, func(w *world, change func(*sts.AssumeRoleInput)) string {
		_, a := w.someone()
		arn, _ := a.identity()
		_, role := w.role(trustOf(arn, "sts:AssumeRole sts:SetSourceIdentity", "{}"))
		return a.assume(role, change)
	})
	return append(limits, belief{
		id: "Session tags: transitive ones must be among them", source: refSessionTags, want: "400 ValidationError, then 200",
		run: func(w *world) string {
			tagged := func(keys ...string) string {
				return w.tagSession(func(in *sts.AssumeRoleInput) {
					in.Tags, in.TransitiveTagKeys = []ststypes.Tag{stsTag("team", "blue")}, keys
				})
			}
			return then(tagged("cost"), tagged("TEAM"))
		},
	}, belief{
		id: "Trust: condition on the source identity", source: refConditions, want: "200, then 403 AccessDenied",
		run: func(w *world) string {
			_, a := w.someone()
			arn, _ := a.identity()
			_, role := w.role(trustOf(arn, "sts:AssumeRole sts:SetSourceIdentity", `{"StringEquals":{"sts:SourceIdentity":"ada"}}`))
			return then(a.assume(role, identity("ada")), a.assume(role, identity("bob")))
		},
	})
}

// tagSession assumes a role that lets itself be tagged.
func (w *world) tagSession(change func(*sts.AssumeRoleInput)) string {
	_, a := w.someone()
	arn, _ := a.identity()
	_, role := w.role(trustOf(arn, "sts:AssumeRole sts:TagSession", "{}"))
	return a.assume(role, change)
}

// twoRoles assumes a role that allows AssumeRole only, and one that allows
// another action too.
func (w *world) twoRoles(change func(*sts.AssumeRoleInput), action string) string {
	_, a := w.someone()
	arn, _ := a.identity()
	_, plain := w.role(trust(arn))
	_, more := w.role(trustOf(arn, "sts:AssumeRole "+action, "{}"))
	return then(a.assume(plain, change), a.assume(more, change))
}

var longValue = strings.Repeat("v", 250)
