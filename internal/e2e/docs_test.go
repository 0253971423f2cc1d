package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
)

// consoleBlock holds commands to type; other blocks show output.
var consoleBlock = regexp.MustCompile("(?ms)^ *```console$.*?^ *```$")

// shownCommand is a command of Vault's or of the helper's in such a block.
var shownCommand = regexp.MustCompile(`(?m)^ *\$ ((?:eval "\$\()?vault(?:-aws-credentials)? (?:[^\n\\]|\\\n)*)$`)

// given is what the reader of a page has already: the commands that make it.
var given = map[string][]string{
	"operations.md": {
		"vault plugin register -version=v0.1.0 -command=vault-plugin-secrets-aws -sha256=$(sha256sum bin/vault-plugin-secrets-aws | cut -d' ' -f1) secret aws",
		"vault secrets enable aws",
		"vault write aws/config/root access_key=$AWS_ACCESS_KEY_ID secret_key=$AWS_SECRET_ACCESS_KEY region=us-east-1",
		"vault write aws/roles/reader credential_type=iam_user policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess",
		"vault read aws/creds/reader",
	},
	"diagnose.md":    mountWithReader,
	"permissions.md": mountWithReader,
	"aws-tools.md": {
		"vault plugin register -version=$(cat VERSION) -command=vault-plugin-secrets-aws" +
			" -sha256=$(sha256sum bin/plugins/vault-plugin-secrets-aws | cut -d' ' -f1) secret aws",
	},
	"migration.md": {
		"vault secrets enable aws",
		"vault write aws/config/root access_key=$AWS_ACCESS_KEY_ID secret_key=$AWS_SECRET_ACCESS_KEY region=us-east-1",
		"vault write aws/roles/reader credential_type=iam_user policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess",
		"vault read aws/creds/reader",
	},
}

// mountWithReader is a mount with one role.
var mountWithReader = []string{
	"vault plugin register -version=v0.1.0 -command=vault-plugin-secrets-aws -sha256=$(sha256sum bin/vault-plugin-secrets-aws | cut -d' ' -f1) secret aws",
	"vault secrets enable aws",
	"vault write aws/config/root access_key=$AWS_ACCESS_KEY_ID secret_key=$AWS_SECRET_ACCESS_KEY region=us-east-1",
	"vault write aws/roles/reader credential_type=iam_user policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess",
}

// TestDocumentedCommands runs every command of Vault's and the helper's that README.md and docs/ show,
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
		t.Run(filepath.Base(page), func(t *testing.T) { runShown(t, given[filepath.Base(page)], commands) })
	}
}

func runShown(t *testing.T, given []string, shown [][]string) {
	if len(shown) == 0 {
		t.Fatal("the page shows no vault command")
	}
	commands := slices.Clone(given)
	for _, match := range shown {
		commands = append(commands, match[1])
	}
	stack := mustStart(t)
	for _, command := range commands {
		mustShell(t, stack, command)
		if path, ok := strings.CutPrefix(command, "vault secrets enable "); ok {
			// Only the simulator is reached; the page's own writes keep this.
			mustShell(t, stack, "vault write "+path+"/config/root iam_endpoint="+stack.Sim.Endpoint+" sts_endpoint="+stack.Sim.Endpoint)
		}
	}
}

func mustStart(t *testing.T) *devstack.Stack {
	t.Helper()
	return mustStartSpec(t, devstack.Spec{})
}

// mustStartSpec starts a stack of what was built.
func mustStartSpec(t *testing.T, spec devstack.Spec) *devstack.Stack {
	t.Helper()
	var err error
	if spec.Binaries, err = devstack.Find(); err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(t.Context(), spec)
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
		"PATH="+strings.Join([]string{filepath.Dir(stack.Binaries.Vault), filepath.Dir(stack.Binaries.Helper), os.Getenv("PATH")}, string(os.PathListSeparator)),
		"AWS_ACCESS_KEY_ID="+stack.Sim.AccessKey, "AWS_SECRET_ACCESS_KEY="+stack.Sim.SecretKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("$ %s\n%v\n%s", command, err, out)
	}
}
