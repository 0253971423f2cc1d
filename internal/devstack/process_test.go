package devstack

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStopEndsTheWholeGroup starts a process that leaves a child behind, as a
// Vault server that dies leaves its plugins.
func TestStopEndsTheWholeGroup(t *testing.T) {
	for name, script := range map[string]string{
		"the parent ends first": `sleep 1000 & echo up; exit`,
		"the parent stays":      `sleep 1000 & echo up; wait`,
	} {
		t.Run(name, func(t *testing.T) {
			out, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			cmd := exec.Command("sh", "-c", script)
			cmd.Stdout = in
			p, err := startProcess(cmd, filepath.Join(t.TempDir(), "log"))
			in.Close()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := out.Read(make([]byte, 3)); err != nil { // the child is there
				t.Fatal(err)
			}
			p.stop()
			p.stop() // may be called more than once
			// The pipe ends when the last process that holds it has ended.
			if err := out.SetReadDeadline(time.Now().Add(stopGrace)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, out); err != nil {
				t.Errorf("a process is still there: %v", err)
			}
		})
	}
}

func TestSimThatDoesNotComeUp(t *testing.T) {
	s := &Stack{dir: t.TempDir(), Binaries: Binaries{Awssim: mustLook(t, "false")}}
	err := s.startSim(t.Context())
	if err == nil || !strings.Contains(err.Error(), "it ended without a word") {
		t.Errorf("startSim() = %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestVaultThatDoesNotComeUp(t *testing.T) {
	s := &Stack{dir: t.TempDir(), Binaries: Binaries{Vault: mustLook(t, "false")}}
	if err := s.startVault(t.Context(), nil); err == nil {
		t.Error("no error")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestStartWithoutBinaries(t *testing.T) {
	_, err := Start(t.Context(), Spec{Binaries: Binaries{Awssim: "no/such/awssim"}})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start() = %v", err)
	}
}

// mustLook finds a program on PATH.
func mustLook(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
