package main

import (
	"slices"
	"strings"
	"testing"
)

// TestLevelsLoseNoTest: a package that is split by name has a selection that
// runs what the others leave out.
func TestLevelsLoseNoTest(t *testing.T) {
	runs, skips := map[string][]string{}, map[string][]string{}
	for _, l := range levels {
		for _, s := range l.runs {
			for _, p := range s.packages {
				runs[p], skips[p] = append(runs[p], s.run), append(skips[p], s.skip)
			}
		}
	}
	for p := range runs {
		slices.Sort(runs[p])
		slices.Sort(skips[p])
		if !slices.Equal(runs[p], skips[p]) {
			t.Errorf("package %s: -run patterns %q, -skip patterns %q", p, runs[p], skips[p])
		}
	}
}

func TestRestIsWhatNobodyNames(t *testing.T) {
	known := []string{module + "/backend", module + "/backend/new", module + "/internal/e2e"}
	got := importPaths(selection{packages: []string{rest}}, levels, known)
	if want := []string{module + "/backend/new"}; !slices.Equal(got, want) {
		t.Errorf("rest = %q, want %q", got, want)
	}
}

func TestChoose(t *testing.T) {
	chosen, err := choose(levels, []string{"e2e", "unit"})
	if err != nil || len(chosen) != 2 || chosen[0].name != "e2e" || chosen[1].name != "unit" {
		t.Errorf("choose(e2e, unit) = %v, %v", chosen, err)
	}
	if _, err := choose(levels, []string{"typo"}); err == nil {
		t.Error("choose(typo) is no error")
	}
}

// TestAbsentLevelFails runs a level whose package has no such test.
func TestAbsentLevelFails(t *testing.T) {
	var out strings.Builder
	s := suite{out: &out}
	got := s.level(t.Context(), level{name: "ghost", runs: []selection{
		{packages: []string{"scripts/levels"}, run: "^TestThatIsNotThere$"},
	}})
	if got != (tally{failed: 1}) || !strings.Contains(out.String(), "level did not run") {
		t.Errorf("tally %v, output:\n%s", got, out.String())
	}
}
