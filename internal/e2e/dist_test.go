package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/devstack"
)

// TestDist builds the release of this platform in two folders, and installs one
// of them in a real Vault.
func TestDist(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Fatal("releases are signed by ssh-keygen (Debian package openssh-client): ", err)
	}
	key := filepath.Join(t.TempDir(), "release.key")
	mustRun(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "releases", "-f", key))
	first, second := mustDist(t, key), mustDist(t, key)

	t.Run("two builds are byte-equal", func(t *testing.T) {
		if diff := cmp.Diff(sumsOf(t, first), sumsOf(t, second)); diff != "" {
			t.Errorf("checksums by file (-first +second):\n%s", diff)
		}
	})
	t.Run("SHA256SUMS", func(t *testing.T) { checkSums(t, first) })
	t.Run("SBOM", func(t *testing.T) { checkBills(t, first) })
	t.Run("install.sh", func(t *testing.T) { checkInstall(t, first, key) })
}

// mustDist runs scripts/dist for this platform in a copy of the sources that is
// in a folder of its own.
func mustDist(t *testing.T, key string) string {
	t.Helper()
	sources, dist := t.TempDir(), filepath.Join(t.TempDir(), "dist")
	mustCopySources(t, sources)
	cmd := exec.Command(filepath.Join(sources, "scripts/dist"), dist, runtime.GOOS+"/"+runtime.GOARCH)
	cmd.Env = append(os.Environ(), "DIST_KEY="+key)
	out := mustRun(t, cmd)
	if want := `(?m)^dist: 7 files, 2 binaries, version v\S+, commit unknown, \d+ MiB, signed by SHA256:\S+$`; !regexp.MustCompile(want).MatchString(out) {
		t.Errorf("scripts/dist closes without %s:\n%s", want, out)
	}
	return dist
}

// mustCopySources copies what git knows of, and what it would.
func mustCopySources(t *testing.T, to string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	files, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.Trim(string(files), "\x00"), "\x00") {
		mustCopy(t, filepath.Join("../..", name), filepath.Join(to, name))
	}
}

func mustCopy(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if os.IsNotExist(err) {
		return // deleted and not yet committed
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, info.Mode()); err != nil {
		t.Fatal(err)
	}
}

// sumsOf is the SHA-256 of each file of a folder, by its name.
func sumsOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		sums[entry.Name()] = hex.EncodeToString(sum[:])
	}
	return sums
}

// checkSums compares SHA256SUMS with every other file but its signature.
func checkSums(t *testing.T, dist string) {
	text, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		said[name] = sum
	}
	want := sumsOf(t, dist)
	maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "SHA256SUMS") })
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("checksums by file (-files +SHA256SUMS):\n%s", diff)
	}
}

// A bill is what the test reads of an SBOM.
type bill struct {
	Format   string `json:"bomFormat"`
	Spec     string `json:"specVersion"`
	Serial   string `json:"serialNumber"`
	Metadata struct {
		Timestamp string
		Component struct{ Name, Version string }
	}
	Components []struct{ Name, Purl string }
}

// checkBills looks for the module that each binary cannot be without, and for
// what would make two SBOMs of one binary differ.
func checkBills(t *testing.T, dist string) {
	for program, module := range map[string]string{
		devstack.PluginName:     "github.com/aws/aws-sdk-go-v2/service/iam",
		"vault-aws-credentials": "github.com/hashicorp/vault/api",
	} {
		paths, err := filepath.Glob(filepath.Join(dist, program+"_*.cdx.json"))
		if err != nil || len(paths) != 1 {
			t.Fatalf("SBOMs of %s: %v, %v", program, paths, err)
		}
		text, err := os.ReadFile(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		var b bill
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatal(err)
		}
		if b.Format != "CycloneDX" || b.Spec != "1.6" || b.Serial != "" || b.Metadata.Timestamp != "" {
			t.Errorf("%s: format %q %q, serial number %q, time %q", program, b.Format, b.Spec, b.Serial, b.Metadata.Timestamp)
		}
		if name := b.Metadata.Component.Name + ".cdx.json"; name != filepath.Base(paths[0]) || !strings.HasPrefix(b.Metadata.Component.Version, "v") {
			t.Errorf("%s describes %+v", paths[0], b.Metadata.Component)
		}
		for _, name := range []string{"std", module} {
			if !slices.ContainsFunc(b.Components, func(c struct{ Name, Purl string }) bool {
				return c.Name == name && strings.HasPrefix(c.Purl, "pkg:golang/"+name+"@")
			}) {
				t.Errorf("%s: no %s among its %d components", program, name, len(b.Components))
			}
		}
	}
}

// checkInstall runs install.sh as an operator does who has a mount of the
// built-in engine, and moves that mount by what it prints.
func checkInstall(t *testing.T, dist, key string) {
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	binaries.PluginDir = t.TempDir()
	stack := mustStartSpec(t, devstack.Spec{Binaries: binaries})
	signers := mustSigners(t, "releases@example.com", key+".pub")
	stranger := filepath.Join(t.TempDir(), "stranger")
	mustRun(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", stranger))
	tampered := mustTamper(t, dist)

	refused(t, stack, "is not what SHA256SUMS says", filepath.Join(tampered, "install.sh"), binaries.PluginDir)
	refused(t, stack, "is by nobody in", filepath.Join(dist, "install.sh"), "-s", mustSigners(t, "x", stranger+".pub"), binaries.PluginDir)
	refused(t, stack, "usage: install.sh", filepath.Join(dist, "install.sh"))
	if left := sumsOf(t, binaries.PluginDir); len(left) != 0 {
		t.Errorf("refused, and installed %v", left)
	}

	installed := regexp.MustCompile(`^signed     by releases@example\.com\nverified   \S+\ninstalled  \S+/vault-plugin-secrets-aws_v[\d.]+\n`)
	copied := mustRun(t, installer(stack, dist, "-c", "-s", signers, binaries.PluginDir))
	if !installed.MatchString(copied) || strings.Contains(copied, "registered") {
		t.Errorf("install.sh -c printed\n%s", copied)
	}
	registered := mustRun(t, installer(stack, dist, binaries.PluginDir))
	if !strings.Contains(registered, "\nNo mount of type aws yet: vault secrets enable aws\n") {
		t.Errorf("install.sh without a mount printed\n%s", registered)
	}
	version := mustFindIn(t, registered, `(?m)^registered aws (v\S+)$`)
	checkMove(t, stack, dist, version)
}

// checkMove has install.sh tell how to move a built-in mount, and does so.
func checkMove(t *testing.T, stack *devstack.Stack, dist, version string) {
	mustRun(t, stack.Command(t.Context(), "plugin", "deregister", "-version="+version, "secret", "aws"))
	mustRun(t, stack.Command(t.Context(), "secrets", "enable", "aws"))
	mustRun(t, stack.Command(t.Context(), "secrets", "enable", "-path=team/aws", "aws"))
	out := mustRun(t, installer(stack, dist, stack.Binaries.PluginDir, "-args=-ambient-credentials=off"))
	for _, want := range []string{`(?m)^  aws/ v\S+\+builtin\.vault$`, `(?m)^  team/aws/ v\S+\+builtin\.vault$`} {
		mustFindIn(t, out, "("+want+")")
	}
	operator := mustShell(t, stack)
	for _, command := range regexp.MustCompile(`(?m)^  (vault .*)$`).FindAllStringSubmatch(out, -1) {
		operator.run(t, command[1])
	}
	again := mustRun(t, installer(stack, dist, stack.Binaries.PluginDir))
	if !strings.Contains(again, "\n  aws/ "+version+"\n") || !strings.Contains(again, "+builtin.vault\n") {
		t.Errorf("after the move install.sh printed\n%s", again)
	}
}

// installer is install.sh as somebody runs it who has the vault command and a token.
func installer(stack *devstack.Stack, dist string, args ...string) *exec.Cmd {
	cmd := exec.Command("sh", append([]string{filepath.Join(dist, "install.sh")}, args...)...)
	cmd.Env = append(stack.ClientEnv(), "PATH="+filepath.Dir(stack.Binaries.Vault)+string(os.PathListSeparator)+os.Getenv("PATH"))
	return cmd
}

// refused runs install.sh, which has to refuse in these words.
func refused(t *testing.T, stack *devstack.Stack, why, script string, args ...string) {
	t.Helper()
	out, err := installer(stack, filepath.Dir(script), args...).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte(why)) {
		t.Errorf("install.sh %v: %v, not %q:\n%s", args, err, why, out)
	}
}

// mustTamper copies a release and adds a byte to its plugin.
func mustTamper(t *testing.T, dist string) string {
	t.Helper()
	tampered := t.TempDir()
	for name := range sumsOf(t, dist) {
		mustCopy(t, filepath.Join(dist, name), filepath.Join(tampered, name))
	}
	plugins, err := filepath.Glob(filepath.Join(tampered, devstack.PluginName+"_*_"+runtime.GOARCH))
	if err != nil || len(plugins) != 1 {
		t.Fatalf("plugins: %v, %v", plugins, err)
	}
	text, err := os.ReadFile(plugins[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plugins[0], append(text, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	return tampered
}

// mustSigners writes the allowed_signers of ssh-keygen with one public key.
func mustSigners(t *testing.T, name, public string) string {
	t.Helper()
	text, err := os.ReadFile(public)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "allowed_signers")
	if err := os.WriteFile(path, append([]byte(name+" "), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustRun runs a command and returns all that it printed.
func mustRun(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	return string(out)
}

// mustFindIn returns what the parentheses of a pattern hold in a text.
func mustFindIn(t *testing.T, text, pattern string) string {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("no %s in\n%s", pattern, text)
	}
	return match[1]
}
