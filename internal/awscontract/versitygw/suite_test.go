package main

import (
	"strings"
	"testing"
)

// TestSuite is the command as a test, for make test.
func TestSuite(t *testing.T) {
	var out strings.Builder
	failed, err := run(t.Context(), &out)
	t.Log(out.String())
	if err != nil || failed {
		t.Errorf("failed %v, %v", failed, err)
	}
}
