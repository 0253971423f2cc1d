package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"vault-plugin-secrets-aws/internal/devstack"
)

// oldest is the oldest minor release of Vault 1 that registers plugins with a
// version.
const oldest = 12

// chooseVault finds the Vault server, says which it is, and builds one where
// there is none: VAULT_BIN, else a vault on PATH that is new enough, else our
// own build.
func chooseVault(ctx context.Context, out io.Writer, root string) (string, error) {
	path, why, err := vaultOf(ctx, out, root)
	if err != nil {
		return "", err
	}
	version, err := versionOf(ctx, path)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(out, "Vault: %s (%s, %s)\n\n", path, strings.TrimSpace(version), why)
	return path, nil
}

func vaultOf(ctx context.Context, out io.Writer, root string) (path, why string, err error) {
	if os.Getenv("VAULT_BIN") != "" {
		b, err := devstack.Find()
		return b.Vault, "VAULT_BIN", err
	}
	if path, err := exec.LookPath("vault"); err == nil {
		if version, err := versionOf(ctx, path); err == nil && newEnough(version) {
			return path, "found on PATH", nil
		}
		fmt.Fprintf(out, "%s is no Vault 1.%d or later; not used.\n", path, oldest)
	}
	path, err = build(ctx, root)
	return path, "built for tests and demo", err
}

// build builds a Vault server, or finds the one that was built before. It
// reports its progress itself.
func build(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "vault", "build"))
	cmd.Stderr = os.Stderr
	path, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build Vault: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
}

// versionOf is what a Vault binary says of itself, "Vault v1.21.1 (...)".
func versionOf(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return "", fmt.Errorf("%s version: %w", path, err)
	}
	version, _, _ := strings.Cut(strings.Split(string(out), " (")[0], ",")
	return strings.TrimSpace(version), nil
}

var versionPattern = regexp.MustCompile(`^Vault v(\d+)\.(\d+)\.`)

// newEnough reports whether a server of that version can run the plugin as we
// register it.
func newEnough(version string) bool {
	match := versionPattern.FindStringSubmatch(version)
	if match == nil {
		return false
	}
	major, _ := strconv.Atoi(match[1])
	minor, _ := strconv.Atoi(match[2])
	return major > 1 || major == 1 && minor >= oldest
}
