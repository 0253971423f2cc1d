package bench

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// The documents, in the folder docs.
const (
	figuresFile  = "benchmarks.json"
	documentFile = "benchmarks.md"
)

// documentText is what docs/benchmarks.md says besides the figures.
//
//go:embed benchmarks.md.tmpl
var documentText string

// measuredBy begins the one line of the document that no figure holds: where and
// when they were taken.
const measuredBy = "Measured "

// Write writes both documents into a folder.
func Write(folder string, r Report) error {
	figures, err := json.MarshalIndent(r.Measures, "", "  ")
	if err != nil {
		return err
	}
	document, err := render(r.Measures, measuredBy+machine(r))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, figuresFile), append(figures, '\n'), 0o644),
		os.WriteFile(filepath.Join(folder, documentFile), document, 0o644))
}

// Check is an error if the document in a folder does not say what the figures
// there say, or the figures are not of the rows that are measured.
func Check(folder string) (Report, error) {
	measures, is, should, err := both(folder)
	if err == nil && !bytes.Equal(is, should) {
		err = fmt.Errorf("%s does not say what %s says: %s", documentFile, figuresFile, firstDifference(string(is), string(should)))
	}
	return Report{Measures: measures}, err
}

// Rewrite renders the document in a folder anew from the figures there, where its
// own text has changed.
func Rewrite(folder string) error {
	_, _, should, err := both(folder)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, documentFile), should, 0o644)
}

// both are the figures in a folder, the document there, and the document as it
// should be: with the line that no figure holds as it is.
func both(folder string) (measures []Measure, is, should []byte, err error) {
	if measures, err = read(folder); err != nil {
		return nil, nil, nil, err
	}
	if is, err = os.ReadFile(filepath.Join(folder, documentFile)); err != nil {
		return nil, nil, nil, err
	}
	_, rest, _ := strings.Cut(string(is), "\n"+measuredBy)
	line, _, _ := strings.Cut(rest, "\n")
	should, err = render(measures, measuredBy+line)
	return measures, is, should, err
}

func read(folder string) (measures []Measure, err error) {
	text, err := os.ReadFile(filepath.Join(folder, figuresFile))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&measures); err != nil {
		return nil, fmt.Errorf("%s: %w", figuresFile, err)
	}
	return measures, nil
}

func firstDifference(is, should string) string {
	a, b := strings.Split(is, "\n"), strings.Split(should, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %q and should be %q", i+1, a[i], b[i])
		}
	}
	return "it ends too early or too late"
}

// table is a section with its figures.
type table struct {
	Title, About string
	Rows         []string
}

// miss is a target that was missed, and why.
type miss struct{ Name, Target, Why string }

// render is the document of measures, which are those of all rows in order.
func render(measures []Measure, line string) ([]byte, error) {
	byName := map[string]Measure{}
	for _, m := range measures {
		byName[m.Name] = m
	}
	if len(byName) != len(rows()) {
		return nil, fmt.Errorf("%s has %d measures, and there are %d rows: run make bench", figuresFile, len(byName), len(rows()))
	}
	shown := struct {
		Measured, Closing string
		Tables            []table
		Missed            []miss
		Absent            []string
	}{Measured: line, Closing: Report{Measures: measures}.String()}
	for _, s := range sections {
		t := table{Title: s.title, About: s.about}
		for _, r := range s.rows {
			m, known := byName[r.name]
			if !known {
				return nil, fmt.Errorf("%s has no %q: run make bench", figuresFile, r.name)
			}
			t.Rows = append(t.Rows, m.line())
			switch {
			case m.Ours == nil:
				shown.Absent = append(shown.Absent, m.Name)
			case m.Met != nil && !*m.Met:
				shown.Missed = append(shown.Missed, miss{m.Name, m.Target, whyMissed(m.Name)})
			}
		}
		shown.Tables = append(shown.Tables, t)
	}
	var out bytes.Buffer
	err := template.Must(template.New(documentFile).Parse(documentText)).Execute(&out, shown)
	return out.Bytes(), err
}

// line is the measure's line in the tables.
func (m Measure) line() string {
	cells := []string{
		m.Name, m.Unit, m.Builtin.p50(), m.Builtin.p95(), m.Ours.p50(), m.Ours.p95(), "", m.Target, m.verdict(),
	}
	if m.Ratio != nil {
		cells[6] = number(*m.Ratio)
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

func (m Measure) verdict() string {
	switch {
	case m.Target == "":
		return ""
	case m.Met == nil:
		return "not available"
	case *m.Met:
		return "yes"
	}
	return "**no**"
}

func (f *Figure) p50() string {
	if f == nil {
		return "–"
	}
	return number(f.P50)
}

func (f *Figure) p95() string {
	if f == nil {
		return "–"
	}
	return number(f.P95)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// Print writes the measures that were taken, for who tries a scene.
func Print(out io.Writer, measures []Measure) {
	for _, m := range measures {
		if m.Builtin != nil || m.Ours != nil {
			fmt.Fprintln(out, m.line())
		}
	}
}
