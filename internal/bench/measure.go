package bench

import (
	"fmt"
	"math"
	"slices"
)

// A side is one of the two engines.
type side int

const (
	builtin side = iota
	ours
)

func (s side) String() string { return [...]string{"builtin", "ours"}[s] }

// other is the engine that it is compared with.
func (s side) other() side { return 1 - s }

// Figure is what came out for one engine, in the measure's unit.
type Figure struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Measure is one object of docs/benchmarks.json.
type Measure struct {
	Name    string   `json:"name"`
	Unit    string   `json:"unit"`
	Builtin *Figure  `json:"builtin"` // null: not measured, or the built-in engine has no such thing
	Ours    *Figure  `json:"ours"`    // null: not available in this run
	Ratio   *float64 `json:"ratio"`   // how many times better ours is, by the medians; null where there is nothing to compare
	Target  string   `json:"target"`  // "": none
	Met     *bool    `json:"met"`     // null: no target, or not measured
	Runs    int      `json:"runs"`    // samples of ours
}

// A row is a measure before it is taken.
type row struct {
	name, unit string
	better     direction
	target     target
}

// direction says which values are the good ones.
type direction int

const (
	less    direction = iota
	more              // better
	neither           // to be known, not to be compared
)

// A target is what a measure has to reach; the zero value is none.
type target struct {
	text string
	met  func(m Measure) bool // is asked only if both of what it compares are there
}

// faster is a ratio to the built-in engine.
func faster(times float64) target {
	return target{fmt.Sprintf("at least %g times better", times), func(m Measure) bool { return m.Ratio != nil && *m.Ratio >= times }}
}

// atMost bounds our median.
func atMost(limit float64) target {
	return target{fmt.Sprintf("at most %g", limit), func(m Measure) bool { return m.Ours.P50 <= limit }}
}

// atLeast bounds our median from below.
func atLeast(limit float64) target {
	return target{fmt.Sprintf("at least %g", limit), func(m Measure) bool { return m.Ours.P50 >= limit }}
}

// atMostOver bounds how much our median may be above the built-in engine's.
func atMostOver(limit float64) target {
	return target{
		fmt.Sprintf("at most %g more", limit),
		func(m Measure) bool { return m.Builtin != nil && m.Ours.P50-m.Builtin.P50 <= limit },
	}
}

// taken is the row with its samples.
func (r row) taken(samples [2][]float64) Measure {
	m := Measure{
		Name: r.name, Unit: r.unit, Target: r.target.text, Runs: len(samples[ours]),
		Builtin: r.figure(samples[builtin]), Ours: r.figure(samples[ours]),
	}
	m.Ratio = r.ratio(m)
	if r.target.met != nil && m.Ours != nil {
		met := r.target.met(m)
		m.Met = &met
	}
	return m
}

// ratio is how many times better ours is; nil where that has no meaning.
func (r row) ratio(m Measure) *float64 {
	if m.Builtin == nil || m.Ours == nil || r.better == neither {
		return nil
	}
	above, below := m.Builtin.P50, m.Ours.P50
	if r.better == more {
		above, below = below, above
	}
	if below == 0 {
		return nil
	}
	ratio := round(above / below)
	return &ratio
}

// share is the unit of rows whose samples are 0 or 100: their figure is the mean.
const share = "%"

// figure is nil without samples.
func (r row) figure(samples []float64) *Figure {
	if len(samples) == 0 {
		return nil
	}
	if r.unit == share {
		mean := round(mean(samples))
		return &Figure{P50: mean, P95: mean}
	}
	return &Figure{P50: percentile(samples, 50), P95: percentile(samples, 95)}
}

func mean(samples []float64) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += s
	}
	return sum / float64(len(samples))
}

// percentile is the smallest sample that so many percent do not exceed.
func percentile(samples []float64, percent float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
	return round(sorted[max(rank-1, 0)])
}

// round keeps three digits, and all before the point.
func round(x float64) float64 {
	if x == 0 {
		return 0
	}
	digits := max(2-math.Floor(math.Log10(math.Abs(x))), 0)
	scale := math.Pow(10, digits)
	return math.Round(x*scale) / scale
}
