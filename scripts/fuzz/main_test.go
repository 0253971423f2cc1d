package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTargets(t *testing.T) {
	const listed = "?   \ta/none\t[no test files]\n" +
		"FuzzOne\nFuzzTwo\nok  \ta/b\t0.01s\n" +
		"ok  \ta/c\t0.01s\n" +
		"FuzzOne\nok  \ta/d\t(cached)\n"
	want := []target{{"a/b", "FuzzOne"}, {"a/b", "FuzzTwo"}, {"a/d", "FuzzOne"}}
	if diff := cmp.Diff(want, parseTargets(listed), cmp.AllowUnexported(target{})); diff != "" {
		t.Errorf("parseTargets() (-want +got):\n%s", diff)
	}
}

func TestTally(t *testing.T) {
	const said = "fuzz: elapsed: 0s, gathering baseline coverage: 0/1 completed\nfuzz: elapsed: 3s, execs: 7 (2/sec), new interesting: 1 (total: 2)\nPASS\n"
	if got, want := tally(said), "3s, execs: 7 (2/sec), new interesting: 1 (total: 2)"; got != want {
		t.Errorf("tally() = %q, want %q", got, want)
	}
}
