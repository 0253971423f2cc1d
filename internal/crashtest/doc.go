// Package crashtest is what the two halves of the crash matrix share: the judge
// that looks for leaks and dead keys, the ageing of stored entries, and the
// table. internal/e2e/crash has the AWS calls and Vault's events, backend the
// storage writes; scripts/crash runs both.
package crashtest
