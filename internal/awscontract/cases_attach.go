package awscontract

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// readOnly is a policy of AWS's own.
const readOnly = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"

func attachBeliefs() []belief {
	out := each("AttachUserPolicy, PolicyArn", modelIAM, []variant[string]{
		{"no such policy", "arn:aws:iam::aws:policy/NoSuchPolicyAnywhere", noSuchEntity},
		{"shorter than an ARN", "garbage", invalid},
		{"no ARN", "a text that is no ARN but long enough", invalidInput},
		{"one of AWS's own", readOnly, success},
	}, func(w *world, arn string) string { return w.admin.attach(w.user(), arn) })
	return append(out, belief{
		id: "AttachUserPolicy: no such user", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string { return w.admin.attach(w.name(aUser), w.policy(allow("s3:*", "*"))) },
	}, belief{
		id: "AttachUserPolicy: second time", source: "IAM API Reference, AttachUserPolicy", want: "200, then 200, then 1 policies",
		run: func(w *world) string {
			user, arn := w.user(), w.policy(allow("s3:*", "*"))
			return then(w.admin.attach(user, arn), w.admin.attach(user, arn), counted(len(w.attached(user)), "policies"))
		},
	}, belief{
		id: "AttachUserPolicy: eleventh", source: quotas + "; " + threadPolicies, want: limit,
		run: func(w *world) string {
			user := w.user()
			return tenAndOne(func() string { return w.admin.attach(user, w.policy(allow("s3:*", "*"))) })
		},
	}, belief{
		id: "AttachGroupPolicy: eleventh", source: quotas + "; " + threadPolicies, want: limit,
		run: func(w *world) string {
			group := w.group()
			return tenAndOne(func() string {
				return did(w.admin.iam.AttachGroupPolicy(w.ctx, &iam.AttachGroupPolicyInput{GroupName: &group, PolicyArn: aws.String(w.policy(allow("s3:*", "*")))}))
			})
		},
	}, belief{
		id: "DetachUserPolicy: second time", source: modelIAM, want: "200, then 200, then 404 NoSuchEntity",
		run: func(w *world) string {
			user, arn := w.user(), w.policy(allow("s3:*", "*"))
			return then(w.admin.attach(user, arn), w.admin.detach(user, arn), w.admin.detach(user, arn))
		},
	}, belief{
		id: "DetachUserPolicy: never attached", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string { return w.admin.detach(w.user(), w.policy(allow("s3:*", "*"))) },
	}, belief{
		id: "ListAttachedUserPolicies: no such user", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.ListAttachedUserPolicies(w.ctx, &iam.ListAttachedUserPoliciesInput{UserName: aws.String(w.name(aUser))}))
		},
	})
}

// attached lists the ARNs of a user's policies.
func (w *world) attached(user string) (arns []string) {
	for _, p := range must(w.admin.iam.ListAttachedUserPolicies(w.ctx, &iam.ListAttachedUserPoliciesInput{UserName: &user})).AttachedPolicies {
		arns = append(arns, aws.ToString(p.PolicyArn))
	}
	return arns
}

// tenAndOne does something ten times, which must work, and once more.
func tenAndOne(do func() string) string {
	for i := range 10 {
		if got := do(); got != success {
			return fmt.Sprintf("number %d: %s", i+1, got)
		}
	}
	return do()
}

func counted(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }

func ofAll(n, all int) string { return fmt.Sprintf("%d of %d", n, all) }

// managedBeliefs are about managed policies.
func managedBeliefs() []belief {
	document := `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`
	blanks := strings.Replace(sized(6144), ":", ":"+strings.Repeat(" ", 500), 1)
	out := each("CreatePolicy, size", quotas, []variant[string]{
		{"as long as it may be", sized(6144), success},
		{"one character more", sized(6145), limit},
		{"white space is not counted", blanks, success},
	}, func(w *world, document string) string { return w.admin.createPolicy(w.name(aPolicy), document) })
	// A new managed policy cannot have the old version, unlike an inline one.
	out = append(out, each("CreatePolicy, PolicyDocument", threadVersion, []variant[string]{
		{"old version", `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, malformed},
		{"no version", `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`, malformed},
	}, func(w *world, document string) string { return w.admin.createPolicy(w.name(aPolicy), document) })...)
	return append(out, belief{
		id: "CreatePolicy: ARN and unique id", source: ids, want: "arn:aws:iam::ACCOUNT:policy/PATH/NAME ANPA…",
		run: func(w *world) string {
			name := w.name(aPolicy)
			p := must(w.admin.iam.CreatePolicy(w.ctx, &iam.CreatePolicyInput{PolicyName: &name, Path: &w.path, PolicyDocument: &document})).Policy
			return w.mask(aws.ToString(p.Arn), name, "NAME") + " " + prefixed(p.PolicyId)
		},
	}, belief{
		id: "CreatePolicy: name that is taken", source: modelIAM, want: "200, then 409 EntityAlreadyExists",
		run: func(w *world) string {
			name := w.name(aPolicy)
			return then(w.admin.createPolicy(name, document), w.admin.createPolicy(name, document))
		},
	}, belief{
		id: "DeletePolicy: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
		run: func(w *world) string {
			arn := w.policy(document)
			return then(w.admin.deletePolicy(arn), w.admin.deletePolicy(arn))
		},
	}, belief{
		id: "GetPolicyVersion: URL-encoded, as it was put", source: "IAM API Reference, GetPolicyVersion", want: "v1, encoded, the same",
		run: func(w *world) string {
			arn := w.policy(document)
			version := must(w.admin.iam.GetPolicy(w.ctx, &iam.GetPolicyInput{PolicyArn: &arn})).Policy.DefaultVersionId
			v := must(w.admin.iam.GetPolicyVersion(w.ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: version})).PolicyVersion
			return aws.ToString(version) + ", " + encoded(aws.ToString(v.Document), document)
		},
	}, belief{
		id: "GetPolicy: no such policy", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string {
			return did(w.admin.iam.GetPolicy(w.ctx, &iam.GetPolicyInput{PolicyArn: aws.String(w.arn("policy", "missing"))}))
		},
	})
}
