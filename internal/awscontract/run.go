package awscontract

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// belief is one case: what AWS does, according to its source.
type belief struct {
	id     string
	source string
	want   string // what AWS answers
	needs  []need
	run    func(*world) string // what the server answers
}

// Score is the result of a run, in cases.
type Score struct {
	Held     int // answered as AWS does
	Deviated int // answered as a row says
	Skipped  int // set aside: the backend lacks what they need
}

// Run holds a backend to every belief, and every row of its tables to the
// backend: each must be met by a case that shows what the row says.
func Run(t *testing.T, b Backend) Score {
	if b.HTTPClient == nil {
		b.HTTPClient = awshttp.NewBuildableClient()
	}
	s := newSuite(&b)
	for _, c := range beliefs() {
		t.Run(c.id, func(t *testing.T) { s.judge(t, c) })
	}
	if s.judged == len(beliefs()) { // else -run or -skip leaves some out
		s.findUnused(t)
	}
	t.Log(s)
	return s.score
}

// suite is one run of all cases.
type suite struct {
	backend    *Backend
	deviations map[string]string // case ids, and what is answered instead
	missing    map[string]Missing
	used       map[string]bool // rows that a case met, by case id or operation
	judged     int             // cases
	score      Score
	skipped    map[string]int // by reason
}

func newSuite(b *Backend) *suite {
	s := &suite{
		backend: b, used: map[string]bool{}, skipped: map[string]int{},
		deviations: map[string]string{}, missing: map[string]Missing{},
	}
	for _, d := range b.Deviations {
		for _, id := range d.Cases {
			s.deviations[id] = d.Instead
		}
	}
	for _, m := range b.Missing {
		s.missing[m.Operation] = m
	}
	return s
}

// String is the score.
func (s *suite) String() string {
	reasons := make([]string, 0, len(s.skipped))
	for reason, n := range s.skipped {
		reasons = append(reasons, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(reasons)
	out := fmt.Sprintf("%s: %d beliefs: %d as AWS, %d deviate", s.backend.Name, s.judged, s.score.Held, s.score.Deviated)
	if len(reasons) > 0 {
		out += ", set aside: " + strings.Join(reasons, "; ")
	}
	return out
}

// judge runs one case and compares.
func (s *suite) judge(t *testing.T, c belief) {
	s.judged++
	if lack := s.backend.lacks(c.needs); lack != "" {
		s.setAside(t, "need "+string(lack))
		return
	}
	w := newWorld(t, s)
	got := w.observe(c.run)
	if len(w.lacking) > 0 {
		s.setAside(t, "need what it lacks", w.lacking...)
		return
	}
	instead, deviates := s.deviations[c.id]
	s.used[c.id] = true
	switch {
	case !deviates && got == c.want:
		s.score.Held++
	case !deviates:
		t.Errorf("%q: %s answers\n\t%s\nAWS answers\n\t%s\n(%s)", c.id, s.backend.Name, got, c.want, c.source)
	case got == c.want:
		t.Errorf("%s answers as AWS does now: remove the row of %q", s.backend.Name, c.id)
	case got != instead:
		t.Errorf("%q: %s answers\n\t%s\nits row says\n\t%s\nAWS answers\n\t%s", c.id, s.backend.Name, got, instead, c.want)
	default:
		s.score.Deviated++
	}
}

// setAside counts a case that the backend cannot be asked. It is no skipped test:
// that it lacks something is asserted as well, by the use of its row.
func (s *suite) setAside(t *testing.T, reason string, what ...string) {
	t.Helper()
	s.skipped[reason]++
	s.score.Skipped++
	t.Logf("set aside by %s: %s %s", s.backend.Name, reason, strings.Join(what, ", "))
}

// findUnused reports rows that no case met.
func (s *suite) findUnused(t *testing.T) {
	for id := range s.deviations {
		if !s.used[id] {
			t.Errorf("%s: the row of %q is unused: no such case, or it is skipped", s.backend.Name, id)
		}
	}
	for _, m := range s.backend.Missing {
		if !s.used[m.Operation] {
			t.Errorf("%s: the row of %s is unused: it is supported now, or no case needs it", s.backend.Name, m.Operation)
		}
	}
}
