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

// steps is what users do with the engine, by number.
var steps = map[int]string{
	1:  "register and mount the plugin",
	2:  "write the root configuration, with keys or without",
	3:  "write a role with an inline policy",
	4:  "write a role with a managed policy",
	5:  "write both in the form of today",
	6:  "read an IAM user's credential",
	8:  "renew, revoke, let expire",
	9:  "give the root credentials the least permissions",
	10: "read a federation token",
	11: "fail to read one for a managed policy",
	12: "fail to read one with temporary root credentials",
	13: "fail to read one without the permission",
	14: "assume an IAM role",
	15: "call IAM and STS as the assumed role",
	16: "fail to create an IAM user",
	17: "fail to revoke one, and repair it",
	18: "read the help",
	19: "use the HTTP API",
	20: "log in and read what a policy allows",
}

// TestEveryStepIsTested holds the scripts to the steps.
func TestEveryStepIsTested(t *testing.T) {
	tested := stepsIn(t, "testdata/script/*.txtar")
	for step, what := range steps {
		if !tested[step] {
			t.Errorf("no script says that it tests step %d: %s", step, what)
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
