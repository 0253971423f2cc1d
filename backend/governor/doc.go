// Package governor keeps a mount's calls below the rate at which AWS throttles
// them, and lets the most important ones go first.
//
// AWS does not publish how many calls a second IAM takes. A [Governor], one for
// each account and API, learns it: the rate doubles while nothing is throttled,
// halves when something is, and grows slowly from then on; a single call that is
// throttled among many costs little (pace.go). What is to be sent waits in the
// order of its [Class], entities of one class taking turns (queue.go). A request
// reserves all its calls before the first, so that none is stuck half-way; one that
// would wait too long is refused at once with a hint when to come again, before it
// has had any effect ([Refusal]).
//
// Each attempt of a call passes the governor, the SDK's repetitions too.
//
// # Invariants
//
//	G1 in any span of time no more calls are admitted than one bucket, the rate
//	   over the span, and one request                                  pace.go
//	G2 a class waits for those before it and for none after it         queue.go
//	G3 entities of one class take turns                                queue.go
//	G4 who ends its wait, or its request, gives back what it has not used:
//	   nothing is lost and nobody waits for ever                       governor.go
//	G5 no wait that must fail is begun                                 governor.go
package governor
