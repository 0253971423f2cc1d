package parity

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A row declares differences: it is one of the tables under "## Differences" in
// docs/compatibility.md. Requests and aspects are what stands in backticks in
// the first two columns; * stands for any text.
type row struct {
	line              int
	requests, aspects []*pattern
}

// A pattern matches texts, and knows whether it ever did.
type pattern struct {
	text string
	re   *regexp.Regexp
	used bool
}

func newPattern(text string) *pattern {
	return &pattern{text: text, re: regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")}
}

func mustReadDeclared(t *testing.T, page string) []*row {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parseDeclared(string(text))
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	return rows
}

var (
	code     = regexp.MustCompile("`([^`]+)`")
	notCells = regexp.MustCompile(`^\|[-| ]+\|$`)
)

// parseDeclared reads the rows of the tables of the section: request, aspect,
// the built-in engine, this engine, why.
func parseDeclared(page string) ([]*row, error) {
	var rows []*row
	inside, head := false, true
	for i, line := range strings.Split(page, "\n") {
		switch {
		case strings.HasPrefix(line, "## "):
			inside = line == "## Differences"
		case !strings.HasPrefix(line, "|"):
			head = true
		case !inside || notCells.MatchString(line):
		case head:
			head = false
		default:
			r, err := parseRow(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			r.line = i + 1
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// columns is how many a row has; the last one says why.
const columns = 5

func parseRow(line string) (*row, error) {
	cells := strings.Split(strings.Trim(line, "|"), " | ")
	if len(cells) != columns {
		return nil, fmt.Errorf("%d columns instead of %d", len(cells), columns)
	}
	r := &row{}
	for _, match := range code.FindAllStringSubmatch(cells[0], -1) {
		r.requests = append(r.requests, newPattern(match[1]))
	}
	for _, match := range code.FindAllStringSubmatch(cells[1], -1) {
		r.aspects = append(r.aspects, newPattern(match[1]))
	}
	if len(r.requests) == 0 || len(r.aspects) == 0 || strings.TrimSpace(cells[columns-1]) == "" {
		return nil, fmt.Errorf("a row needs a request and an aspect in backticks, and a reason")
	}
	return r, nil
}

// covers reports whether the row is about the finding, and notes what of it was
// needed.
func (r *row) covers(f finding) bool {
	found := false
	for _, about := range r.requests {
		for _, in := range r.aspects {
			if about.re.MatchString(f.request) && in.re.MatchString(f.aspect) {
				about.used, in.used, found = true, true, true
			}
		}
	}
	return found
}

// undeclared returns the findings that no row covers.
func undeclared(findings []finding, rows []*row) []finding {
	var left []finding
	for _, f := range findings {
		covered := false
		for _, r := range rows {
			covered = r.covers(f) || covered
		}
		if !covered {
			left = append(left, f)
		}
	}
	return left
}

// unused returns the patterns of rows that no finding needed.
func unused(rows []*row) []string {
	var left []string
	for _, r := range rows {
		for _, patterns := range [][]*pattern{r.requests, r.aspects} {
			for _, p := range patterns {
				if !p.used {
					left = append(left, fmt.Sprintf("line %d: `%s`", r.line, p.text))
				}
			}
		}
	}
	return left
}
