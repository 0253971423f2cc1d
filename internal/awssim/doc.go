// Package awssim is an AWS account in memory, spoken to over the wire.
//
// A [Sim] is an [http.Handler] that answers the AWS query protocol of IAM
// (2010-05-08), STS (2011-06-15) and, as the one "service" a credential can
// be tried on, EC2's DescribeRegions (2016-11-15). It judges what it is sent:
// signatures, limits, permissions, deletion order. What AWS refuses, it
// refuses, with AWS's code, status and, as far as they are known, words.
// Faults, latency and throttling are off until asked for.
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
//	users.go, keys.go, inline.go, attach.go, policies.go, groups.go, roles.go,
//	mfa.go, sts.go, assume.go
//	               what each operation does
//	faults.go, journal.go, control.go, setup.go
//	               what tests do with it
//
// # What it is not
//
// Service control policies, resource policies other than trust policies, most
// condition operators, other services and AWS's real timing are not modelled.
// Sizes that AWS does not disclose (PackedPolicySize) are estimates.
//
// # Sources
//
// Member names, limits, patterns and error codes are those of botocore 1.43's
// service models iam/2010-05-08 and sts/2011-06-15. Quotas and rules are those
// of the IAM User Guide ("IAM and AWS STS quotas", "Policy evaluation logic").
// Message texts are AWS's as quoted in public issue threads; where none is
// known the text is ours. Never match on texts.
package awssim
