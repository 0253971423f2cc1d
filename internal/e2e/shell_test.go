package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// commandTime is how long a command of a page may take before it hangs.
const commandTime = 2 * time.Minute

// A shell is what the reader of a page types commands into, at the top of the
// repository. Its vault, helper and aws commands reach the stack and nothing else.
type shell struct {
	stack *devstack.Stack
	state string // a script that brings back variables and folder
	path  string
}

// mustShell starts the shell. Its AWS keys are the simulated administrator's.
func mustShell(t *testing.T, stack *devstack.Stack) *shell {
	t.Helper()
	s := &shell{stack: stack, state: filepath.Join(t.TempDir(), "state")}
	folders := []string{filepath.Dir(stack.Binaries.Vault), filepath.Dir(stack.Binaries.Helper)}
	if aws, missing := findAWSCLI(t); missing == "" {
		folders = append(folders, filepath.Dir(aws)) // python3 with boto3 is there too
	}
	s.path = strings.Join(append(folders, os.Getenv("PATH")), string(os.PathListSeparator))
	if err := os.WriteFile(s.state, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// env is what the shell begins with.
func (s *shell) env() []string {
	return append(s.stack.ClientEnv(), "PATH="+s.path, "STATE="+s.state, "LC_ALL=C.UTF-8", "AWS_PAGER=",
		"AWS_ENDPOINT_URL="+s.stack.Sim.Endpoint, "AWS_REGION="+s.stack.Sim.Region, "AWS_DEFAULT_REGION="+s.stack.Sim.Region,
		"AWS_ACCESS_KEY_ID="+s.stack.Sim.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.stack.Sim.SecretKey)
}

// run types one command. What it exports, unsets and where it goes holds for the next.
func (s *shell) run(t *testing.T, command string) {
	t.Helper()
	script := ". \"$STATE\"\n" + command + "\nstatus=$?\n{ export -p; printf \"cd '%s'\\n\" \"$PWD\"; } >\"$STATE\"\nexit $status\n"
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.WaitDelay = time.Second // for what it has started
	cmd.Dir = s.stack.Binaries.Root
	if began, err := os.ReadFile(s.state); err != nil || len(bytes.TrimSpace(began)) == 0 {
		cmd.Env = s.env()
	} else {
		cmd.Env = []string{"PATH=" + s.path, "STATE=" + s.state}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("$ %s\n%v\n%s", command, err, out)
	}
	if path, ok := enabled(command); ok {
		// Only the simulator is reached; the page's own writes keep this.
		s.run(t, fmt.Sprintf("vault write %s/config/root iam_endpoint=%[2]s sts_endpoint=%[2]s", path, s.stack.Sim.Endpoint))
	}
}

// enabled is the path that a command has mounted the engine at.
func enabled(command string) (string, bool) {
	args, ok := strings.CutPrefix(command, "vault secrets enable ")
	if !ok {
		return "", false
	}
	for arg := range strings.FieldsSeq(args) {
		if path, ok := strings.CutPrefix(arg, "-path="); ok {
			return path, true
		}
	}
	return "aws", true
}
