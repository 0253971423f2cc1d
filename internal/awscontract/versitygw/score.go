package main

import (
	"fmt"
	"io"
)

// suiteSize is how many cases versitygw v1.8.0 has: fewer were not run.
const suiteSize = 480

// score is what became of all cases.
type score struct {
	passed, failed, skipped int
	surprises               int // skipped cases that pass
}

// add counts the cases of a group and prints its score, what failed, and what
// is skipped for which reason.
func (s *score) add(w io.Writer, group string, cases []outcome) {
	before := s.passed
	var lines []string
	for _, c := range cases {
		if line := s.count(c); line != "" {
			lines = append(lines, line)
		}
	}
	_, _ = fmt.Fprintf(w, "%-40s %3d of %d\n", group, s.passed-before, len(cases))
	for _, line := range lines {
		_, _ = fmt.Fprintln(w, "  "+line)
	}
}

// count returns what there is to say about a case.
func (s *score) count(c outcome) string {
	reason, skipped := skips()[c.name]
	switch {
	case c.status == "PASS" && skipped:
		s.surprises++
		return "PASS " + c.name + ": remove its row from skips.go"
	case c.status == "PASS":
		s.passed++
		return ""
	case skipped:
		s.skipped++
		return "SKIP " + c.name + ": " + reason
	}
	s.failed++
	return c.status + " " + c.name + ": " + c.detail
}

// close prints the last line and reports whether something is wrong.
func (s *score) close(w io.Writer) bool {
	_, _ = fmt.Fprintf(w, "versitygw: %d passed, %d failed, %d skipped of %d\n", s.passed, s.failed, s.skipped, suiteSize)
	return s.failed > 0 || s.surprises > 0 || s.passed+s.skipped != suiteSize
}
