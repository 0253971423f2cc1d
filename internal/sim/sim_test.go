package sim_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"
)

var (
	seeds      = flag.Int("sim.seeds", 0, "how many seeds TestSeeds runs; 0: the handful of make test")
	firstSeed  = flag.Uint64("sim.seed", 1, "the first of them")
	days       = flag.Int("sim.days", 7, "for how many simulated days each")
	everything = flag.Bool("sim.everything", false, "fail where a state or a fault was never reached")
	keep       = flag.String("sim.journal", "", "a file for the journal of the last run")
)

// TestMain keeps the tests off the machine's own AWS identity.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_CA_BUNDLE": ""} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	debug.SetGCPercent(-1) // the driver collects: world.collect
	runtime.GOMAXPROCS(1)  // seeds run one after the other anyway, and goroutines then start in the same order
	code := m.Run()
	if *seeds > 0 {
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

// asked is what make sim asks for, if it does: seeds, and how long each is run.
func asked(usual []uint64, length time.Duration) ([]uint64, time.Duration) {
	if *seeds == 0 {
		return usual, length
	}
	chosen := make([]uint64, *seeds)
	for i := range chosen {
		chosen[i] = *firstSeed + uint64(i)
	}
	return chosen, time.Duration(*days) * 24 * time.Hour
}

// TestSeeds runs the handful of make test: some seeds that stay the same, and one
// that does not; or what make sim asks for.
func TestSeeds(t *testing.T) {
	chosen, length := asked([]uint64{1, 2, 3, 4, rand.Uint64N(1 << 32)}, 24*time.Hour)
	for _, seed := range chosen {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			total.add(mustHold(t, seed, length), int(length/(24*time.Hour)))
		})
	}
	if *everything {
		for _, what := range total.missed() {
			t.Errorf("never reached: %s", what)
		}
	}
}

// TestSameSeed: one seed run twice gives byte-equal journals, and none the journal
// of another. The seeds of make test are some that once did not.
func TestSameSeed(t *testing.T) {
	chosen, length := asked([]uint64{13, 23, 118, 159, 255}, 12*time.Hour)
	seen := map[string]uint64{}
	for _, seed := range chosen {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			first, again := mustHold(t, seed, length), simulate(t, seed, length)
			if !bytes.Equal(first.text, again.text) {
				t.Errorf("the same seed, another journal: %s", firstDifference(first.text, again.text))
			}
			if other, found := seen[string(first.text)]; found {
				t.Errorf("the journal of seed %d", other)
			}
			seen[string(first.text)] = seed
			total.add(again, int(length/(24*time.Hour)))
		})
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
