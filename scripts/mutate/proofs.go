package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// invariants are those of backend/lifecycle/doc.go. Each has mutations.
var invariants = []string{"L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11", "L12", "L13", "S1", "R1", "P1", "P2", "P3", "P4"}

// invariantOf matches the invariant that a mutation's name begins with.
var invariantOf = regexp.MustCompile(`^(?:client: )?([LSRP]\d+)\b`)

// invariant is the invariant that a mutation breaks, "" for none.
func (m mutation) invariant() string {
	if match := invariantOf.FindStringSubmatch(m.name); match != nil {
		return match[1]
	}
	return ""
}

// proofs prints, for each invariant that was broken, how often that was noticed
// and by which tests.
func proofs(out io.Writer, all []verdict) {
	for _, invariant := range invariants {
		var tried, noticed int
		var tests []string
		for _, v := range all {
			if v.mutation.invariant() != invariant {
				continue
			}
			tried++
			if v.outcome == caught {
				noticed++
				tests = append(tests, strings.Split(v.by, "/")[0])
			}
		}
		slices.Sort(tests)
		if tried > 0 {
			fmt.Fprintf(out, "%-4s %d of %d caught, by %s\n", invariant, noticed, tried, strings.Join(slices.Compact(tests), ", "))
		}
	}
}
