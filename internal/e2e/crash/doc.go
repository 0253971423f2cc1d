// Package crash is the crash matrix against a real Vault server: every AWS call
// of every operation meets every mishap, with this engine and with Vault's
// built-in one beside it. backend has the part of the matrix that needs a
// storage of the test's own.
//
// A cell is a mount with an AWS of its own, so that the cells of one mishap run
// side by side on one Vault server and die together when it is killed. What
// happens to a cell:
//
//  1. The operation runs and meets the mishap at one AWS call.
//  2. Whatever was killed starts again. First judgement.
//  3. The journal's entries are set back in time through sys/raw, and both
//     engines roll back. Second judgement.
//  4. Leases are revoked, static roles deleted, everything set back in time, the
//     mount moved. Last judgement: nothing of the engine is left.
//
// The judge, and the test that plants leaks and dead keys for it, is in
// internal/crashtest.
//
//	make crash                                   all of it, with the table
//	go test ./internal/e2e/crash                 the shortened selection
//	go test ./internal/e2e/crash -full -run 'TestMatrix/ours/reset'
package crash
