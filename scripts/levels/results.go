package main

import (
	"fmt"
	"regexp"
	"strings"
)

// event is one line of go test -json; cmd/test2json documents it.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output and build failures
	Test       string
	Output     string
}

// tally counts tests.
type tally struct{ passed, failed, skipped int }

// String is the closing line, in the form that readers of test logs look for.
func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

// add returns the sum of both.
func (t tally) add(u tally) tally {
	return tally{t.passed + u.passed, t.failed + u.failed, t.skipped + u.skipped}
}

// ran is how many tests came to an end.
func (t tally) ran() int { return t.passed + t.failed + t.skipped }

// results is what one or more go test commands reported.
type results struct {
	nodes map[key]*node
	order []*node // as they began, which is the order they are reported in
}

// A key names a test of a package; an empty test is the package itself, and a
// build is the compilation of an import path.
type key struct{ pkg, test, build string }

// A node is a test, a package or a build.
type node struct {
	key
	outcome  string // pass, fail, skip; "" while it has not ended
	output   strings.Builder
	children []*node
}

// record takes in one event.
func (r *results) record(e event) {
	n := r.node(key{pkg: e.Package, test: e.Test, build: e.ImportPath})
	switch e.Action {
	case "output", "build-output":
		n.output.WriteString(e.Output)
	case "pass", "fail", "skip":
		n.outcome = e.Action
	case "build-fail":
		n.outcome = "fail"
	}
}

// node finds or makes the node of k, below that of its parent test.
func (r *results) node(k key) *node {
	if n, ok := r.nodes[k]; ok {
		return n
	}
	if r.nodes == nil {
		r.nodes = map[key]*node{}
	}
	n := &node{key: k}
	r.nodes[k] = n
	r.order = append(r.order, n)
	if parent := r.parent(k); parent != nil {
		parent.children = append(parent.children, n)
	}
	return n
}

// parent finds the test or package that k is part of. The name of a subtest may
// hold slashes of its own, so the nearest test that exists is the parent.
func (r *results) parent(k key) *node {
	for k.test != "" {
		cut := max(strings.LastIndexByte(k.test, '/'), 0)
		k.test = k.test[:cut]
		if n, ok := r.nodes[k]; ok {
			return n
		}
	}
	return nil
}

// count sums up the leaves. A test with subtests counts only if it failed or
// was skipped while none of them was; a package counts only if it failed while
// none of its tests did, as one that did not build or whose process died.
func (r *results) count() tally {
	var t tally
	for _, n := range r.order {
		switch {
		case n.build != "": // the package that needs it fails too
		case n.own("fail"):
			t.failed++
		case n.test == "":
		case n.own("skip"):
			t.skipped++
		case n.outcome == "pass" && len(n.children) == 0:
			t.passed++
		}
	}
	return t
}

// own reports whether the node had the outcome and nothing below it had.
func (n *node) own(outcome string) bool {
	if n.ended() != outcome {
		return false
	}
	for _, c := range n.children {
		if c.has(outcome) {
			return false
		}
	}
	return true
}

// has reports whether the node or anything below it had the outcome.
func (n *node) has(outcome string) bool {
	if n.ended() == outcome {
		return true
	}
	for _, c := range n.children {
		if c.has(outcome) {
			return true
		}
	}
	return false
}

// ended is the outcome. A test that never ended failed: its process died.
func (n *node) ended() string {
	if n.outcome == "" && n.build == "" {
		return "fail"
	}
	return n.outcome
}

// name is how reports call the node.
func (n *node) name() string {
	if n.test != "" {
		return n.test
	}
	return n.pkg
}

// failures returns the output of all that failed, in full.
func (r *results) failures() string {
	var out strings.Builder
	for _, n := range r.order {
		if n.ended() == "fail" {
			out.WriteString(n.output.String())
		}
	}
	return out.String()
}

// skips returns a line for every test that was skipped, with its reason.
func (r *results) skips() []string {
	var lines []string
	for _, n := range r.order {
		if n.test != "" && n.own("skip") {
			lines = append(lines, fmt.Sprintf("SKIP %s: %s", n.name(), reason(n.output.String())))
		}
	}
	return lines
}

// notes returns the lines that tests wrote for whoever reads the report: those
// that begin with NOTE.
func (r *results) notes() []string {
	var lines []string
	for _, n := range r.order {
		for line := range strings.Lines(n.output.String()) {
			if text := strings.TrimSpace(position.ReplaceAllString(line, "")); n.test != "" && strings.HasPrefix(text, "NOTE ") {
				lines = append(lines, text)
			}
		}
	}
	return lines
}

// framing matches the lines of a test's output that the test did not write.
var framing = regexp.MustCompile(`^\s*(===|---) `)

// position matches what t.Skip puts before the reason.
var position = regexp.MustCompile(`^\s*[\w./-]+\.go:\d+: `)

// reason finds why a test was skipped: the last thing it said.
func reason(output string) string {
	why := "no reason given"
	for line := range strings.Lines(output) {
		line = strings.TrimRight(line, "\n")
		if !framing.MatchString(line) && strings.TrimSpace(line) != "" {
			why = strings.TrimSpace(position.ReplaceAllString(line, ""))
		}
	}
	return why
}
