package bench

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// sheet collects samples by the name of their row.
type sheet struct {
	mu      sync.Mutex
	samples map[string]*[2][]float64
}

func newSheet() *sheet { return &sheet{samples: map[string]*[2][]float64{}} }

// add takes a sample in the row's unit.
func (s *sheet) add(name string, of side, value float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.samples[name] == nil {
		s.samples[name] = new([2][]float64)
	}
	s.samples[name][of] = append(s.samples[name][of], value)
}

// took is add of a time for a row in milliseconds.
func (s *sheet) took(name string, of side, d time.Duration) { s.add(name, of, ms(d)) }

// measures makes the rows what they are in docs/benchmarks.json. A sample
// without a row is an error.
func (s *sheet) measures(rows []row) (all []Measure, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := maps.Clone(s.samples)
	for _, r := range rows {
		var samples [2][]float64
		if taken := s.samples[r.name]; taken != nil {
			samples = *taken
		}
		delete(unknown, r.name)
		all = append(all, r.taken(samples))
	}
	for _, name := range slices.Sorted(maps.Keys(unknown)) {
		err = errors.Join(err, fmt.Errorf("samples of %q, which is no row", name))
	}
	return all, err
}
