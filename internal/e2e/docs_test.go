package e2e

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
)

// What pages take for granted, as the commands that make it.
const (
	registered = "vault plugin register -version=$(cat VERSION) -command=vault-plugin-secrets-aws" +
		" -sha256=$(sha256sum bin/plugins/vault-plugin-secrets-aws | cut -d' ' -f1) secret aws"
	mounted    = "vault secrets enable aws"
	configured = "vault write aws/config/root access_key=$AWS_ACCESS_KEY_ID secret_key=$AWS_SECRET_ACCESS_KEY region=us-east-1"
	userRole   = "vault write aws/roles/reader credential_type=iam_user policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess"
	read       = "vault read aws/creds/reader"
)

// given is what the reader of a page has already.
var given = map[string][]string{
	"operations.md":    {registered, mounted, configured, userRole, read},
	"attribution.md":   {registered, mounted, configured, userRole},
	"aws-tools.md":     {registered},
	"observability.md": {registered, mounted},
	"migration.md":     {mounted, configured, userRole, read},

	"howto/cross-account.md":   {registered, mounted, configured, partner},
	"howto/ec2.md":             {registered},
	"howto/eks-irsa.md":        {registered},
	"howto/govcloud-china.md":  {registered},
	"howto/other-endpoints.md": {registered},
	"howto/sdks.md":            {registered, mounted, configured},
	"howto/vault-agent.md":     {registered, mounted, configured},
}

// partner makes another account, and the profile of its administrator.
const partner = `python3 - <<'END'
import json, os, urllib.request
request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/_sim/accounts", b'{"account":"210987654321"}')
keys = json.load(urllib.request.urlopen(request))
os.makedirs(os.path.expanduser("~/.aws"))
with open(os.path.expanduser("~/.aws/credentials"), "w") as f:
    print("[partner]\naws_access_key_id = " + keys["access_key"] + "\naws_secret_access_key = " + keys["secret_key"], file=f)
END`

// TestDocumentedCommands runs every command that README.md and docs/ show, page by
// page in their order, against the simulated AWS: those of Vault's, the helper's,
// AWS's and the shell's.
func TestDocumentedCommands(t *testing.T) {
	for _, p := range mustPages(t) {
		if len(p.commands) == 0 {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			needTools(t, p.commands)
			s := mustShell(t, mustStart(t))
			for _, command := range slices.Concat(given[p.name], p.commands) {
				s.run(t, command)
			}
		})
	}
}

// neededTools are what commands of pages call that a machine may lack.
var neededTools = []struct {
	called  *regexp.Regexp
	require string // the variable that makes a missing one a failure
	find    func(*testing.T) (path, missing string)
}{
	{regexp.MustCompile(`(?m)(^ *|\$\()aws (iam|sts) `), "REQUIRE_AWSCLI", findAWSCLI},
	{regexp.MustCompile(`(?m)^import boto3$`), "REQUIRE_BOTO3", findBoto3},
}

// needTools skips a page whose commands need a tool that is missing.
func needTools(t *testing.T, commands []string) {
	t.Helper()
	for _, tool := range neededTools {
		if !slices.ContainsFunc(commands, tool.called.MatchString) {
			continue
		}
		if _, missing := tool.find(t); missing != "" {
			if os.Getenv(tool.require) == "1" {
				t.Fatalf("%s=1, but %s", tool.require, missing)
			}
			t.Skip("SKIP the page: ", missing)
		}
	}
}

// TestCommandsNotRun counts the blocks that are fenced "console norun: REASON",
// and has the test report print them.
func TestCommandsNotRun(t *testing.T) {
	var said []string
	for _, p := range mustPages(t) {
		for _, block := range p.norun {
			if block.reason == "" {
				t.Errorf("%s: a block is not run and does not say why:\n%s", p.name, block.text)
			}
			said = append(said, p.name+": "+block.reason)
		}
	}
	t.Logf("NOTE %d blocks of the docs are not run: %s", len(said), strings.Join(said, "; "))
}

func mustStart(t *testing.T) *devstack.Stack {
	t.Helper()
	return mustStartSpec(t, devstack.Spec{})
}

// mustStartSpec starts a stack, of what was built unless it says otherwise.
func mustStartSpec(t *testing.T, spec devstack.Spec) *devstack.Stack {
	t.Helper()
	if spec.Binaries == (devstack.Binaries{}) {
		var err error
		if spec.Binaries, err = devstack.Find(); err != nil {
			t.Fatal(err)
		}
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
