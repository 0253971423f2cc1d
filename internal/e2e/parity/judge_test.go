package parity

import "fmt"

// An exchange is a request of a case and what came of it on either side.
type exchange struct {
	testCase
	request
	builtin, plugin observation
}

// A report counts requests by what came of them.
type report struct {
	requests, equal, declared, undeclared int
}

// String is the closing line.
func (r report) String() string {
	return fmt.Sprintf("parity: %d requests, %d equal, %d declared differences, %d undeclared", r.requests, r.equal, r.declared, r.undeclared)
}

// count adds one request to the report.
func (r *report) count(findings, undeclared []finding) {
	r.requests++
	switch {
	case len(undeclared) > 0:
		r.undeclared++
	case len(findings) > 0:
		r.declared++
	default:
		r.equal++
	}
}

// judge compares the two sides of every exchange. The problems are differences
// without a row, rows without a difference, and cells without a request.
func judge(mounted api, rows []*row, all []exchange) (total report, problems []string) {
	c := newComparer(mounted.fieldNames())
	for _, e := range all {
		findings := c.compare(e.label(e.request, mounted), e.builtin, e.plugin)
		left := undeclared(findings, rows)
		total.count(findings, left)
		for _, f := range left {
			problems = append(problems, fmt.Sprintf("undeclared difference\n  request %s\n  aspect  %s\n  builtin %s\n  plugin  %s", f.request, f.aspect, f.builtin, f.plugin))
		}
	}
	for _, pattern := range unused(rows) {
		problems = append(problems, "docs/compatibility.md, "+pattern+": nothing needs it")
	}
	for _, c := range uncovered(mounted, all) {
		problems = append(problems, fmt.Sprintf("uncovered cell: %s", c))
	}
	return total, problems
}
