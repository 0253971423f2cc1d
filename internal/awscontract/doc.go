// Package awscontract is what this project believes of IAM and STS: one case
// per belief that the engine or the simulator depends on, each with its
// source and what AWS answers, spoken by the real aws-sdk-go-v2 clients.
//
// [Run] holds a [Backend] to all of it. The simulator (internal/awssim) has no
// deviations. moto and versitygw, which others wrote, have some: each is a
// row, asserted like a belief, so that a row which no longer holds fails and
// asks to be removed. The same cases run against a real account.
//
// # Reading order
//
//	backend.go       what is held to account, and how it may differ
//	run.go           Run, and the verdict on a case
//	world.go         a case's own corner of an account
//	ops.go           calls, as the words of a case; setup.go: its preparations;
//	raw.go: requests that the SDK would not send; cleanup.go: its end
//	cases.go         the table's parts, in the files cases_*.go
//	sources.go       where the beliefs come from
//
// # Adding a case
//
// A case makes all it needs under names and a path of its own and leaves
// nothing behind. What it observes is a text, such as "409 DeleteConflict" or
// "200, then 404 NoSuchEntity"; messages are left out, since AWS changes them.
// Nothing is believed without a source.
package awscontract
