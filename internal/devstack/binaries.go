package devstack

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// PluginName is the file name of the plugin, which is the command that Vault
// registers.
const PluginName = "vault-plugin-secrets-aws"

// Binaries are the programs of a stack, by absolute path.
type Binaries struct {
	Root      string // of the repository
	Awssim    string
	Helper    string // vault-aws-credentials
	PluginDir string // Vault's plugin_directory: holds plugins and nothing else
	Vault     string
}

// Find looks up what make build and make vault have built, in the repository
// that holds the working directory. VAULT_BIN overrides the Vault server.
func Find() (Binaries, error) {
	b, err := FindBuilt()
	if err != nil {
		return b, err
	}
	b.Vault, err = findVault(b.Root)
	return b, err
}

// FindBuilt is Find without the Vault server.
func FindBuilt() (Binaries, error) {
	root, err := repository()
	if err != nil {
		return Binaries{}, err
	}
	b := Binaries{
		Root:      root,
		Awssim:    filepath.Join(root, "bin", "awssim"),
		Helper:    filepath.Join(root, "bin", "vault-aws-credentials"),
		PluginDir: filepath.Join(root, "bin", "plugins"),
	}
	for _, path := range []string{b.Awssim, b.Helper, filepath.Join(b.PluginDir, PluginName)} {
		if _, err := os.Stat(path); err != nil {
			return b, fmt.Errorf("%w (run `make build`)", err)
		}
	}
	return b, nil
}

// findVault returns VAULT_BIN, else bin/vault.
func findVault(root string) (string, error) {
	name := os.Getenv("VAULT_BIN")
	if name == "" {
		name = filepath.Join(root, "bin", "vault")
	} else if strings.Contains(name, "/") && !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("no Vault server: %w (run `make vault`, or set VAULT_BIN)", err)
	}
	return path, nil
}

// repository is the folder of the go.mod above the working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not in the repository: no go.mod here or above")
		}
		dir = parent
	}
}

// PluginVersion is the version that the plugin reports to Vault.
func (b Binaries) PluginVersion() (string, error) {
	text, err := os.ReadFile(filepath.Join(b.Root, "VERSION"))
	return strings.TrimSpace(string(text)), err
}

// PluginSHA256 is the checksum under which the plugin is registered.
func (b Binaries) PluginSHA256() (string, error) {
	program, err := os.ReadFile(filepath.Join(b.PluginDir, PluginName))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(program)
	return hex.EncodeToString(sum[:]), nil
}

// RegisterArgs are the arguments of the vault command that registers the plugin
// under a name, as docs tell users to: with a version.
func (b Binaries) RegisterArgs(name string) ([]string, error) {
	version, err := b.PluginVersion()
	if err != nil {
		return nil, err
	}
	sum, err := b.PluginSHA256()
	if err != nil {
		return nil, err
	}
	return []string{
		"plugin", "register", "-version=" + version, "-sha256=" + sum,
		"-command=" + PluginName, "secret", name,
	}, nil
}
