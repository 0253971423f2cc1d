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

// missed is what a run of many seeds must reach and this one did not: each
// state, each action, each fault before and after its effect.
func (t *tally) missed() (missed []string) {
	for _, what := range mustReach() {
		if t.reached[what] == 0 {
			missed = append(missed, what)
		}
	}
	return missed
}

func mustReach() []string {
	all := []string{
		"state announced", "state made", "state keyed", "state recorded", "state issued", "state renewed",
		"state condemned", "state condemned, tried again", "state gone",
		"state pooled", "state taken",
		"condemned: it was made ahead of time, and its pool has no use for it any more",
		"condemned: it was made ahead of time, and the process that had its key is gone",
		"condemned: its lease was revoked", "condemned: issuing it failed", "condemned: it outlived its lease",
		"issued to a client", "client left early", "session", "static key read",
		"lease expired", "lease renewed", "lease irrevocable", "lease not registered", "lease never written",
		"operator confirms the clock", "drained", "root key of an operator's", "AWS unreachable", "AWS calm", "AWS realistic", "AWS hostile",
		"people add-key", "people attach-policy", "people delete", "people delete-key", "people put-policy",
		"fault delay before", "fault delay after", "fault throttle before", "fault truncate after",
	}
	for _, a := range actions() {
		all = append(all, "action "+a.name)
	}
	for _, kind := range []string{"root", "static"} {
		for _, phase := range []string{"announced", "made", "stored", "finished"} {
			all = append(all, "rotation "+kind+" "+phase)
		}
	}
	for _, kind := range []string{"error", "hang", "html", "reset"} {
		all = append(all, "fault "+kind+" before", "fault "+kind+" after")
	}
	for _, verb := range []string{"get", "put", "delete", "list"} {
		for _, kind := range []string{"before", "after", "hang"} {
			all = append(all, "storage "+verb+" "+kind)
		}
	}
	for _, jump := range clockOffsets {
		all = append(all, "clock jump "+jump.String())
	}
	return all
}
