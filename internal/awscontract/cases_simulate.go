package awscontract

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// simulateBeliefs are about IAM's policy simulator, of what a principal may do.
func simulateBeliefs() []belief { return append(simulatedSources(), simulatedLimits()...) }

func simulatedSources() []belief {
	return []belief{{
		id: "SimulatePrincipalPolicy: each action on each resource", source: refSimulate,
		want: "iam:GetUser A allowed, iam:GetUser B implicitDeny, iam:DeleteUser A explicitDeny, iam:DeleteUser B explicitDeny",
		run: func(w *world) string {
			a, b := w.arn("user", "a"), w.arn("user", "b")
			user, _ := w.someone(allow("iam:GetUser iam:DeleteUser", a), deny("iam:DeleteUser", "*"))
			said := w.admin.simulate(w.arn("user", user), "iam:GetUser iam:DeleteUser", []string{a, b})
			return strings.NewReplacer(a, "A", b, "B").Replace(said)
		},
	}, {
		id: "SimulatePrincipalPolicy: without a resource", source: refSimulate, want: "iam:ListUsers * allowed",
		run: func(w *world) string {
			user, _ := w.someone(allow("iam:ListUsers", "*"))
			return w.admin.simulate(w.arn("user", user), "iam:ListUsers", nil)
		},
	}, {
		id: "SimulatePrincipalPolicy: policies of the user's groups", source: refSimulate, want: "iam:ListUsers * allowed",
		run: func(w *world) string {
			user, group := w.user(), w.group()
			w.grantGroup(group, "p", allow("iam:ListUsers", "*"))
			w.admin.join(user, group)
			w.settle()
			return w.admin.simulate(w.arn("user", user), "iam:ListUsers", nil)
		},
	}, {
		id: "SimulatePrincipalPolicy: of a role", source: refSimulate, want: "iam:ListUsers * allowed, iam:GetUser * implicitDeny",
		run: func(w *world) string {
			_, arn := w.role(trust("*"), allow("iam:ListUsers", "*"))
			return w.admin.simulate(arn, "iam:ListUsers iam:GetUser", nil)
		},
	}}
}

func simulatedLimits() []belief {
	return []belief{{
		id: "SimulatePrincipalPolicy: the boundary counts", source: refSimulate, want: "iam:GetUser * allowed, iam:ListUsers * implicitDeny beyond its boundary",
		run: func(w *world) string {
			user := w.user(bounded(w.policy(allow("iam:GetUser", "*"))))
			w.grant(user, "all", allow("iam:*", "*"))
			w.settle()
			return w.admin.simulate(w.arn("user", user), "iam:GetUser iam:ListUsers", nil)
		},
	}, {
		id: "SimulatePrincipalPolicy: condition keys", source: refSimulate, want: "iam:CreateUser * implicitDeny, then iam:CreateUser * allowed",
		run: func(w *world) string {
			bound := w.arn("policy", "bound")
			user, _ := w.someone(statement("Allow", "iam:CreateUser", "*", `{"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}}`))
			entry := iamtypes.ContextEntry{
				ContextKeyName: aws.String("iam:PermissionsBoundary"), ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{bound},
			}
			arn := w.arn("user", user)
			return then(w.admin.simulate(arn, "iam:CreateUser", nil), w.admin.simulate(arn, "iam:CreateUser", nil, entry))
		},
	}, {
		id: "SimulatePrincipalPolicy: no such principal", source: modelIAM, want: noSuchEntity,
		run: func(w *world) string { return w.admin.simulate(w.arn("user", "missing"), "iam:ListUsers", nil) },
	}, {
		id: "SimulatePrincipalPolicy: needs a permission", source: refActions, want: "iam:ListUsers * implicitDeny, then 403 AccessDenied, then iam:ListUsers * implicitDeny",
		run: func(w *world) string {
			user, a := w.someone()
			_, b := w.someone(allow("iam:SimulatePrincipalPolicy", w.arn("user", user)))
			var said []string
			for _, who := range []actor{w.admin, a, b} {
				said = append(said, who.simulate(w.arn("user", user), "iam:ListUsers", nil))
			}
			return then(said...)
		},
	}}
}

// simulate is what the policy simulator says, an entry for each action on each
// resource, of all pages; actions are separated by spaces.
func (a actor) simulate(principal, actions string, resources []string, keys ...iamtypes.ContextEntry) string {
	pages := iam.NewSimulatePrincipalPolicyPaginator(a.iam, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &principal, ActionNames: strings.Fields(actions), ResourceArns: resources, ContextEntries: keys,
	})
	var said []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(a.w.ctx)
		if err != nil {
			return outcome(err)
		}
		for _, r := range page.EvaluationResults {
			text := aws.ToString(r.EvalActionName) + " " + aws.ToString(r.EvalResourceName) + " " + string(r.EvalDecision)
			if d := r.PermissionsBoundaryDecisionDetail; d != nil && !d.AllowedByPermissionsBoundary {
				text += " beyond its boundary"
			}
			said = append(said, text)
		}
	}
	return strings.Join(said, ", ")
}
