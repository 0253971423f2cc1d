package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
)

// consoleBlock holds commands to type; other blocks show output.
var consoleBlock = regexp.MustCompile("(?ms)^ *```console$.*?^ *```$")

// shownCommand is a vault command in such a block.
var shownCommand = regexp.MustCompile(`(?m)^ *\$ (vault (?:[^\n\\]|\\\n)*)$`)

// TestDocumentedCommands runs every vault command that README.md and docs/ show,
// page by page in their order, against the simulated AWS.
func TestDocumentedCommands(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Join(consoleBlock.FindAllString(string(text), -1), "\n")
		commands := shownCommand.FindAllStringSubmatch(blocks, -1)
		if len(commands) == 0 && filepath.Base(page) != "README.md" {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) { runShown(t, commands) })
	}
}

func runShown(t *testing.T, commands [][]string) {
	if len(commands) == 0 {
		t.Fatal("the page shows no vault command")
	}
	stack := mustStart(t)
	for _, command := range commands {
		mustShell(t, stack, command[1])
		if path, ok := strings.CutPrefix(command[1], "vault secrets enable "); ok {
			// Only the simulator is reached; the page's own writes keep this.
			mustShell(t, stack, "vault write "+path+"/config/root iam_endpoint="+stack.Sim.Endpoint+" sts_endpoint="+stack.Sim.Endpoint)
		}
	}
}

func mustStart(t *testing.T) *devstack.Stack {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(t.Context(), devstack.Spec{Binaries: binaries})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return stack
}

// mustShell runs a command as a reader would, at the top of the repository.
func mustShell(t *testing.T, stack *devstack.Stack, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir = "../.."
	cmd.Env = append(stack.ClientEnv(),
		"PATH="+filepath.Dir(stack.Binaries.Vault)+string(os.PathListSeparator)+os.Getenv("PATH"),
		"AWS_ACCESS_KEY_ID="+stack.Sim.AccessKey, "AWS_SECRET_ACCESS_KEY="+stack.Sim.SecretKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("$ %s\n%v\n%s", command, err, out)
	}
}
