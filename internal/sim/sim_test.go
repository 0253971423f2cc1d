package sim_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

var (
	firstSeed = flag.Uint64("sim.seed", 0, "the first seed of TestSim; 0 runs -sim.seeds of them from 1")
	seeds     = flag.Int("sim.seeds", 20, "how many seeds TestSim runs")
	days      = flag.Int("sim.days", 7, "how many simulated days a seed is run")
	full      = flag.Bool("sim.full", false, "run TestSim; without it, only the handful of make test")
	keep      = flag.String("sim.journal", "", "a file for the journal of the last run")
)

// TestMain keeps the tests off the machine's own AWS identity.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_CA_BUNDLE": ""} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	code := m.Run()
	if *full {
		fmt.Print(total.report())
	}
	os.Exit(code)
}

// outcome is what a run leaves.
type outcome struct {
	text    []byte
	wrong   []string
	reached map[string]int
	actions int
}

// simulate runs a seed.
func simulate(t *testing.T, seed uint64, length time.Duration) (out outcome) {
	t.Helper()
	cryptotest.SetGlobalRandom(t, seed)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		w.configure()
		w.nowAndThen(time.Minute, w.act)
		w.after(rollbackEvery, w.vault.ticks)
		w.run(w.begun.Add(length))
		if len(w.violations()) == 0 {
			w.live()
		}
		w.countFaults()
		w.end()
		out = outcome{w.text(), w.violations(), w.reached, w.actions}
	})
	if *keep != "" {
		if err := os.WriteFile(*keep, out.text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// mustHold runs a seed and fails the test where an invariant does not hold.
func mustHold(t *testing.T, seed uint64, length time.Duration) outcome {
	t.Helper()
	out := simulate(t, seed, length)
	for _, wrong := range out.wrong {
		t.Errorf("seed %d: %s", seed, wrong)
	}
	if len(out.wrong) > 0 {
		t.Errorf("seed %d fails; again: make sim SEED=%d DAYS=%d. What came before:\n%s", seed, seed, max(1, int(length/(24*time.Hour))), tail(out.text, "VIOLATION"))
	}
	return out
}

// tail is the journal's lines before the first with a word.
func tail(text []byte, word string) string {
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if strings.Contains(line, word) {
			return strings.Join(lines[max(0, i-60):i+1], "\n")
		}
	}
	return ""
}

// TestSeeds is the handful of make test: some seeds that stay the same, and one
// that does not.
func TestSeeds(t *testing.T) {
	if *full {
		t.Skip("TestSim runs more")
	}
	for _, seed := range []uint64{1, 2, 3, 4, rand.Uint64N(1 << 32)} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { mustHold(t, seed, 24*time.Hour) })
	}
}

// TestSim is make sim.
func TestSim(t *testing.T) {
	if !*full {
		t.Skip("make sim runs it")
	}
	first, count := *firstSeed, 1
	if first == 0 {
		first, count = 1, *seeds
	}
	for i := range count {
		seed := first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			total.add(mustHold(t, seed, time.Duration(*days)*24*time.Hour), *days)
		})
	}
}

// TestSameSeed: one seed run twice gives byte-equal journals, another one
// another.
func TestSameSeed(t *testing.T) {
	first, again, other := simulate(t, 5, 24*time.Hour), simulate(t, 5, 24*time.Hour), simulate(t, 6, 24*time.Hour)
	if !bytes.Equal(first.text, again.text) {
		t.Errorf("the same seed, another journal: %s", firstDifference(first.text, again.text))
	}
	if bytes.Equal(first.text, other.text) {
		t.Error("another seed, the same journal")
	}
}

func firstDifference(a, b []byte) string {
	as, bs := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, strings.Join(as[max(0, i-5):min(len(as), i+5)], "\n"), strings.Join(bs[i:min(len(bs), i+5)], "\n"))
		}
	}
	return "one is longer"
}
