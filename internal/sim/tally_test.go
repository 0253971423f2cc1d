package sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally is what all runs have reached.
type tally struct {
	seeds, days, actions, violations int
	reached                          map[string]int
}

var total = tally{reached: map[string]int{}}

func (t *tally) add(out outcome, days int) {
	t.seeds++
	t.days += days
	t.actions += out.actions
	t.violations += len(out.wrong)
	for what, n := range out.reached {
		t.reached[what] += n
	}
}

// report is how often what was reached, and the closing line.
func (t *tally) report() string {
	var text strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t.reached)) {
		fmt.Fprintf(&text, "%8d  %s\n", t.reached[what], what)
	}
	fmt.Fprintf(&text, "sim: %d seeds, %d days, %d actions, %d violations\n", t.seeds, t.days, t.actions, t.violations)
	return text.String()
}
