// Package awssim is an AWS account in memory, spoken to over the wire.
//
// A [Sim] is an [http.Handler] that answers the AWS query protocol of IAM
// (2010-05-08), STS (2011-06-15) and, as the one "service" a credential can
// be tried on, EC2's DescribeRegions (2016-11-15), and the console's sign-in
// under /federation. It judges what it is sent: signatures, limits,
// permissions, deletion order. What AWS refuses, it refuses, with AWS's code,
// status and, as far as they are known, words. Latency, throttling, lag and
// faults are off until asked for ([Preset], [Settings], [Fault]).
//
// # Reading order
//
//	sim.go         Options, New, one request from first byte to last
//	operations.go  the frame: the table of operations and a call's way through
//	               it; its rows stand at the head of the files below
//	shapes.go      limits, patterns and enums of members; limits.go judges them
//	sigv4.go       who signed this; caller.go: who that is
//	evaluate.go    whether they may; policydoc.go, conditions.go, trust.go: what
//	               a policy says
//	users.go, keys.go, sidekeys.go, tags.go, inline.go, attach.go, boundary.go,
//	policies.go, versions.go, groups.go, roles.go, mfa.go, oidc.go, sts.go,
//	assume.go, webidentity.go, signin.go
//	               what each operation does
//	chance.go      fate as a function of the seed: latency, short pages, chaos
//	keylag.go, policylag.go, stale.go
//	               eventual consistency, of enforcement and of reads
//	presets.go     what all of that amounts to under one name
//	faults.go, hand.go, journal.go, control.go, setup.go, saved.go, listener.go,
//	memory.go, tls.go
//	               what tests do with it
//	dialect.go     where another reading of AWS is followed, for its own tests
//
// # What it is not
//
// Service control policies, resource policies other than trust policies, most
// condition keys, other services and AWS's real timing are not modelled.
// Sizes that AWS does not disclose (PackedPolicySize) are estimates.
// docs/simulator.md has the whole list.
//
// # Sources
//
// Member names, limits, patterns and error codes are those of botocore 1.43's
// service models iam/2010-05-08 and sts/2011-06-15. Quotas and rules are those
// of the IAM User Guide ("IAM and AWS STS quotas", "Policy evaluation logic").
// Message texts are AWS's as quoted in public issue threads; where none is
// known the text is ours. Never match on texts.
package awssim
