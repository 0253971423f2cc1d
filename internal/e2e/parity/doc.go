// Package parity holds this engine against Vault's built-in one: the same
// requests go to a mount of each, and what comes back, and what becomes of the
// simulated account, is compared whole. `make parity` runs it.
//
// A [testCase] is a story of requests and of what happens around them. It is
// told twice side by side, to builtin/ and to plugin/, each of which has a Vault
// and an AWS of its own, on a new mount and on the account as it was at the start,
// so that the names in it are the same on both sides. Most cases are generated: values_test.go has, for every field, values
// of each class (valid, empty, wrong type, out of range, legacy), generate_test.go
// puts them into requests. The stories that are more than one field are in
// stories_test.go and stories_aws_test.go.
//
// Which cells (operation × field × class) have to be covered is not read from
// those tables but from what the two mounts declare over Vault's API, so that a
// field without values here is an uncovered cell, which fails.
//
// Random parts are normalised (normal_test.go), answers and effects become an
// [observation] (observe_test.go), two of which are compared aspect by aspect
// (compare_test.go). A difference needs a row in the table of
// docs/compatibility.md that names the requests and the aspects (declared_test.go);
// one without a row fails, and so does a row that nothing needs.
//
// When one engine accepts a request and the other refuses it, the rest of the
// case is not compared: the two mounts are no longer in the same state.
package parity
