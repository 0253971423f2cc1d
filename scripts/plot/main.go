// Plot draws the plots of docs/benchmarks.md from docs/benchmarks.json:
//
//	go run -C scripts/plot . ../../docs           writes docs/benchmarks-*.svg
//	go run -C scripts/plot . -check ../../docs    do they show what the figures say?
//
// It is a module of its own, for the sake of its dependencies.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format
)

// figure and measure are what a plot needs of benchmarks.json.
type figure struct{ P50, P95 float64 }

type measure struct {
	Name          string
	Builtin, Ours *figure
}

// A chart shows both engines' medians, with a line up to the 95th percentile.
type chart struct {
	file, title, unit string
	bars              []bar
}

// A bar is a measure under a short label.
type bar struct{ label, measure string }

var charts = []chart{
	{"users", "IAM users, 100 ms a call", "ms", []bar{
		{"issue\ninline", "issue: inline"},
		{"issue\n2 managed,\ninline, tags", "issue: two managed, inline, tags"},
		{"issue\nthe same,\ngroup", "issue: two managed, inline, tags, group"},
		{"issue\nten managed", "issue: ten managed"},
		{"revoke\ninline", "revoke: inline"},
		{"revoke\n2 managed,\ninline, tags", "revoke: two managed, inline, tags"},
		{"revoke\nthe same,\ngroup", "revoke: two managed, inline, tags, group"},
		{"revoke\nten managed", "revoke: ten managed"},
	}},
	{"ready", "From the answer to the first use that succeeds", "s", []bar{
		{"plain", "first use after the answer: plain"},
		{"propagation_timeout", "first use after the answer: propagation_timeout=25s"},
	}},
	{"throttled", "200 reads at once, 15 calls a second", "", []bar{
		{"succeeded", "throttled reads: succeeded"},
		{"refused\nwithout a hint", "throttled reads: refused without a hint"},
		{"users without\na lease", "throttled reads: users without a lease"},
	}},
	{"revoke", "300 leases revoked at once: left when ours are gone", "", []bar{
		{"keys alive", "mass revoke: keys alive when ours are gone"},
		{"users", "mass revoke: users left when ours are gone"},
		{"leases", "mass revoke: leases left when ours are gone"},
	}},
}

var errUsage = errors.New("usage: plot [-check] FOLDER")

func main() {
	check := flag.Bool("check", false, "compare with what is there instead of writing")
	flag.Parse()
	finish := write
	if *check {
		finish = compare
	}
	if err := run(flag.Args(), finish); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

// run draws all charts and hands each to finish.
func run(args []string, finish func(path string, svg []byte) error) error {
	if len(args) != 1 {
		return errUsage
	}
	measures, err := read(filepath.Join(args[0], "benchmarks.json"))
	if err != nil {
		return err
	}
	for _, c := range charts {
		svg, err := c.draw(measures)
		if err == nil {
			err = finish(filepath.Join(args[0], "benchmarks-"+c.file+".svg"), svg)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
	}
	return nil
}

func write(path string, svg []byte) error { return os.WriteFile(path, svg, 0o644) }

func compare(path string, svg []byte) error {
	is, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(is, svg) {
		err = errors.New("it does not show what benchmarks.json says")
	}
	return err
}

func read(path string) (map[string]measure, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []measure
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	byName := make(map[string]measure, len(all))
	for _, m := range all {
		byName[m.Name] = m
	}
	return byName, nil
}

const barWidth = 22 // points

func (c chart) draw(measures map[string]measure) ([]byte, error) {
	p := plot.New()
	p.Title.Text, p.Y.Label.Text, p.Y.Min = c.title, c.unit, 0
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	var labels []string
	for _, b := range c.bars {
		labels = append(labels, b.label)
	}
	p.NominalX(labels...)
	p.X.Min, p.X.Max = -0.5, float64(len(c.bars))-0.5
	for i, engine := range []struct {
		name string
		of   func(m measure) *figure
	}{
		{"built-in", func(m measure) *figure { return m.Builtin }},
		{"ours", func(m measure) *figure { return m.Ours }},
	} {
		if err := c.add(p, i, engine.name, func(b bar) *figure { return engine.of(measures[b.measure]) }); err != nil {
			return nil, err
		}
	}
	p.Y.Max *= 1.25 // room for the legend
	to, err := p.WriterTo(vg.Points(float64(110*len(c.bars)+120)), 320, "svg")
	if err != nil {
		return nil, err
	}
	var svg bytes.Buffer
	_, err = to.WriteTo(&svg)
	return svg.Bytes(), err
}

// add draws one engine's bars, the second engine's beside the first's.
func (c chart) add(p *plot.Plot, i int, name string, of func(bar) *figure) error {
	medians := make(plotter.Values, len(c.bars))
	spans := spans{}
	offset := vg.Points(float64(2*i-1) * barWidth / 2)
	for j, b := range c.bars {
		f := of(b)
		if f == nil {
			continue
		}
		medians[j] = f.P50
		spans.XYs = append(spans.XYs, plotter.XY{X: float64(j), Y: f.P50})
		spans.YErrors = append(spans.YErrors, struct{ Low, High float64 }{0, f.P95 - f.P50})
	}
	bars, err := plotter.NewBarChart(medians, vg.Points(barWidth))
	if err != nil {
		return err
	}
	bars.Color, bars.Offset, bars.LineStyle.Width = plotutil.Color(i), offset, 0
	p.Add(bars)
	p.Legend.Add(name, bars)
	if len(spans.XYs) == 0 {
		return nil
	}
	lines, err := plotter.NewYErrorBars(spans)
	if err != nil {
		return err
	}
	p.Add(shifted{lines, offset})
	return nil
}

// spans reach from the median to the 95th percentile.
type spans struct {
	plotter.XYs
	plotter.YErrors
}
