package awscontract

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// assumable is a role that a new user may assume, and that user.
func (w *world) assumable(documents ...string) (a actor, roleARN string) {
	return w.assumableFor(time.Hour, documents...)
}

// assumableFor is assumable with a longest session.
func (w *world) assumableFor(longest time.Duration, documents ...string) (a actor, roleARN string) {
	_, a = w.someone()
	arn, _ := a.identity()
	_, roleARN = w.roleOf(longest, trust(arn), documents...)
	return a, roleARN
}

func lasting(d time.Duration) func(*sts.AssumeRoleInput) {
	return func(in *sts.AssumeRoleInput) { in.DurationSeconds = seconds(d) }
}

// assumeBeliefs are what AssumeRole gives.
var assumeBeliefs = []belief{{
	id: "AssumeRole: who the session is", source: ids, want: "ASIA… arn:aws:sts::ACCOUNT:assumed-role/ROLE/session AROA…:session",
	run: func(w *world) string {
		_, a := w.someone()
		arn, _ := a.identity()
		role, roleARN := w.role(trust(arn))
		out := must(a.sts.AssumeRole(w.ctx, a.assumeInput(roleARN, nil)))
		return prefixed(out.Credentials.AccessKeyId) + " " + w.mask(aws.ToString(out.AssumedRoleUser.Arn), role, "ROLE") + " " + prefixed(out.AssumedRoleUser.AssumedRoleId)
	},
}, {
	id: "AssumeRole: lasts an hour by default", source: modelSTS, want: "1h0m0s",
	run: func(w *world) string {
		a, role := w.assumableFor(2 * time.Hour)
		return life(must(a.sts.AssumeRole(w.ctx, a.assumeInput(role, nil))).Credentials)
	},
}, {
	id: "AssumeRole: lasts as long as asked", source: modelSTS, want: "2h0m0s",
	run: func(w *world) string {
		a, role := w.assumableFor(2 * time.Hour)
		in := a.assumeInput(role, []func(*sts.AssumeRoleInput){lasting(2 * time.Hour)})
		return life(must(a.sts.AssumeRole(w.ctx, in)).Credentials)
	},
}, {
	id: "AssumeRole: fresh credentials each time", source: refAssume, want: "different",
	run: func(w *world) string {
		a, role := w.assumable()
		first := must(a.sts.AssumeRole(w.ctx, a.assumeInput(role, nil))).Credentials
		return compared(first, must(a.sts.AssumeRole(w.ctx, a.assumeInput(role, nil))).Credentials)
	},
}, {
	id: "AssumeRole: no such role", source: threadMissing, want: denied,
	run: func(w *world) string {
		_, a := w.someone(allow("sts:*", "*"))
		return a.assume(w.arn("role", "missing"))
	},
}, {
	id: "AssumeRole: role at another path", source: ids, want: denied,
	run: func(w *world) string {
		_, a := w.someone(allow("sts:*", "*"))
		arn, _ := a.identity()
		role, _ := w.role(trust(arn))
		return a.assume("arn:aws:iam::" + w.backend.Account + ":role/" + role)
	},
}, {
	id: "AssumeRole: by the root user", source: refAssume, needs: []need{needRoot}, want: denied,
	run: func(w *world) string {
		_, role := w.role(trust("*"))
		return w.as(*w.backend.Root).assume(role)
	},
}, {
	id: "Session of a role: may not get other sessions", source: refComparison, want: "403 AccessDenied, then 403 AccessDenied",
	run: func(w *world) string {
		a, role := w.assumable(allow("*", "*"))
		session := a.session(role)
		return then(session.federate(), session.sessionToken())
	},
}, {
	id: "Session of a role: may use IAM", source: refComparison, want: success,
	run: func(w *world) string {
		a, role := w.assumable(allow("iam:*", "*"))
		return a.session(role).listUsers()
	},
}, {
	id: "Session of a role: has no more than the role", source: refTemporary, want: denied,
	run: func(w *world) string {
		a, role := w.assumable(allow("s3:*", "*"))
		return a.session(role).listUsers()
	},
}}

// life is how long credentials last, to five minutes.
func life(c *ststypes.Credentials) string {
	return aws.ToTime(c.Expiration).Sub(now()).Round(5 * time.Minute).String()
}

func compared(a, b *ststypes.Credentials) string {
	if *a.AccessKeyId == *b.AccessKeyId || *a.SecretAccessKey == *b.SecretAccessKey || *a.SessionToken == *b.SessionToken {
		return "the same"
	}
	return "different"
}

// assumeLimitBeliefs are the limits of AssumeRole's parameters.
func assumeLimitBeliefs() []belief {
	assume := func(w *world, change func(*sts.AssumeRoleInput)) string {
		a, role := w.assumableFor(12 * time.Hour)
		return a.assume(role, change)
	}
	name := func(s string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.RoleSessionName = &s }
	}
	policy := func(s string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.Policy = &s }
	}
	return slices.Concat(
		each("AssumeRole, DurationSeconds", modelSTS, []variant[func(*sts.AssumeRoleInput)]{
			{"15m", lasting(15 * time.Minute), success},
			{"12h", lasting(12 * time.Hour), success},
			{"a second less", lasting(15*time.Minute - time.Second), invalid},
			{"a second more", lasting(12*time.Hour + time.Second), invalid},
		}, assume),
		each("AssumeRole, RoleSessionName", modelSTS, []variant[func(*sts.AssumeRoleInput)]{
			{"as long as it may be", name(strings.Repeat("s", 64)), success},
			{"one character more", name(strings.Repeat("s", 65)), invalid},
			{"one character", name("s"), invalid},
			{"space", name("a b"), invalid},
			{"every legal character", name("a_+=,.@-"), success},
		}, assume),
		each("AssumeRole, Policy", modelSTS, []variant[func(*sts.AssumeRoleInput)]{
			{"no JSON", policy("no JSON"), malformed},
			{"Principal", policy(trust("*")), malformed},
			{"as long as it may be", policy(sized(2048)), success},
			{"one character more", policy(sized(2049)), invalid},
			{"empty", policy(""), invalid},
		}, assume),
		each("AssumeRole, PolicyArns", modelSTS, []variant[func(*sts.AssumeRoleInput)]{
			{"11", func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs(slices.Repeat([]string{readOnly}, 11)...) }, invalid},
			{"no ARN", func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs("garbage") }, invalid},
			{"one of AWS's own", func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs(readOnly) }, success},
		}, assume),
		[]belief{{
			id: "AssumeRole, DurationSeconds: more than the role's maximum", source: refAssume, want: invalid,
			run: func(w *world) string {
				a, role := w.assumableFor(time.Hour)
				return a.assume(role, lasting(time.Hour+time.Second))
			},
		}, {
			id: "AssumeRole, RoleArn: no ARN", source: modelSTS, want: invalid,
			run: func(w *world) string {
				_, a := w.someone(allow("sts:*", "*"))
				return a.assume("garbage")
			},
		}},
	)
}

func policyARNs(arns ...string) (out []ststypes.PolicyDescriptorType) {
	for _, arn := range arns {
		out = append(out, ststypes.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	return out
}

// chainingBeliefs are what a session that was got with a session may last.
var chainingBeliefs = []belief{{
	id: "Role chaining: an hour", source: refChaining, want: success,
	run: func(w *world) string { return w.chain(lasting(time.Hour)) },
}, {
	id: "Role chaining: a second more", source: refChaining + "; aws-vault#263", want: invalid,
	run: func(w *world) string { return w.chain(lasting(time.Hour + time.Second)) },
}, {
	id: "Role chaining: with a session token", source: "aws-runas#11", want: "200, then 400 ValidationError",
	run: func(w *world) string {
		a, role := w.assumableFor(12 * time.Hour)
		session := a.withToken()
		return then(session.assume(role, lasting(time.Hour)), session.assume(role, lasting(2*time.Hour)))
	},
}}

// chain assumes a role of twelve hours by a session of another one.
func (w *world) chain(change func(*sts.AssumeRoleInput)) string {
	a, first := w.assumable(allow("sts:AssumeRole", "*"))
	_, second := w.roleOf(12*time.Hour, trust(first))
	return a.session(first).assume(second, change)
}
