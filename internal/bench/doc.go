// Package bench compares this engine with Vault's built-in one, side by side: a
// real Vault server on raft storage, which syncs each write to the disk, has both
// mounted on one simulated AWS behind TLS.
//
// What is measured is a row of [measures]: its name, unit and target. A [scene]
// brings about what rows need and adds samples to the sheet: a row's median and
// 95th percentile are those of its samples. A new measure is a row there, and a
// line in a scene or a scene of its own, in a file of its own.
//
// The engines take turns, the one that begins changing each time. Where they
// compete for what AWS allows per second they have an account each, and go one
// after the other.
//
// scripts/bench is the command: it writes docs/benchmarks.json, and
// docs/benchmarks.md from it. A missed target is no failure; a document that does
// not say what the figures say is.
package bench
