package awscontract

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// federator is a user who may get federation tokens, with more policies.
func (w *world) federator(documents ...string) actor {
	_, a := w.someone(append(documents, allow("sts:GetFederationToken sts:TagSession", "*"))...)
	return a
}

func named(name string) func(*sts.GetFederationTokenInput) {
	return func(in *sts.GetFederationTokenInput) { in.Name = &name }
}

func limitedTo(document string) func(*sts.GetFederationTokenInput) {
	return func(in *sts.GetFederationTokenInput) { in.Policy = &document }
}

func federatedFor(d time.Duration) func(*sts.GetFederationTokenInput) {
	return func(in *sts.GetFederationTokenInput) { in.DurationSeconds = seconds(d) }
}

// federationLimitBeliefs are the limits of GetFederationToken's parameters.
func federationLimitBeliefs() []belief {
	type change = func(*sts.GetFederationTokenInput)
	federate := func(w *world, c change) string { return w.federator().federate(c) }
	managed := func(arns ...string) change {
		return func(in *sts.GetFederationTokenInput) { in.PolicyArns = policyARNs(arns...) }
	}
	return slices.Concat(
		each("GetFederationToken, DurationSeconds", modelSTS, []variant[change]{
			{"15m", federatedFor(15 * time.Minute), success},
			{"36h", federatedFor(36 * time.Hour), success},
			{"a second less", federatedFor(15*time.Minute - time.Second), invalid},
			{"a second more", federatedFor(36*time.Hour + time.Second), invalid},
			{"0", federatedFor(0), invalid},
		}, federate),
		each("GetFederationToken, Name", modelSTS, []variant[change]{
			{"as long as it may be", named(strings.Repeat("n", 32)), success},
			{"one character more", named(strings.Repeat("n", 33)), invalid},
			{"one character", named("n"), invalid},
			{"space", named("a b"), invalid},
			{"every legal character", named("a_+=,.@-"), success},
		}, federate),
		each("GetFederationToken, Policy", modelSTS, []variant[change]{
			{"no JSON", limitedTo("no JSON"), malformed},
			{"Principal", limitedTo(trust("*")), malformed},
			{"as long as it may be", limitedTo(sized(2048)), success},
			{"one character more", limitedTo(sized(2049)), invalid},
		}, federate),
		each("GetFederationToken, PolicyArns", modelSTS, []variant[change]{
			{"11", managed(slices.Repeat([]string{readOnly}, 11)...), invalid},
			{"no ARN", managed("garbage"), invalid},
			{"one of AWS's own", managed(readOnly), success},
		}, federate),
	)
}

// federationBeliefs are what GetFederationToken gives.
var federationBeliefs = []belief{{
	id: "GetFederationToken: who the session is", source: ids, want: "ASIA… arn:aws:sts::ACCOUNT:federated-user/federated ACCOUNT:federated",
	run: func(w *world) string {
		a := w.federator()
		out := must(a.sts.GetFederationToken(w.ctx, a.federationInput(nil)))
		return prefixed(out.Credentials.AccessKeyId) + " " + w.mask(aws.ToString(out.FederatedUser.Arn)+" "+aws.ToString(out.FederatedUser.FederatedUserId))
	},
}, {
	id: "GetFederationToken: lasts 12 hours by default", source: modelSTS, want: "12h0m0s",
	run: func(w *world) string {
		a := w.federator()
		return life(must(a.sts.GetFederationToken(w.ctx, a.federationInput(nil))).Credentials)
	},
}, {
	id: "GetFederationToken: fresh credentials each time", source: refFederation, want: "different",
	run: func(w *world) string {
		a := w.federator()
		first := must(a.sts.GetFederationToken(w.ctx, a.federationInput(nil))).Credentials
		return compared(first, must(a.sts.GetFederationToken(w.ctx, a.federationInput(nil))).Credentials)
	},
}, {
	id: "GetFederationToken: needs permission", source: refFederation, want: denied,
	run: func(w *world) string {
		_, a := w.someone()
		return a.federate()
	},
}, {
	id: "GetFederationToken: of the root user, an hour at most", source: refFederation, needs: []need{needRoot}, want: "1h0m0s",
	run: func(w *world) string {
		a := w.as(*w.backend.Root)
		in := a.federationInput([]func(*sts.GetFederationTokenInput){federatedFor(12 * time.Hour)})
		return life(must(a.sts.GetFederationToken(w.ctx, in)).Credentials)
	},
}}

// federatedBeliefs are what federated users may do.
func federatedBeliefs() []belief {
	regions := allow("ec2:DescribeRegions", "*")
	return []belief{{
		id: "Federated user: no IAM", source: refComparison, want: unknownKey,
		run: func(w *world) string {
			return w.federator(allow("iam:*", "*")).federated(limitedTo(allow("*", "*"))).listUsers()
		},
	}, {
		id: "Federated user: no other sessions", source: refComparison, want: "403 AccessDenied, then 403 AccessDenied, then 403 AccessDenied",
		run: func(w *world) string {
			a := w.federator(allow("*", "*")).federated(limitedTo(allow("*", "*")))
			_, role := w.role(trust("*"))
			return then(a.federate(), a.sessionToken(), a.assume(role))
		},
	}, {
		id: "Federated user: GetCallerIdentity", source: refComparison, want: success,
		run: func(w *world) string { return w.federator().federated().whoami() },
	}, {
		id: "Federated user: no session policy, no permission", source: refFederation, want: mayNot,
		run: func(w *world) string { return w.federator(regions).federated().regions() },
	}, {
		id: "Federated user: what user and session policy allow", source: refFederation, want: "200, then 403 UnauthorizedOperation, then 403 UnauthorizedOperation",
		run: func(w *world) string {
			may := w.federator(regions)
			return then(may.federated(limitedTo(regions)).regions(), may.federated(limitedTo(allow("s3:*", "*"))).regions(),
				w.federator().federated(limitedTo(regions)).regions())
		},
	}, {
		id: "Federated user: loses what its user loses", source: refTemporary, want: "200, then 403 UnauthorizedOperation",
		run: func(w *world) string {
			user, a := w.someone(regions, allow("sts:GetFederationToken", "*"))
			session := a.federated(limitedTo(regions))
			said := session.regions()
			w.admin.deletePolicyOf(user, "inline-0")
			w.settle()
			return then(said, session.regions())
		},
	}}
}
