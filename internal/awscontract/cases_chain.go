package awscontract

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// chainBeliefs are what a session hands on to the next.
var chainBeliefs = []belief{{
	id: "Role chaining: transitive tags go on, others do not", source: refSessionTags, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		tags := func(in *sts.AssumeRoleInput) { in.Tags = append(in.Tags, stsTag("team", "blue")) }
		lasting := func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"team"} }
		a, first, second := w.tagChain()
		return then(a.session(first, tags, lasting).session(second).listUsers(), a.session(first, tags).session(second).listUsers())
	},
}, {
	id: "Role chaining: the source identity stays and cannot be changed", source: refSource, want: "200, then 403 AccessDenied",
	run: func(w *world) string {
		as := func(name string) func(*sts.AssumeRoleInput) {
			return func(in *sts.AssumeRoleInput) { in.SourceIdentity = &name }
		}
		a, first, second := w.tagChain()
		session := a.session(first, as("ada"))
		return then(session.assume(second, as("ada")), session.assume(second, as("bob")))
	},
}}

// tagChain is a user and two roles, of which the second lists users for the
// team "blue" only.
func (w *world) tagChain() (a actor, first, second string) {
	const actions = "sts:AssumeRole sts:TagSession sts:SetSourceIdentity"
	_, a = w.someone()
	arn, _ := a.identity()
	_, first = w.role(trustOf(arn, actions, "{}"), allow(actions, "*"))
	blue := statement("Allow", "iam:ListUsers", "*", `{"StringEquals":{"aws:PrincipalTag/team":"blue"}}`)
	_, second = w.roleOf(time.Hour, trustOf(first, actions, "{}"), blue)
	return a, first, second
}
