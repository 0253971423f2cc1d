package parity

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// fewest is how many distinct requests there have to be at least.
const fewest = 400

// TestParity tells every case to both engines and judges what it observes.
func TestParity(t *testing.T) {
	rows := mustReadDeclared(t, "../../../docs/compatibility.md")
	w := mustWorld(t)
	declared := w.mustAPI(t)
	sittings := slices.Concat(operations(declared), w.stories())
	for _, f := range w.forms() {
		sittings = append(sittings, f.sittings()...)
	}
	all := w.mustTell(t, sittings)
	total, problems := judge(declared, rows, all)
	for _, problem := range problems {
		t.Error(problem)
	}
	n := distinct(all, declared)
	if n < fewest {
		t.Errorf("%d distinct requests; there have to be %d", n, fewest)
	}
	printCoverage(os.Stdout, declared, uncovered(declared, all))
	fmt.Fprintf(os.Stdout, "distinct requests: %d\n%s\n", n, total)
}

// distinct counts the requests that differ in more than a name.
func distinct(all []exchange, declared api) int {
	keys := map[string]bool{}
	for _, e := range all {
		keys[e.key(declared)] = true
	}
	return len(keys)
}

// mustAPI is what the two mounts declare, together.
func (w *world) mustAPI(t *testing.T) api {
	t.Helper()
	var both [2]api
	for i, s := range w.sides {
		_, body, err := s.request(help(""))
		if err != nil {
			t.Fatal(err)
		}
		if both[i], err = parseAPI(body); err != nil {
			t.Fatal(err)
		}
	}
	return union(both[0], both[1])
}

// mustTell tells all sittings to both sides, side by side, and pairs what they
// answered. A case ends where one side accepts what the other refuses: they have
// nothing in common from there on.
func (w *world) mustTell(t *testing.T, sittings []sitting) []exchange {
	t.Helper()
	var told [2][][]exchange // by side, then by case
	var errs [2]error
	var both sync.WaitGroup
	for i, s := range w.sides {
		both.Go(func() { told[i], errs[i] = s.sitAll(sittings) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	var all []exchange
	for i, exchanges := range told[0] {
		for j, e := range exchanges {
			e.plugin = told[1][i][j].builtin
			all = append(all, e)
			if e.builtin.accepted() != e.plugin.accepted() {
				break
			}
		}
	}
	return all
}

// sitAll tells the cases of all sittings to one side.
func (s *side) sitAll(sittings []sitting) (told [][]exchange, err error) {
	for _, si := range sittings {
		exchanges, err := s.sit(si)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.mount, err)
		}
		told = append(told, exchanges...)
	}
	return told, nil
}

// sit tells the cases to one side. What it observes is in builtin.
func (s *side) sit(si sitting) ([][]exchange, error) {
	if err := s.reset(si); err != nil {
		return nil, fmt.Errorf("reset: %w", err)
	}
	var told [][]exchange
	first := si.given
	for _, c := range si.cases {
		if err := s.take(first); err != nil {
			return nil, fmt.Errorf("before %q: %w", c.name, err)
		}
		first = si.again
		exchanges, err := s.tell(c)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", c.name, err)
		}
		told = append(told, exchanges)
	}
	return told, nil
}

// take does what a case takes for granted.
func (s *side) take(granted []step) error {
	exchanges, err := s.tell(testCase{steps: granted})
	for _, e := range exchanges {
		if !e.builtin.accepted() {
			err = fmt.Errorf("%s %s: %d %q", e.method, e.path, e.builtin.status, e.builtin.errors)
		}
	}
	return err
}

// tell tells one case to one side.
func (s *side) tell(c testCase) ([]exchange, error) {
	var told []exchange
	for _, st := range c.steps {
		if st.happens != nil {
			if err := st.happens(s); err != nil {
				return nil, err
			}
			s.before = nil
			continue
		}
		o, err := s.observe(st.request)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", st.method, st.path, err)
		}
		told = append(told, exchange{testCase: c, request: st.request, builtin: o})
	}
	return told, nil
}
