package main

import (
	"slices"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events string
		want   tally
	}{
		{
			name: "leaves only",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"run","Package":"p","Test":"TestA/one"}
				{"Action":"run","Package":"p","Test":"TestA/two/with/slashes"}
				{"Action":"pass","Package":"p","Test":"TestA/one"}
				{"Action":"skip","Package":"p","Test":"TestA/two/with/slashes"}
				{"Action":"pass","Package":"p","Test":"TestA"}
				{"Action":"run","Package":"p","Test":"TestB"}
				{"Action":"pass","Package":"p","Test":"TestB"}
				{"Action":"pass","Package":"p"}`,
			want: tally{passed: 2, skipped: 1},
		}, {
			name: "a failed leaf counts once, not with its parents",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"run","Package":"p","Test":"TestA/one"}
				{"Action":"fail","Package":"p","Test":"TestA/one"}
				{"Action":"fail","Package":"p","Test":"TestA"}
				{"Action":"fail","Package":"p"}`,
			want: tally{failed: 1},
		}, {
			name: "a parent that fails by itself counts",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"run","Package":"p","Test":"TestA/one"}
				{"Action":"pass","Package":"p","Test":"TestA/one"}
				{"Action":"fail","Package":"p","Test":"TestA"}
				{"Action":"fail","Package":"p"}`,
			want: tally{passed: 1, failed: 1},
		}, {
			name: "same test name in two packages",
			events: `
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"pass","Package":"p","Test":"TestA"}
				{"Action":"pass","Package":"p"}
				{"Action":"run","Package":"q","Test":"TestA"}
				{"Action":"pass","Package":"q","Test":"TestA"}
				{"Action":"pass","Package":"q"}`,
			want: tally{passed: 2},
		}, {
			name: "a package that does not build",
			events: `
				{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
				{"ImportPath":"p [p.test]","Action":"build-fail"}
				{"Action":"start","Package":"p"}
				{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
				{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			want: tally{failed: 1},
		}, {
			name: "a test that never ends",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"fail","Package":"p"}`,
			want: tally{failed: 1},
		}, {
			name: "a process that dies after its tests",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"run","Package":"p","Test":"TestA"}
				{"Action":"pass","Package":"p","Test":"TestA"}
				{"Action":"fail","Package":"p"}`,
			want: tally{passed: 1, failed: 1},
		}, {
			name: "a package without tests",
			events: `
				{"Action":"start","Package":"p"}
				{"Action":"skip","Package":"p"}`,
			want: tally{},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := mustRead(t, tc.events).count(); got != tc.want {
				t.Errorf("count() = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestSkips(t *testing.T) {
	r := mustRead(t, `
		{"Action":"run","Package":"p","Test":"TestA"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: no boto3 here\n"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
		{"Action":"skip","Package":"p","Test":"TestA"}
		{"Action":"run","Package":"p","Test":"TestB"}
		{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
		{"Action":"skip","Package":"p","Test":"TestB"}
		{"Action":"pass","Package":"p"}`)
	want := []string{"SKIP TestA: no boto3 here", "SKIP TestB: no reason given"}
	if got := r.skips(); !slices.Equal(got, want) {
		t.Errorf("skips() = %q, want %q", got, want)
	}
}

func TestNotes(t *testing.T) {
	r := mustRead(t, `
		{"Action":"run","Package":"p","Test":"TestA"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: NOTE 2 blocks are not run\n"}
		{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:4: NOTED\n"}
		{"Action":"pass","Package":"p","Test":"TestA"}
		{"Action":"output","Package":"p","Output":"NOTE of no test\n"}
		{"Action":"pass","Package":"p"}`)
	want := []string{"NOTE 2 blocks are not run"}
	if got := r.notes(); !slices.Equal(got, want) {
		t.Errorf("notes() = %q, want %q", got, want)
	}
}

func TestFailures(t *testing.T) {
	r := mustRead(t, `
		{"ImportPath":"q","Action":"build-output","Output":"q.go:1: undefined\n"}
		{"ImportPath":"q","Action":"build-fail"}
		{"Action":"run","Package":"p","Test":"TestGood"}
		{"Action":"output","Package":"p","Test":"TestGood","Output":"fine\n"}
		{"Action":"pass","Package":"p","Test":"TestGood"}
		{"Action":"run","Package":"p","Test":"TestBad"}
		{"Action":"output","Package":"p","Test":"TestBad","Output":"first\n"}
		{"Action":"output","Package":"p","Test":"TestBad","Output":"second\n"}
		{"Action":"fail","Package":"p","Test":"TestBad"}`)
	want := "q.go:1: undefined\nfirst\nsecond\n"
	if got := r.failures(); got != want {
		t.Errorf("failures() = %q, want %q", got, want)
	}
}

func TestReadNoEvent(t *testing.T) {
	err := read(strings.NewReader("go: cannot find main module\n"), new(results))
	if err == nil || err.Error() != "go: cannot find main module" {
		t.Errorf("read() = %v, want the line", err)
	}
}

func TestTallyString(t *testing.T) {
	if got, want := (tally{1, 2, 3}).String(), "1 passed, 2 failed, 3 skipped"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

// mustRead takes in events written one a line.
func mustRead(t *testing.T, events string) *results {
	t.Helper()
	var r results
	if err := read(strings.NewReader(strings.TrimSpace(events)), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}
