package e2e

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// demoTime is how long the demo may take to get everything shown.
const demoTime = 2 * time.Minute

// TestDemo runs the demo as make demo ONESHOT=1 does.
func TestDemo(t *testing.T) {
	d := newDemo(t)
	out, err := d.command(t.Context(), "-oneshot").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		`simulated\. Nothing leaves this machine`,
		`\$ vault plugin register -version=v\S+ -sha256=[0-9a-f]{64} -command=vault-plugin-secrets-aws secret aws`,
		`\$ vault read aws/creds/reader\nKey +Value\n(?s:.*)access_key +AKIA`,
		`IAM users in the simulated account: vault-\S*-reader-\S+\n`,
		`\$ vault read aws/sts/build ttl=15m\nKey +Value\n(?s:.*)access_key +ASIA`,
		`\$ vault read aws/sts/deploy ttl=15m\nKey +Value\n(?s:.*)arn +arn:aws:sts::\d+:assumed-role/Deployer/`,
		`\$ vault lease revoke (?s:.*)IAM users in the simulated account: none\n`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("the demo shows no %s:\n%s", want, out)
		}
	}
	d.checkNothingLeft(t)
}

// TestDemoStaysUntilInterrupted runs the demo as make demo does, and ends it
// as Ctrl-C does.
func TestDemoStaysUntilInterrupted(t *testing.T) {
	d := newDemo(t)
	ctx, cancel := context.WithTimeout(t.Context(), demoTime)
	defer cancel()
	cmd := d.command(ctx)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	addr := mustFind(t, out, `^  export VAULT_ADDR=(\S+)`)
	mustFind(t, out, `^  export VAULT_TOKEN=(\S+)`)
	mustAnswer(t, addr)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted: %v\n%s", err, rest)
	}
	d.checkNothingLeft(t)
}

// A demo is the built demo with a temporary folder of its own, by which its
// processes are known.
type demo struct {
	program string
	env     []string
	tmp     string
}

// newDemo builds the demo.
func newDemo(t *testing.T) demo {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	tmp, err := os.MkdirTemp("", "demo-") // short, for the sake of sockets below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(tmp) })
	program := filepath.Join(t.TempDir(), "demo")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "../demo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make does, whose build cache this shares
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + tmp, "TMPDIR=" + tmp, "VAULT_BIN=" + binaries.Vault}
	return demo{program: program, env: env, tmp: tmp}
}

// command runs the demo; its end is an interrupt, as a user's.
func (d demo) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.program, args...)
	cmd.Env = d.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// checkNothingLeft looks for files of the demo and for processes, which all
// have its temporary folder in their environment.
func (d demo) checkNothingLeft(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir(d.tmp)
	if err != nil || len(files) > 0 {
		t.Errorf("files left: %v, %v", files, err)
	}
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environments {
		text, err := os.ReadFile(path)
		if err == nil && bytes.Contains(text, []byte(d.tmp)) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			t.Errorf("process left: %s", strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
}

// mustFind reads lines until one matches and returns what its parentheses hold.
func mustFind(t *testing.T, in *bufio.Reader, pattern string) string {
	t.Helper()
	var seen strings.Builder
	for {
		line, err := in.ReadString('\n')
		seen.WriteString(line)
		if match := regexp.MustCompile(pattern).FindStringSubmatch(line); match != nil {
			return match[1]
		}
		if err != nil {
			t.Fatalf("no line %s: %v\n%s", pattern, err, seen.String())
		}
	}
}

// mustAnswer asks the Vault server at addr how it is.
func mustAnswer(t *testing.T, addr string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, addr+"/v1/sys/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("health: %s", resp.Status)
	}
}
