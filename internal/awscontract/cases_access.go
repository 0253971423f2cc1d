package awscontract

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// accessBeliefs are who may do what.
var accessBeliefs = []belief{{
	id: "Access: user without policies", source: refEvaluation, want: denied,
	run: func(w *world) string { return w.someoneLists() },
}, {
	id: "Access: allowed", source: refEvaluation, want: success,
	run: func(w *world) string { return w.someoneLists(allow("iam:ListUsers", "*")) },
}, {
	id: "Access: other action allowed", source: refEvaluation, want: denied,
	run: func(w *world) string { return w.someoneLists(allow("iam:GetUser", "*")) },
}, {
	id: "Access: actions ignore case", source: refGrammar, want: success,
	run: func(w *world) string { return w.someoneLists(allow("IAM:listusers", "*")) },
}, {
	id: "Access: wildcards in actions", source: refGrammar, want: success,
	run: func(w *world) string { return w.someoneLists(allow("iam:L?st*", "*")) },
}, {
	id: "Access: NotAction", source: refGrammar, want: denied,
	run: func(w *world) string {
		return w.someoneLists(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}`)
	},
}, {
	id: "Access: a deny wins", source: refEvaluation, want: denied,
	run: func(w *world) string { return w.someoneLists(allow("iam:*", "*"), deny("iam:ListUsers", "*")) },
}, {
	id: "Access: by resource", source: refEvaluation, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone(allow("iam:CreateUser", w.arn("user", w.id+"-1*")))
		return then(a.createUser(w.owns(aUser, w.id+"-1x")), a.createUser(w.owns(aUser, w.id+"-2x")))
	},
}, {
	id: "Access: refused before it shows whether something exists", source: refDenied, want: denied,
	run: func(w *world) string {
		_, a := w.someone()
		return a.findUser(w.name(aUser))
	},
}, {
	id: "Access: by a group", source: refEvaluation, want: "403 AccessDenied, then 200, then 200, then 403 AccessDenied",
	run: func(w *world) string {
		user, a := w.someone()
		group := w.group()
		w.grantGroup(group, "p", allow("iam:ListUsers", "*"))
		said := []string{a.listUsers(), w.admin.join(user, group)}
		w.settle()
		said = append(said, a.listUsers())
		w.admin.leave(user, group)
		w.settle()
		return then(append(said, a.listUsers())...)
	},
}, {
	id: "Access: by a managed policy", source: refEvaluation, want: "200, then 200, then 403 AccessDenied",
	run: func(w *world) string {
		user, a := w.someone()
		arn := w.policy(allow("iam:ListUsers", "*"))
		said := w.admin.attach(user, arn)
		w.settle()
		said = then(said, a.listUsers())
		w.admin.detach(user, arn)
		w.settle()
		return then(said, a.listUsers())
	},
}, {
	id: "Access: by the default version of a managed policy", source: "IAM User Guide, access_policies_managed-versioning", want: "200, then 200, then 200, then 403 AccessDenied",
	run: func(w *world) string {
		user, a := w.someone()
		arn := w.policy(allow("iam:ListUsers", "*"))
		must(w.admin.iam.AttachUserPolicy(w.ctx, &iam.AttachUserPolicyInput{UserName: &user, PolicyArn: &arn}))
		said := []string{w.admin.newVersion(arn, allow("s3:*", "*"), nil)}
		w.settle()
		said = append(said, a.listUsers(), w.admin.newVersion(arn, allow("s3:*", "*"), func(in *iam.CreatePolicyVersionInput) { in.SetAsDefault = true }))
		w.settle()
		return then(append(said, a.listUsers())...)
	},
}, {
	id: "Access: tags in CreateUser need iam:TagUser", source: refTags, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone(allow("iam:CreateUser", "*"))
		return then(a.createUser(w.name(aUser)), a.createUser(w.name(aUser), tagged(iamTag("k", "v"))))
	},
}, {
	id: "Access: another service", source: refEvaluation, want: "200, then 403 UnauthorizedOperation",
	run: func(w *world) string {
		_, may := w.someone(allow("ec2:DescribeRegions", "*"))
		_, other := w.someone(allow("iam:*", "*"))
		return then(may.regions(), other.regions())
	},
}}

// someoneLists is what a user with such policies is told who lists users.
func (w *world) someoneLists(documents ...string) string {
	_, a := w.someone(documents...)
	return a.listUsers()
}

// boundaryAccessBeliefs are what a permissions boundary does.
var boundaryAccessBeliefs = []belief{{
	id: "Boundary: limits what policies allow", source: refBoundary, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		user := w.user(bounded(w.policy(allow("iam:GetUser", "*"))))
		w.grant(user, "all", allow("iam:*", "*"))
		a := w.as(w.key(user))
		w.settle()
		return then(a.findUser(user), a.listUsers())
	},
}, {
	id: "Boundary: allows nothing by itself", source: refBoundary, want: denied,
	run: func(w *world) string {
		a := w.as(w.key(w.user(bounded(w.policy(allow("*", "*"))))))
		w.settle()
		return a.listUsers()
	},
}, {
	id: "Boundary: of a role", source: refBoundary, want: denied,
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		role := w.name(aRole)
		bound := w.policy(allow("iam:GetUser", "*"))
		said := w.admin.createRole(role, trust(arn), func(in *iam.CreateRoleInput) { in.PermissionsBoundary = &bound })
		if said != success {
			return said
		}
		must(w.admin.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("iam:*", "*"))}))
		w.settle()
		return a.session(w.arn("role", role)).listUsers()
	},
}, {
	id: "Boundary: can be made a condition of CreateUser", source: refBoundary, want: "403 AccessDenied, then 200",
	run: func(w *world) string {
		bound := w.policy(allow("s3:*", "*"))
		_, a := w.someone(statement("Allow", "iam:CreateUser", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}}`))
		return then(a.createUser(w.name(aUser)), a.createUser(w.name(aUser), bounded(bound)))
	},
}, {
	id: "Boundary: can be made a condition of attaching policies", source: refBoundary, want: "200, then 200, then 403 AccessDenied, then 403 AccessDenied",
	run: func(w *world) string {
		bound := w.policy(allow("s3:*", "*"))
		_, a := w.someone(statement("Allow", "iam:AttachUserPolicy iam:PutUserPolicy", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}}`))
		in, free := w.user(bounded(bound)), w.user()
		return then(a.attach(in, bound), a.put(in, "p", allow("s3:*", "*")), a.attach(free, bound), a.put(free, "p", allow("s3:*", "*")))
	},
}, {
	id: "Boundary: can be made a condition of removing policies", source: refBoundary, want: "200, then 200, then 403 AccessDenied, then 403 AccessDenied",
	run: func(w *world) string {
		bound := w.policy(allow("s3:*", "*"))
		_, a := w.someone(statement("Allow", "iam:DetachUserPolicy iam:DeleteUserPolicy", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}}`))
		in, free := w.user(bounded(bound)), w.user()
		for _, user := range []string{in, free} {
			w.grant(user, "p", allow("s3:*", "*"))
			w.admin.attach(user, bound)
		}
		return then(a.detach(in, bound), a.deletePolicyOf(in, "p"), a.detach(free, bound), a.deletePolicyOf(free, "p"))
	},
}}

// conditionBeliefs are the condition keys and variables that the documented
// permissions of the engine, and policies of its users, rely on.
var conditionBeliefs = []belief{{
	id: "Condition: iam:PolicyARN of AttachUserPolicy", source: refConditions, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		user, good, bad := w.user(), w.policy(allow("s3:*", "*")), w.policy(allow("*", "*"))
		_, a := w.someone(statement("Allow", "iam:AttachUserPolicy", "*", `{"ArnEquals":{"iam:PolicyARN":"`+good+`"}}`))
		return then(a.attach(user, good), a.attach(user, bad))
	},
}, {
	id: "Condition: aws:RequestTag of CreateUser", source: refTags, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone(statement("Allow", "iam:CreateUser iam:TagUser", "*", `{"StringEquals":{"aws:RequestTag/team":"blue"}}`))
		return then(a.createUser(w.name(aUser), tagged(iamTag("team", "blue"))), a.createUser(w.name(aUser), tagged(iamTag("team", "red"))))
	},
}, {
	id: "Condition: an operator with IfExists and a key that is absent", source: "IAM User Guide, reference_policies_elements_condition_operators", want: success,
	run: func(w *world) string {
		return w.someoneLists(statement("Allow", "iam:ListUsers", "*", `{"StringEqualsIfExists":{"aws:SourceIdentity":"x"}}`))
	},
}, {
	id: "Condition: a key that is absent", source: "IAM User Guide, reference_policies_elements_condition_operators", want: denied,
	run: func(w *world) string {
		return w.someoneLists(statement("Allow", "iam:ListUsers", "*", `{"StringEquals":{"aws:SourceIdentity":"x"}}`))
	},
}, {
	id: "Variable: ${aws:username}", source: refVariables, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		other := w.user()
		user, a := w.someone(allow("iam:GetUser", w.arn("user", "${aws:username}")))
		return then(a.findUser(user), a.findUser(other))
	},
}, {
	id: "Variable: unknown in the old version", source: refVariables, want: denied,
	run: func(w *world) string {
		user, a := w.someone(`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"` + w.arn("user", "${aws:username}") + `"}}`)
		return a.findUser(user)
	},
}, {
	id: "Condition: aws:TokenIssueTime ends sessions", source: refRevoke, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		name, role := w.role(trust(arn), allow("iam:*", "*"))
		session := a.session(role)
		said := session.listUsers()
		revoke := statement("Deny", "*", "*", `{"DateLessThan":{"aws:TokenIssueTime":"2099-01-01T00:00:00Z"}}`)
		must(w.admin.iam.PutRolePolicy(w.ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("revoke"), PolicyDocument: &revoke}))
		w.settle()
		return then(said, session.listUsers())
	},
}, {
	id: "Condition: aws:TokenIssueTime spares later sessions", source: refRevoke, want: success,
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		revoked := statement("Deny", "*", "*", `{"DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}}`)
		_, role := w.role(trust(arn), allow("iam:*", "*"), revoked)
		return a.session(role).listUsers()
	},
}}
