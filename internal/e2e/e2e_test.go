package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vault-plugin-secrets-aws/internal/devstack"
)

// cleanUpTime is what a script that runs into the deadline of the test run has
// left for stopping its processes.
const cleanUpTime = 20 * time.Second

func TestScripts(t *testing.T) {
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	p := testscript.Params{
		Dir:                 "testdata/script",
		Cmds:                testscriptCommands(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		p.Deadline = deadline.Add(-cleanUpTime)
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, p.Deadline)
		t.Cleanup(cancel)
	}
	p.Setup = func(env *testscript.Env) error { return setUp(ctx, env, binaries) }
	testscript.Run(t, p)
}

// TestEveryStepIsTested holds the scripts to the walkthrough.
func TestEveryStepIsTested(t *testing.T) {
	const steps = 20
	tested := stepsIn(t, "testdata/script/*.txtar")
	for step := 1; step <= steps; step++ {
		// Step 7 is an option that is still to come.
		if step != 7 && !tested[step] {
			t.Errorf("no script says that it tests step %d", step)
		}
	}
}

// stepsIn finds the step numbers that the scripts claim, in comments such as
// "# Step 12: ..." or "# Steps 3, 4 and 5: ...".
func stepsIn(t *testing.T, glob string) map[int]bool {
	t.Helper()
	scripts, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	claim, number := regexp.MustCompile(`(?m)^# Steps? ([0-9, and]+)`), regexp.MustCompile(`[0-9]+`)
	found := map[int]bool{}
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range claim.FindAllSubmatch(text, -1) {
			for _, digits := range number.FindAll(match[1], -1) {
				step, _ := strconv.Atoi(string(digits))
				found[step] = true
			}
		}
	}
	return found
}
