package awscontract_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// missing skips a test whose tool is not there, visibly, or fails it if the
// variable demands the tool.
func missing(t *testing.T, demand, what string) {
	t.Helper()
	if os.Getenv(demand) == "1" {
		t.Fatalf("%s=1, but %s", demand, what)
	}
	t.Skipf("SKIP: %s", what)
}

// python is the real python3: the one on PATH may be a version manager's shim,
// which needs an environment of its own. "" if there is none.
func python(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// tool finds a Python program: beside python3 if it is there, else on PATH.
func tool(t *testing.T, name string) string {
	t.Helper()
	if interpreter := python(t); interpreter != "" {
		beside := filepath.Join(filepath.Dir(interpreter), name)
		if _, err := os.Stat(beside); err == nil {
			return beside
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// environment is all that a Python program gets: nothing of the test's own,
// whose AWS_* and certificate variables would lead it elsewhere.
func environment(t *testing.T, more ...string) []string {
	home := t.TempDir()
	out := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE=" + filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(home, "credentials"),
		"PYTHONIOENCODING=utf-8", "PYTHONDONTWRITEBYTECODE=1", "LC_ALL=C.UTF-8",
	}
	if shims := os.Getenv("PYENV_ROOT"); shims != "" {
		out = append(out, "PYENV_ROOT="+shims)
	}
	return append(out, more...)
}
