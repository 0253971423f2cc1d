package crashtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
)

// Verdict is the outcome of a cell.
type Verdict string

// The verdicts, the worst last.
const (
	NotPossible Verdict = "not possible" // the engine cannot be brought there by a test
	OK          Verdict = "ok"
	Leaked      Verdict = "leaked" // something in AWS that nothing owns, or that is owned for ever
	Dead        Verdict = "dead"   // a key that is to work does not
)

// Result is one cell of the matrix.
type Result struct {
	Engine    string   `json:"engine"`
	Operation string   `json:"operation"`
	Mishap    string   `json:"mishap"`
	Site      string   `json:"site"` // the call or the write at which it happened; "" for events
	Verdict   Verdict  `json:"verdict"`
	Details   []string `json:"details,omitempty"` // what leaked, what is dead
}

// String is the cell's line in the list of what went wrong.
func (r Result) String() string {
	return fmt.Sprintf("%s: %s, %s at %s: %s", r.Engine, r.Operation, r.Mishap, r.Site, strings.Join(r.Details, "; "))
}

// File collects results, one JSON line each, from several processes. The zero
// value drops them.
type File struct {
	Path string
	mu   sync.Mutex
}

// Add appends a result.
func (f *File) Add(r Result) error {
	if f.Path == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	out, err := os.OpenFile(f.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(append(line, '\n'))
	return errors.Join(err, out.Close())
}

// Read reads what File wrote.
func Read(from io.Reader) ([]Result, error) {
	var all []Result
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, lines.Err()
}

// Table prints a row per operation and mishap with a column per engine, in
// Markdown, then every cell that went wrong, then a closing line for each: that
// of the first engine, which this is all about, comes last.
func Table(out io.Writer, all []Result, engines ...string) {
	fmt.Fprintf(out, "| operation | mishap | %s |\n|---|---|%s\n", strings.Join(engines, " | "), strings.Repeat("---|", len(engines)))
	for _, row := range rows(all) {
		columns := make([]string, len(engines))
		for i, engine := range engines {
			columns[i] = summary(matching(all, Result{Engine: engine, Operation: row.Operation, Mishap: row.Mishap}))
		}
		fmt.Fprintf(out, "| %s | %s | %s |\n", row.Operation, row.Mishap, strings.Join(columns, " | "))
	}
	for _, r := range all {
		if r.Verdict == Leaked || r.Verdict == Dead {
			fmt.Fprintln(out, r)
		}
	}
	for _, engine := range engines[1:] {
		closing(out, engine, of(all, engine))
	}
	closing(out, "crash", of(all, engines[0]))
}

// closing prints the line that sums up.
func closing(out io.Writer, name string, all []Result) {
	count := tally(all)
	fmt.Fprintf(out, "%s: %d cases, %d leaked, %d dead\n", name, len(all)-count[NotPossible], count[Leaked], count[Dead])
}

// rows are the pairs of operation and mishap, in the order of their coming.
func rows(all []Result) []Result {
	var pairs []Result
	for _, r := range all {
		pair := Result{Operation: r.Operation, Mishap: r.Mishap}
		if !slices.ContainsFunc(pairs, func(p Result) bool { return p.Operation == pair.Operation && p.Mishap == pair.Mishap }) {
			pairs = append(pairs, pair)
		}
	}
	slices.SortStableFunc(pairs, func(a, b Result) int { return strings.Compare(a.Operation, b.Operation) })
	return pairs
}

func of(all []Result, engine string) []Result {
	return slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return r.Engine != engine })
}

func matching(all []Result, want Result) []Result {
	return slices.DeleteFunc(of(all, want.Engine), func(r Result) bool {
		return r.Operation != want.Operation || r.Mishap != want.Mishap
	})
}

func tally(all []Result) map[Verdict]int {
	count := map[Verdict]int{}
	for _, r := range all {
		count[r.Verdict]++
	}
	return count
}

// summary is the text of one place in the table.
func summary(cells []Result) string {
	count, parts := tally(cells), []string{}
	for _, v := range []Verdict{OK, Leaked, Dead, NotPossible} {
		switch {
		case v == NotPossible && count[v] > 0:
			parts = append(parts, string(v))
		case count[v] > 0:
			parts = append(parts, fmt.Sprintf("%d %s", count[v], v))
		}
	}
	return strings.Join(parts, ", ")
}
