package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

// TestDocuments: docs/benchmarks.md says what docs/benchmarks.json says, and both
// are of the rows that are measured.
func TestDocuments(t *testing.T) {
	if _, err := Check("../../docs"); err != nil {
		t.Error(err)
	}
}

// TestScenes plays some scenes in their short form.
func TestScenes(t *testing.T) {
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), Spec{Binaries: binaries, Out: t.Output(), Quick: Short, Scenes: []string{"overhead", "allocations"}})
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, m := range report.Measures {
		both, own := strings.HasPrefix(m.Name, "no latency: "), strings.HasPrefix(m.Name, "allocations: ")
		if (both || own) && m.Ours == nil || both && m.Builtin == nil {
			missing = append(missing, m.Name)
		}
	}
	if want := []string{"no latency: renewals"}; !slices.Equal(missing, want) { // of another scene
		t.Errorf("not measured: %q, want %q", missing, want)
	}
}

func TestRow(t *testing.T) {
	yes, no := true, false
	two, fifth := 2.0, 0.2
	for name, c := range map[string]struct {
		row     row
		samples [2][]float64
		want    Measure
	}{
		"faster": {
			row{"r", "ms", less, faster(2)},
			[2][]float64{{100, 300, 200}, {90, 100, 110}},
			Measure{Builtin: &Figure{200, 300}, Ours: &Figure{100, 110}, Ratio: &two, Target: "at least 2 times better", Met: &yes, Runs: 3},
		},
		"more is better": {
			row{"r", "per s", more, target{}},
			[2][]float64{{500}, {100}},
			Measure{Builtin: &Figure{500, 500}, Ours: &Figure{100, 100}, Ratio: &fifth, Runs: 1},
		},
		"a share is a mean": {
			row{"r", share, neither, atLeast(99.9)},
			[2][]float64{nil, {100, 0, 100, 100}},
			Measure{Ours: &Figure{75, 75}, Target: "at least 99.9", Met: &no, Runs: 4},
		},
		"a difference": {
			row{"r", "ms", less, atMostOver(10)},
			[2][]float64{{10}, {20}},
			Measure{Builtin: &Figure{10, 10}, Ours: &Figure{20, 20}, Ratio: new(0.5), Target: "at most 10 more", Met: &yes, Runs: 1},
		},
		"a target that was not measured": {
			row{"r", "ms", less, atMost(20)},
			[2][]float64{},
			Measure{Target: "at most 20"},
		},
		"nothing to divide by": {
			row{"r", "users", less, atMost(0)},
			[2][]float64{{34}, {0}},
			Measure{Builtin: &Figure{34, 34}, Ours: &Figure{}, Target: "at most 0", Met: &yes, Runs: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Name, c.want.Unit = c.row.name, c.row.unit
			if diff := cmp.Diff(c.want, c.row.taken(c.samples)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	got := [2]float64{percentile(hundred, 50), percentile(hundred, 95)}
	if want := [2]float64{50, 95}; got != want {
		t.Errorf("percentiles of 1 to 100: %v, want %v", got, want)
	}
}

func TestRound(t *testing.T) {
	for x, want := range map[float64]float64{1234.6: 1235, 123.46: 123, 12.345: 12.3, 0.012345: 0.0123, 0: 0} {
		if got := round(x); got != want {
			t.Errorf("round(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestRounds(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		at   []int // milliseconds
		want int
	}{
		"none":          {nil, 0},
		"in a row":      {[]int{100, 202, 305}, 3},
		"side by side":  {[]int{100, 103, 110}, 1},
		"a key at last": {[]int{100, 203, 204, 215, 320}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []awssim.Call
			for _, at := range c.at {
				calls = append(calls, awssim.Call{Time: begin.Add(time.Duration(at) * time.Millisecond)})
			}
			if got := rounds(calls, latency); got != c.want {
				t.Errorf("rounds() = %d, want %d", got, c.want)
			}
		})
	}
}

func TestSampleWithoutARow(t *testing.T) {
	s := newSheet()
	s.add("typo", ours, 1)
	if _, err := s.measures(rows()); err == nil || !strings.Contains(err.Error(), `"typo"`) {
		t.Errorf("measures() = %v", err)
	}
}

func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		if seen[r.name] {
			t.Errorf("two rows %q", r.name)
		}
		seen[r.name] = true
	}
}

// TestCheck: a document that was changed by hand is found.
func TestCheck(t *testing.T) {
	measures, err := newSheet().measures(rows())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := Write(dir, Report{Measures: measures, Load: "0.1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir); err != nil {
		t.Error(err)
	}
	path := filepath.Join(dir, documentFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte("| –"), []byte("| 1"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(dir); err == nil || !strings.Contains(err.Error(), "does not say") {
		t.Errorf("Check() = %v", err)
	}
	if err := Rewrite(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, text) {
		t.Errorf("Rewrite() did not restore the document: %v", err)
	}
}
