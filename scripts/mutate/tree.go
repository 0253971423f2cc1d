package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// tree is a copy of this repository's Go code that mutations may spoil.
type tree struct{ root string }

// copied is what the tests of the mutated packages need.
var copied = []string{"go.mod", "go.sum", "backend", "cmd", "docs", "internal"}

// copyTree copies the tree that the working directory is the root of.
func copyTree(ctx context.Context) (tree, error) {
	root, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return tree{}, err
	}
	t := tree{root}
	for _, name := range copied {
		if err := t.copy(ctx, name); err != nil {
			t.remove()
			return tree{}, fmt.Errorf("copy the tree (run this from its root): %w", err)
		}
	}
	return t, nil
}

func (t tree) remove() { _ = os.RemoveAll(t.root) } // in the system's temporary folder: no harm if it stays

// copy copies a file or a folder.
func (t tree) copy(ctx context.Context, name string) error {
	return filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(t.root, path), 0o700)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(t.root, filepath.Dir(path)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(t.root, path), text, 0o600)
	})
}

// try runs the test that is to notice a mutation.
func (t tree) try(ctx context.Context, m mutation) verdict {
	start := time.Now()
	result, by, err := t.spoilt(m, func() (outcome, string) {
		return judge(t.test(ctx, m.dir(), m.run))
	})
	if err != nil {
		result, by = broken, err.Error()
	}
	return verdict{mutation: m, outcome: result, by: by, took: time.Since(start)}
}

// spoilt does something while a file is spoilt, and puts it back.
func (t tree) spoilt(m mutation, do func() (outcome, string)) (outcome, string, error) {
	path := filepath.Join(t.root, m.file)
	original, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	text, err := m.apply(string(original))
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", "", err
	}
	result, by := do()
	return result, by, os.WriteFile(path, original, 0o600)
}

// test runs tests of one package, in its own module. The race detector would
// cost more than it adds here.
func (t tree) test(ctx context.Context, dir, run string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-timeout=60s", "-run="+run, ".")
	cmd.Dir = filepath.Join(t.root, dir)
	return cmd.CombinedOutput()
}

var (
	failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	crash      = regexp.MustCompile(`(?m)^(panic|fatal error): .*`)
)

// judge reads what go test said of a mutated package.
func judge(output []byte, err error) (outcome, string) {
	switch {
	case bytes.Contains(output, []byte("no tests to run")):
		return broken, "there is no such test"
	case err == nil:
		return survives, "its test passes"
	case bytes.Contains(output, []byte("[build failed]")), bytes.Contains(output, []byte("[setup failed]")):
		return broken, "does not compile: " + firstProblem(output)
	}
	if names := failedTest.FindAllSubmatch(output, -1); names != nil {
		return caught, string(longest(names))
	}
	if line := crash.Find(output); line != nil {
		return caught, string(line)
	}
	return broken, err.Error()
}

// longest is the first leaf: a subtest's line follows that of its parent.
func longest(names [][][]byte) []byte {
	name := names[0][1]
	for _, next := range names[1:] {
		if !bytes.HasPrefix(next[1], append(bytes.Clone(name), '/')) {
			break
		}
		name = next[1]
	}
	return name
}

// firstProblem is the compiler's first complaint.
func firstProblem(output []byte) string {
	for line := range strings.Lines(string(output)) {
		if !strings.HasPrefix(line, "#") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// mustPass runs the tests of all mutations on the code as it is: a test that
// fails anyway notices nothing.
func (t tree) mustPass(ctx context.Context, all []mutation) error {
	runs := map[string][]string{}
	for _, m := range all {
		if !slices.Contains(runs[m.dir()], m.run) {
			runs[m.dir()] = append(runs[m.dir()], m.run)
		}
	}
	for dir, patterns := range runs {
		if output, err := t.test(ctx, dir, strings.Join(patterns, "|")); err != nil {
			return fmt.Errorf("the tests of %s fail without any mutation:\n%s", dir, output)
		}
	}
	return nil
}
