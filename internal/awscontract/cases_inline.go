package awscontract

import (
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// grammarBeliefs are policies that are refused, wherever they are put.
func grammarBeliefs() []belief {
	version := func(statement string) string { return `{"Version":"2012-10-17","Statement":[` + statement + `]}` }
	broken := []variant[string]{
		{"no JSON", "no JSON", malformed},
		{"empty object", "{}", malformed},
		{"no statement", version(""), malformed},
		{"no Effect", version(`{"Action":"s3:*","Resource":"*"}`), malformed},
		{"no Action", version(`{"Effect":"Allow","Resource":"*"}`), malformed},
		{"no Resource", version(`{"Effect":"Allow","Action":"s3:*"}`), malformed},
		{"unknown Effect", version(`{"Effect":"Maybe","Action":"s3:*","Resource":"*"}`), malformed},
		{"unknown element", version(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Conditon":{}}`), malformed},
		{"action without a service", version(`{"Effect":"Allow","Action":"read","Resource":"*"}`), malformed},
		{"resource that is no ARN", version(`{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}`), malformed},
		{"unknown version", `{"Version":"2026-01-01","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, malformed},
		{"Principal", version(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}`), malformed},
		{"the same Sid twice", version(`{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"s3:*","Resource":"*"}`), malformed},
		{"old version", `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, success},
		{"no version", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, success},
	}
	managed := slices.DeleteFunc(slices.Clone(broken), func(v variant[string]) bool { return v.want == success })
	return slices.Concat(
		each("PutUserPolicy, PolicyDocument", refGrammar, broken, func(w *world, document string) string {
			return w.admin.put(w.user(), "p", document)
		}),
		each("CreatePolicy, PolicyDocument", refGrammar, managed, func(w *world, document string) string {
			return w.admin.createPolicy(w.name(aPolicy), document)
		}),
		each("PutUserPolicy, PolicyDocument", modelIAM, []variant[string]{
			{"character beyond U+00FF", allow("s3:*", "arn:aws:s3:::Ā"), invalid},
			{"character up to U+00FF", allow("s3:*", "arn:aws:s3:::ÿ"), success},
			{"empty", "", invalid},
		}, func(w *world, document string) string { return w.admin.put(w.user(), "p", document) }),
	)
}

// inlineBeliefs are about inline policies.
func inlineBeliefs() []belief {
	document := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a+b%/ü*"}]}`
	return []belief{{
		id: "PutUserPolicy: replaces", source: "IAM API Reference, PutUserPolicy", want: "200, then 200, then 1 policies",
		run: func(w *world) string {
			user := w.user()
			said := []string{w.admin.put(user, "p", allow("s3:*", "*")), w.admin.put(user, "p", deny("s3:*", "*"))}
			names := must(w.admin.iam.ListUserPolicies(w.ctx, &iam.ListUserPoliciesInput{UserName: &user})).PolicyNames
			return then(append(said, counted(len(names), "policies"))...)
		},
	}, {
		id: "PutUserPolicy: no such user", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string { return w.admin.put(w.name(aUser), "p", document) },
	}, {
		id: "GetUserPolicy: URL-encoded, as it was put", source: "IAM API Reference, GetUserPolicy", want: "encoded, the same",
		run: func(w *world) string {
			user := w.user()
			w.grant(user, "p", document)
			out := must(w.admin.iam.GetUserPolicy(w.ctx, &iam.GetUserPolicyInput{UserName: &user, PolicyName: aws.String("p")}))
			return encoded(aws.ToString(out.PolicyDocument), document)
		},
	}, {
		id: "GetUserPolicy: no such policy", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			in := &iam.GetUserPolicyInput{UserName: aws.String(w.user()), PolicyName: aws.String("p")}
			return did(w.admin.iam.GetUserPolicy(w.ctx, in))
		},
	}, {
		id: "DeleteUserPolicy: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
		run: func(w *world) string {
			user := w.user()
			w.grant(user, "p", document)
			return then(w.admin.deletePolicyOf(user, "p"), w.admin.deletePolicyOf(user, "p"))
		},
	}, {
		id: "ListUserPolicies: no such user", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.ListUserPolicies(w.ctx, &iam.ListUserPoliciesInput{UserName: aws.String(w.name(aUser))}))
		},
	}}
}

// encoded says how a document came back.
func encoded(got, put string) string {
	said := "plain"
	if strings.HasPrefix(got, "%7B") {
		said = "encoded"
	}
	if decoded, err := url.QueryUnescape(got); err != nil || decoded != put {
		return said + ", not the same"
	}
	return said + ", the same"
}

// inlineLimitBeliefs are the quotas on all inline policies of one entity.
func inlineLimitBeliefs() []belief {
	source := quotas + "; " + threadMapsnap
	putAll := func(w *world, sizes []string) string {
		user, said := w.user(), []string(nil)
		for i, document := range sizes {
			said = append(said, w.admin.put(user, "p"+string(rune('a'+i)), document))
		}
		return then(said...)
	}
	blanks := strings.Replace(sized(2048), ":", ":"+strings.Repeat(" \n\t", 700), 1)
	return slices.Concat(
		each("PutUserPolicy, size of all policies", source, []variant[[]string]{
			{"as long as it may be", []string{sized(2048)}, success},
			{"one character more", []string{sized(2049)}, limit},
			{"white space is not counted", []string{blanks}, success},
			{"two policies as long as they may be", []string{sized(1024), sized(1024)}, "200, then 200"},
			{"two policies, one character more", []string{sized(1024), sized(1025)}, "200, then 409 LimitExceeded"},
		}, putAll),
		[]belief{{
			id: "PutUserPolicy, size of all policies: the one that is replaced is not counted", source: source, want: "200, then 200",
			run: func(w *world) string {
				user := w.user()
				return then(w.admin.put(user, "p", sized(2048)), w.admin.put(user, "p", sized(2047)))
			},
		}},
		each("PutGroupPolicy, size of all policies", quotas, []variant[int]{
			{"as long as it may be", 5120, success}, {"one character more", 5121, limit},
		}, func(w *world, n int) string {
			in := &iam.PutGroupPolicyInput{GroupName: aws.String(w.group()), PolicyName: aws.String("p"), PolicyDocument: aws.String(sized(n))}
			return did(w.admin.iam.PutGroupPolicy(w.ctx, in))
		}),
		each("PutRolePolicy, size of all policies", quotas, []variant[int]{
			{"as long as it may be", 10240, success}, {"one character more", 10241, limit},
		}, func(w *world, n int) string {
			role, _ := w.role(trust("*"))
			in := &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: aws.String(sized(n))}
			return did(w.admin.iam.PutRolePolicy(w.ctx, in))
		}),
	)
}
