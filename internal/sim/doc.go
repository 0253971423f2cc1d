// Package sim runs the whole backend in a simulated world and judges it: the
// backend over storage in memory, internal/awssim in process, and a model of
// what Vault does with leases, in one bubble of testing/synctest. Time is fake,
// a month takes about half a minute, and everything that happens follows from a
// seed: one seed run twice gives byte-equal journals.
//
//	make sim                    20 seeds of 7 days
//	make sim SEED=7 DAYS=2      one of them again
//	make sim TWICE=1            each of the 20 twice, and their journals compared
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
// chooses. So what matters does not happen at the same instant: each write to
// storage takes some microseconds and each call of AWS some milliseconds, drawn
// from the seed and from what is written or called; what hangs comes back one after
// the other. Random bytes come from testing/cryptotest.
//
// What is left is what one goroutine starts side by side, such as the calls that
// meet the governor at once: all goroutines share one processor, and so run in the
// order in which they are started unless something interrupts them. The race
// detector does, so TestSameSeed goes without it. The garbage collector does, so the
// driver has it run while the world is at rest. The system does where it takes the
// processor away for 10 ms in just such a moment: of 40 runs of a week none differed
// on a machine with three other things to do, and one of five seeds of half a day
// where it was given what six others left (November 2026).
package sim
