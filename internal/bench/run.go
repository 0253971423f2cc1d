package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// Spec says what to measure.
type Spec struct {
	Binaries devstack.Binaries
	Out      io.Writer // takes a line per scene
	Scenes   []string  // by name; nil: all
	Quick    Quick
}

// Quick says how many runs a row gets.
type Quick int

// The two forms.
const (
	Full  Quick = iota // what docs/benchmarks.md says
	Short              // as few as there can be: it proves the scenes, not the engine
)

// of is how many runs there are of what has n in the full form.
func (q Quick) of(n int) int {
	if q == Short {
		return min(n, 2)
	}
	return n
}

// Report is what came out.
type Report struct {
	Measures []Measure
	Took     time.Duration
	Load     string // of the machine, before
}

// String is the closing line.
func (r Report) String() string {
	targets, met := 0, 0
	for _, m := range r.Measures {
		if m.Target != "" {
			targets++
		}
		if m.Met != nil && *m.Met {
			met++
		}
	}
	return fmt.Sprintf("bench: %d measures, %d targets, %d met", len(r.Measures), targets, met)
}

// A stage is a Vault server, or a cluster, beside a simulator.
type stage struct {
	name    string
	nodes   int
	simArgs []string
	scenes  []scene
}

// A scene brings about what its rows need.
type scene struct {
	name string
	play func(ctx context.Context, w *world) error
}

// roundTrip is what a packet takes to AWS and back. A new connection costs two of
// them before the first request can be sent: TCP's handshake and TLS 1.3's.
const roundTrip = 40 * time.Millisecond

// stages are all scenes, by what they are played on.
func stages() []stage {
	over := []string{"-tls", "-handshake-delay", (2 * roundTrip).String()}
	return []stage{
		{"100 ms a call", 1, over, []scene{
			{"users", users},
			{"sts", sessions},
			{"conflicts", conflicts},
			{"lag", lag},
			{"reads", throttledReads},
			{"mass-revoke", massRevoke},
		}},
		{"no latency", 1, []string{"-tls"}, []scene{
			{"memory", memory}, {"overhead", overhead}, {"renewals", renewals}, {"start", starts}, {"scale", scale},
		}},
		{"pools", 1, over, []scene{{"pool", pool}}},
		{"three nodes", 3, []string{"-tls"}, []scene{{"failover", failover}}},
		{"no server", 0, nil, []scene{{"allocations", allocations}}},
	}
}

// Run plays the scenes. What they started has ended when it returns.
func Run(ctx context.Context, spec Spec) (Report, error) {
	began, before, sheet := now(), load(), newSheet()
	for _, st := range stages() {
		st.scenes = slices.DeleteFunc(st.scenes, func(s scene) bool { return !spec.wants(s) })
		if len(st.scenes) == 0 {
			continue
		}
		if err := st.play(ctx, spec, sheet); err != nil {
			return Report{}, err
		}
	}
	measures, err := sheet.measures(rows())
	return Report{Measures: measures, Took: now().Sub(began), Load: before}, err
}

func (s Spec) wants(sc scene) bool { return len(s.Scenes) == 0 || slices.Contains(s.Scenes, sc.name) }

func (st stage) play(ctx context.Context, spec Spec, sheet *sheet) error {
	w := &world{Spec: spec, sheet: sheet}
	if st.nodes > 0 {
		if err := w.start(ctx, st); err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
		}
	}
	err := w.playAll(ctx, st)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, w.lastLog())
	}
	return errors.Join(err, w.stop())
}

func (w *world) playAll(ctx context.Context, st stage) error {
	for _, sc := range st.scenes {
		began := now()
		if err := sc.play(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", sc.name, err)
		}
		fmt.Fprintf(w.Out, "%s: %s, %s\n", st.name, sc.name, now().Sub(began).Round(time.Second))
	}
	return nil
}

// lastLog is the end of what the servers have logged, for who has to find out
// why a scene failed.
func (w *world) lastLog() string {
	const lines = 20
	var text strings.Builder
	if w.cluster == nil {
		return ""
	}
	for _, n := range w.cluster.Nodes {
		all := strings.Split(strings.TrimSpace(n.Log()), "\n")
		text.WriteString(strings.Join(all[max(len(all)-lines, 0):], "\n") + "\n")
	}
	return text.String()
}
