package awscontract

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// sessionPolicyBeliefs are that session policies only take away.
func sessionPolicyBeliefs() []belief {
	inline := func(document string) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) { in.Policy = &document }
	}
	return []belief{{
		id: "Session policy: limits what the role may", source: refSessionPolicy, want: "404 NoSuchEntity, then 403 AccessDenied",
		run: func(w *world) string {
			a, role := w.assumable(allow("iam:*", "*"))
			session := a.session(role, inline(allow("iam:GetUser", "*")))
			return then(session.findUser(w.name(aUser)), session.listUsers())
		},
	}, {
		id: "Session policy: allows nothing that the role may not", source: refSessionPolicy, want: denied,
		run: func(w *world) string {
			a, role := w.assumable(allow("iam:GetUser", "*"))
			return a.session(role, inline(allow("*", "*"))).listUsers()
		},
	}, {
		id: "Session policy: managed ones limit too", source: refSessionPolicy, want: "200, then 403 AccessDenied",
		run: func(w *world) string {
			a, role := w.assumable(allow("iam:*", "*"))
			reading := w.policy(allow("iam:ListUsers", "*"))
			session := a.session(role, func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs(reading) })
			return then(session.listUsers(), session.createUser(w.name(aUser)))
		},
	}, {
		id: "Session policy: inline and managed ones together allow what either does", source: refSessionPolicy, want: "200, then 404 NoSuchEntity, then 403 AccessDenied",
		run: func(w *world) string {
			a, role := w.assumable(allow("iam:*", "*"))
			reading := w.policy(allow("iam:ListUsers", "*"))
			session := a.session(role, inline(allow("iam:GetUser", "*")), func(in *sts.AssumeRoleInput) { in.PolicyArns = policyARNs(reading) })
			return then(session.listUsers(), session.findUser(w.name(aUser)), session.createUser(w.name(aUser)))
		},
	}, {
		id: "Session policy: a deny wins", source: refSessionPolicy, want: denied,
		run: func(w *world) string {
			a, role := w.assumable(allow("iam:*", "*"))
			return a.session(role, inline(deny("iam:ListUsers", "*"))).listUsers()
		},
	}}
}

func tokenFor(d time.Duration) func(*sts.GetSessionTokenInput) {
	return func(in *sts.GetSessionTokenInput) { in.DurationSeconds = seconds(d) }
}

// sessionTokenBeliefs are what GetSessionToken gives, and what that may do.
func sessionTokenBeliefs() []belief {
	out := each("GetSessionToken, DurationSeconds", modelSTS, []variant[time.Duration]{
		{"15m", 15 * time.Minute, success},
		{"36h", 36 * time.Hour, success},
		{"a second less", 15*time.Minute - time.Second, invalid},
		{"a second more", 36*time.Hour + time.Second, invalid},
	}, func(w *world, d time.Duration) string {
		_, a := w.someone()
		return a.sessionToken(tokenFor(d))
	})
	return append(out, belief{
		id: "GetSessionToken: needs no permission; lasts 12 hours by default", source: refSessionToken, want: "ASIA… 12h0m0s",
		run: func(w *world) string {
			_, a := w.someone()
			c := must(a.sts.GetSessionToken(w.ctx, &sts.GetSessionTokenInput{})).Credentials
			return prefixed(c.AccessKeyId) + " " + life(c)
		},
	}, belief{
		id: "GetSessionToken: fresh credentials each time", source: refSessionToken, want: "different",
		run: func(w *world) string {
			_, a := w.someone()
			get := func() *ststypes.Credentials {
				return must(a.sts.GetSessionToken(w.ctx, &sts.GetSessionTokenInput{})).Credentials
			}
			return compared(get(), get())
		},
	}, belief{
		id: "GetSessionToken: of the root user, an hour at most", source: refSessionToken, needs: []need{needRoot}, want: "1h0m0s",
		run: func(w *world) string {
			a := w.as(*w.backend.Root)
			return life(must(a.sts.GetSessionToken(w.ctx, &sts.GetSessionTokenInput{DurationSeconds: seconds(12 * time.Hour)})).Credentials)
		},
	}, belief{
		id: "Session token: no IAM without MFA", source: refSessionToken + "; " + threadSession, want: unknownKey,
		run: func(w *world) string {
			_, a := w.someone(allow("iam:*", "*"))
			return a.withToken().listUsers()
		},
	}, belief{
		id: "Session token: no other sessions but roles", source: refComparison, want: "403 AccessDenied, then 403 AccessDenied, then 200",
		run: func(w *world) string {
			_, a := w.someone(allow("sts:*", "*"))
			arn, _ := a.identity()
			_, role := w.role(trust(arn))
			session := a.withToken()
			return then(session.federate(), session.sessionToken(), session.assume(role))
		},
	}, belief{
		id: "Session token: has the user's permissions", source: refSessionToken, want: "200, then 403 UnauthorizedOperation",
		run: func(w *world) string {
			_, may := w.someone(allow("ec2:DescribeRegions", "*"))
			_, not := w.someone()
			return then(may.withToken().regions(), not.withToken().regions())
		},
	})
}

// mfaBeliefs are what a code of an MFA device is worth.
func mfaBeliefs() []belief {
	with := func(d device, steps int64) func(*sts.GetSessionTokenInput) {
		return func(in *sts.GetSessionTokenInput) {
			in.SerialNumber, in.TokenCode = &d.serial, aws.String(d.code(steps))
		}
	}
	return []belief{{
		id: "GetSessionToken with MFA: IAM is allowed", source: refSessionToken, want: success,
		run: func(w *world) string {
			user, a := w.someone(allow("iam:*", "*"))
			in := &sts.GetSessionTokenInput{}
			with(w.device(user), 1)(in)
			return a.holder(must(a.sts.GetSessionToken(w.ctx, in)).Credentials).listUsers()
		},
	}, {
		id: "GetSessionToken with MFA: old code", source: refSessionToken, want: denied,
		run: func(w *world) string {
			user, a := w.someone()
			return a.sessionToken(with(w.device(user), -100))
		},
	}, {
		id: "GetSessionToken with MFA: device of another user", source: refSessionToken, want: denied,
		run: func(w *world) string {
			_, a := w.someone()
			return a.sessionToken(with(w.device(w.user()), 1))
		},
	}, {
		id: "Trust: condition of MFA, with a session that has it", source: "IAM User Guide, id_credentials_mfa_configure-api-require", want: success,
		run: func(w *world) string {
			user, a := w.someone()
			arn, _ := a.identity()
			_, role := w.role(trustOf(arn, "sts:AssumeRole", `{"Bool":{"aws:MultiFactorAuthPresent":"true"}}`))
			in := &sts.GetSessionTokenInput{}
			with(w.device(user), 1)(in)
			return a.holder(must(a.sts.GetSessionToken(w.ctx, in)).Credentials).assume(role)
		},
	}}
}

// identityBeliefs are who the holder of credentials is.
func identityBeliefs() []belief {
	shown := func(w *world, a actor, more ...string) string {
		arn, id := a.identity()
		if !strings.HasPrefix(id, w.backend.Account) {
			id = prefixed(&id)
		}
		return w.mask(arn+" "+id, more...)
	}
	return []belief{{
		id: "GetCallerIdentity: user", source: ids, want: "arn:aws:iam::ACCOUNT:user/PATH/NAME AIDA…",
		run: func(w *world) string {
			user, a := w.someone()
			return shown(w, a, user, "NAME")
		},
	}, {
		id: "GetCallerIdentity: session of a role", source: ids, want: "arn:aws:sts::ACCOUNT:assumed-role/NAME/session AROA…:session",
		run: func(w *world) string {
			a, role := w.assumable()
			return shown(w, a.session(role), role[strings.LastIndex(role, "/")+1:], "NAME")
		},
	}, {
		id: "GetCallerIdentity: federated user", source: ids, want: "arn:aws:sts::ACCOUNT:federated-user/federated ACCOUNT:federated",
		run: func(w *world) string { return shown(w, w.federator().federated()) },
	}, {
		id: "GetCallerIdentity: session token", source: ids, want: "arn:aws:iam::ACCOUNT:user/PATH/NAME AIDA…",
		run: func(w *world) string {
			user, a := w.someone()
			return shown(w, a.withToken(), user, "NAME")
		},
	}, {
		id: "GetCallerIdentity: root user", source: ids, needs: []need{needRoot}, want: "arn:aws:iam::ACCOUNT:root ACCOUNT",
		run: func(w *world) string { return shown(w, w.as(*w.backend.Root)) },
	}, {
		id: "GetCallerIdentity: cannot be denied", source: refIdentity, want: success,
		run: func(w *world) string {
			_, a := w.someone(deny("*", "*"))
			return a.whoami()
		},
	}}
}
