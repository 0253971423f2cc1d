package awscontract

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// roleBeliefs are about roles and who they let in.
func roleBeliefs() []belief {
	statement := func(rest string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + rest + `}]}`
	}
	return slices.Concat(
		each("CreateRole, MaxSessionDuration", modelIAM, []variant[time.Duration]{
			{"1h", time.Hour, success},
			{"12h", 12 * time.Hour, success},
			{"a second less", time.Hour - time.Second, invalid},
			{"a second more", 12*time.Hour + time.Second, invalid},
		}, func(w *world, d time.Duration) string {
			return w.admin.createRole(w.name(aRole), trust("*"), func(in *iam.CreateRoleInput) { in.MaxSessionDuration = seconds(d) })
		}),
		each("CreateRole, trust policy", refGrammar, []variant[string]{
			{"no JSON", "no JSON", malformed},
			{"no Principal", statement(`"Action":"sts:AssumeRole"`), malformed},
			{"Resource", statement(`"Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Resource":"*"`), malformed},
			{"action of another service", statement(`"Action":"s3:*","Principal":{"AWS":"*"}`), malformed},
			{"principal that is no ARN", trust("nobody"), malformed},
			{"a service", statement(`"Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}`), success},
		}, func(w *world, document string) string { return w.admin.createRole(w.name(aRole), document) }),
		[]belief{{
			id: "CreateRole, trust policy: user who does not exist", source: refTrust, want: malformed,
			run: func(w *world) string { return w.admin.createRole(w.name(aRole), trust(w.arn("user", "missing"))) },
		}, {
			id: "CreateRole, trust policy: longer than its quota", source: quotas, want: limit,
			run: func(w *world) string {
				long := trustOf("*", "sts:AssumeRole", `{"StringEquals":{"sts:ExternalId":"`+strings.Repeat("x", 2048)+`"}}`)
				return w.admin.createRole(w.name(aRole), long)
			},
		}, {
			id: "CreateRole: ARN and unique id", source: ids, want: "arn:aws:iam::ACCOUNT:role/PATH/NAME AROA… 3600 seconds",
			run: func(w *world) string {
				name := w.name(aRole)
				in := &iam.CreateRoleInput{RoleName: &name, Path: &w.path, AssumeRolePolicyDocument: aws.String(trust("*"))}
				r := must(w.admin.iam.CreateRole(w.ctx, in)).Role
				return w.mask(aws.ToString(r.Arn), name, "NAME") + " " + prefixed(r.RoleId) + " " + counted(int(aws.ToInt32(r.MaxSessionDuration)), "seconds")
			},
		}, {
			id: "CreateRole: name that is taken but for case", source: quotas, want: exists,
			run: func(w *world) string {
				name, _ := w.role(trust("*"))
				return w.admin.createRole(w.owns(aRole, strings.ToUpper(name)), trust("*"))
			},
		}, {
			id: "GetRole: no such role", source: modelIAM, want: noSuchEntity,
			run: func(w *world) string {
				return did(w.admin.iam.GetRole(w.ctx, &iam.GetRoleInput{RoleName: aws.String(w.name(aRole))}))
			},
		}, {
			id: "DeleteRole: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
			run: func(w *world) string {
				name, _ := w.role(trust("*"))
				return then(w.admin.deleteRole(name), w.admin.deleteRole(name))
			},
		}},
	)
}

// rolePolicyBeliefs are about what a role holds.
func rolePolicyBeliefs() []belief {
	document := allow("s3:*", "*")
	return []belief{{
		id: "GetRolePolicy: URL-encoded, as it was put", source: "IAM API Reference, GetRolePolicy", want: "encoded, the same",
		run: func(w *world) string {
			name, _ := w.role(trust("*"), document)
			out := must(w.admin.iam.GetRolePolicy(w.ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline-0")}))
			return encoded(aws.ToString(out.PolicyDocument), document)
		},
	}, {
		id: "GetRole: trust policy, URL-encoded", source: "IAM API Reference, GetRole", want: "encoded, the same",
		run: func(w *world) string {
			name, _ := w.role(trust("*"))
			out := must(w.admin.iam.GetRole(w.ctx, &iam.GetRoleInput{RoleName: &name})).Role
			return encoded(aws.ToString(out.AssumeRolePolicyDocument), trust("*"))
		},
	}, {
		id: "UpdateAssumeRolePolicy: no JSON", source: modelIAM, want: malformed,
		run: func(w *world) string {
			name, _ := w.role(trust("*"))
			in := &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String("no JSON")}
			return did(w.admin.iam.UpdateAssumeRolePolicy(w.ctx, in))
		},
	}, {
		id: "DeleteRolePolicy: second time", source: modelIAM, want: "200, then 404 NoSuchEntity",
		run: func(w *world) string {
			name, _ := w.role(trust("*"), document)
			in := &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("inline-0")}
			return then(did(w.admin.iam.DeleteRolePolicy(w.ctx, in)), did(w.admin.iam.DeleteRolePolicy(w.ctx, in)))
		},
	}}
}
