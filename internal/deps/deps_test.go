// Package deps holds the dependency rules of this repository: who may import
// whom. They are what keeps the lifecycle provable (it knows neither Vault nor
// the AWS SDK) and what proves the plugin out of the plugin. It also holds the
// tables of docs/compatibility.md to the tests that they name.
package deps

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the path of the module, which go list puts before every package.
const module = "vault-plugin-secrets-aws/"

// rules says what each package of the plugin may import besides the standard
// library; a path stands for all below it as well. Tests may import anything.
var rules = map[string][]string{
	"cmd/vault-plugin-secrets-aws": {
		"vault-plugin-secrets-aws/backend",
		"github.com/hashicorp/go-hclog",
		"github.com/hashicorp/go-plugin",
		"github.com/hashicorp/vault/sdk",
	},
	"backend": {
		"vault-plugin-secrets-aws/backend",
		"github.com/hashicorp",
	},
	"backend/awsclient": {
		"vault-plugin-secrets-aws/backend/lifecycle",
		"vault-plugin-secrets-aws/backend/awserr",
		"vault-plugin-secrets-aws/backend/governor",
		"vault-plugin-secrets-aws/backend/policy",
		"github.com/aws",
	},
	"backend/lifecycle": {
		"vault-plugin-secrets-aws/backend/awserr",
		"vault-plugin-secrets-aws/backend/governor",
		"github.com/hashicorp/go-hclog",
	},
	"backend/store": {
		"vault-plugin-secrets-aws/backend/policy",
		"github.com/hashicorp/vault/sdk/logical",
	},
	"backend/naming":   {"github.com/hashicorp/vault/sdk/helper/template"},
	"backend/policy":   {},
	"backend/awserr":   {},
	"backend/governor": {},
	"backend/metrics": {
		"github.com/prometheus/client_golang/prometheus",
		"github.com/prometheus/client_model/go",
		"github.com/prometheus/common/expfmt",
	},
}

func TestPluginImportsByTheRules(t *testing.T) {
	lines := mustList(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./backend/...", "./cmd/vault-plugin-secrets-aws")
	for _, line := range lines {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module)
		allowed, known := rules[pkg]
		if !known {
			t.Errorf("%s has no rule here: say what it may import", pkg)
		}
		for _, path := range fields[1:] {
			if !standard(path) && !within(allowed, path) {
				t.Errorf("%s imports %s", pkg, path)
			}
		}
	}
}

// TestPluginLinksNoTestCode looks at everything the plugin is linked from:
// neither what only proves it nor the Vault server belongs there.
func TestPluginLinksNoTestCode(t *testing.T) {
	unwanted := []string{module + "internal", "github.com/hashicorp/vault/command", "github.com/hashicorp/vault/vault"}
	for _, path := range mustList(t, "-deps", "./cmd/vault-plugin-secrets-aws") {
		if within(unwanted, path) {
			t.Errorf("the plugin links %s", path)
		}
	}
}

// TestSimulatorLinksNoPlugin: the simulator judges the plugin, so it shares
// no code with it.
func TestSimulatorLinksNoPlugin(t *testing.T) {
	for _, path := range mustList(t, "-deps", "./cmd/awssim") {
		if within([]string{module + "backend"}, path) {
			t.Errorf("the simulator links %s", path)
		}
	}
}

// mustList runs go list in the repository and returns its lines.
func mustList(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	cmd.Dir = "../.."
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errors.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// within reports whether path is one of the given ones or lies below one.
func within(paths []string, path string) bool {
	return slices.ContainsFunc(paths, func(p string) bool {
		return path == p || strings.HasPrefix(path, p+"/")
	})
}

// standard reports whether path is of the standard library, whose paths begin
// with an element without a dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && !strings.HasPrefix(path, module)
}
