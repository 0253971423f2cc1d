package main

import (
	"bytes"
	"errors"
	"flag"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		args    []string
		ambient backend.Ambient
		ends    bool // the process does not serve
		printed string
	}{
		{args: nil},
		{args: []string{"-ambient-credentials=on"}},
		{args: []string{"-ambient-credentials=off"}, ambient: backend.AmbientForbidden},
		{args: []string{"-ambient-credentials=maybe"}, ends: true, printed: "must be on or off"},
		{args: []string{"-nonsense"}, ends: true, printed: "nonsense"},
		{args: []string{"-version"}, ends: true, printed: "v0.0.0-dev (unknown)"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			options, err := parse(tc.args, &out, &out)
			if (err != nil) != tc.ends || options.Ambient != tc.ambient {
				t.Errorf("parse = %+v, %v", options, err)
			}
			if !strings.Contains(out.String(), tc.printed) {
				t.Errorf("printed %q, want %q", out.String(), tc.printed)
			}
		})
	}
}

// TestVersionEnds: -version exits 0 and does not serve.
func TestVersionEnds(t *testing.T) {
	var out bytes.Buffer
	if code := run([]string{"-version"}, &out, &out); code != 0 {
		t.Errorf("exit code = %d", code)
	}
	if _, err := parse([]string{"-version"}, &out, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error = %v", err)
	}
}
