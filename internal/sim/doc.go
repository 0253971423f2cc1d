// Package sim runs the whole backend in a simulated world and judges it: the
// backend over storage in memory, internal/awssim in process, and a model of
// what Vault does with leases, in one bubble of testing/synctest. Time is fake,
// a month takes about half a minute, and everything that happens follows from a
// seed: one seed run twice gives byte-equal journals.
//
//	make sim                    20 seeds of 7 days
//	make sim SEED=7 DAYS=2      one of them again
//
// A run has two modes. In *safety* mode the driver takes random actions: of
// clients, operators and people who interfere in AWS; faults of AWS and of
// storage; reloads and deaths of the plugin's process, hours in which Vault is
// down, a clock that jumps. After each action the invariants are checked. In
// *liveness* mode the world is healed, and everything owed has to be done within
// [owedWithin]; once all leases have ended, no user of ours and no record may be
// left [goneWithin] later.
//
// All of it is test code: bubbles need a *testing.T. Reading order: world,
// process, storage, aws, vault, actions, faults, people, invariants, liveness,
// tally, sim.
//
// # What makes a run repeatable
//
// Goroutines that are ready at the same instant run in an order that nobody
// chooses. So nothing that matters happens at the same instant: each write to
// storage takes some microseconds and each call of AWS some milliseconds, drawn
// from the seed and from what is written or called. Random bytes come from
// testing/cryptotest, and all goroutines share one processor.
//
// Two things do matter at the same instant. Calls that are made side by side meet
// the governor before they meet AWS, and where it lets only some of them go at once
// nobody can say which; and a select of Go's picks at random where two things are
// ready, as in the worker's pause. Of 16 seeds of half a day two run otherwise the
// second time (November 2026); TestSameSeed's is one that does not.
package sim
