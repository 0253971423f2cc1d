package main

import (
	"bufio"
	"io"
	"os"
	"regexp"
	"strings"
)

// outcome is what became of one case.
type outcome struct {
	name   string
	status string // PASS or FAIL; RUN: it never ended
	detail string // of a failure
}

// capture runs f and reads the cases' outcomes from what it prints: the suite
// keeps counters, but tells the names of cases nowhere else.
func capture(f func()) ([]outcome, error) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	read := make(chan []outcome, 1)
	go func() { read <- readOutcomes(reader) }()
	stdout := os.Stdout
	os.Stdout = writer
	f()
	os.Stdout = stdout
	err = writer.Close()
	return <-read, err
}

// mark is how the suite prints an outcome: a word in colour, then the name
// and, of a failure, what was wrong.
var mark = regexp.MustCompile(`^\x1b\[\d+m(RUN|PASS|FAIL) +\x1b\[0m(\w+):?(.*)`)

// readOutcomes joins a case's RUN with what follows it.
func readOutcomes(r io.Reader) []outcome {
	var out []outcome
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found := mark.FindStringSubmatch(lines.Text())
		switch {
		case found == nil && len(out) > 0:
			out[len(out)-1].detail += "\n\t" + lines.Text()
		case found == nil:
		case found[1] == "RUN":
			out = append(out, outcome{name: found[2], status: "RUN"})
		default:
			settle(out, outcome{found[2], found[1], strings.TrimSpace(found[3])})
		}
	}
	return out
}

// settle notes a case's end. The first one counts: a case that failed may fail
// again while it cleans up.
func settle(out []outcome, end outcome) {
	for i := range out {
		if out[i].name == end.name && out[i].status == "RUN" {
			out[i] = end
		}
	}
}
