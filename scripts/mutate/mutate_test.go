package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMutations: each row still meets the code, in one place.
func TestMutations(t *testing.T) {
	names := map[string]bool{}
	for _, m := range chosen(nil) {
		if names[m.name] {
			t.Errorf("two mutations are named %q", m.name)
		}
		names[m.name] = true
		text, err := os.ReadFile(filepath.Join("..", "..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.apply(string(text)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

// TestEveryInvariantIsBroken: a proof of each is proven to notice.
func TestEveryInvariantIsBroken(t *testing.T) {
	for _, invariant := range invariants {
		if !slices.ContainsFunc(chosen(nil), func(m mutation) bool { return m.invariant() == invariant }) {
			t.Errorf("no mutation breaks %s", invariant)
		}
	}
}

func TestApply(t *testing.T) {
	m := mutation{file: "x.go", old: "a", new: "b"}
	for text, want := range map[string]string{"a c": "b c", "c": "", "a a": ""} {
		got, err := m.apply(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("apply(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, tc := range []struct {
		output  string
		err     error
		outcome outcome
		by      string
	}{
		{"ok  \tp\t0.1s\n", nil, survives, "its test passes"},
		{"ok  \tp\t0.1s [no tests to run]\n", nil, broken, "there is no such test"},
		{"# p\np/a.go:1:2: undefined: x\nFAIL\tp [build failed]\n", failed, broken, "does not compile: p/a.go:1:2: undefined: x"},
		{"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n--- FAIL: TestC (0.00s)\n", failed, caught, "TestA/b"},
		{"panic: oh\n\ngoroutine 1\n", failed, caught, "panic: oh"},
		{"signal: killed\n", failed, broken, "exit status 1"},
	} {
		outcome, by := judge([]byte(tc.output), tc.err)
		if outcome != tc.outcome || by != tc.by {
			t.Errorf("judge(%q) = %q, %q; want %q, %q", tc.output, outcome, by, tc.outcome, tc.by)
		}
	}
}
