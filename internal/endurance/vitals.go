package endurance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// vitals is what is alive in the plugin's process after a garbage collection.
type vitals struct {
	Heap       int64 `json:"heap"` // bytes
	Goroutines int64 `json:"goroutines"`

	Stacks string `json:"stacks"` // of the goroutines
}

func (v vitals) String() string {
	return fmt.Sprintf("%.1f MiB, %d goroutines", float64(v.Heap)/(1<<20), v.Goroutines)
}

// steady reports whether both differ by less than a tenth.
func (v vitals) steady(later vitals) bool {
	near := func(a, b int64) bool { return max(a-b, b-a)*10 < a }
	return near(v.Heap, later.Heap) && near(v.Goroutines, later.Goroutines)
}

// buildWithVitals builds the plugin with what reports vitals into dir, which
// becomes the plugin directory.
func buildWithVitals(ctx context.Context, b devstack.Binaries, dir string) (devstack.Binaries, error) {
	version, err := b.PluginVersion()
	if err != nil {
		return b, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "soak", "-ldflags", "-X main.version="+version,
		"-o", filepath.Join(dir, devstack.PluginName), "./cmd/vault-plugin-secrets-aws")
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return b, fmt.Errorf("build the plugin: %w\n%s", err, out)
	}
	b.PluginDir = dir
	return b, nil
}

// idleFor, in seconds, is longer than the worker rests between two passes and any
// connection of the plugin stays idle.
const idleFor = 90

// takeVitals waits until the plugin is at rest: no goroutine has ended for a
// while. Nobody may be calling it.
func takeVitals(ctx context.Context, server int, folder string) (least vitals, err error) {
	for calm := 0; calm < idleFor; calm++ {
		v, err := askVitals(ctx, server, folder)
		if err != nil {
			return v, err
		}
		if least.Goroutines == 0 || v.Goroutines < least.Goroutines {
			calm = 0
			least = v
		}
		if v.Goroutines == least.Goroutines {
			least.Heap = min(least.Heap, v.Heap)
		}
		if err := pause(ctx, time.Second); err != nil {
			return v, err
		}
	}
	return least, nil
}

// askVitals has the one plugin process of a server write its vitals.
func askVitals(ctx context.Context, server int, folder string) (v vitals, err error) {
	pids, err := devstack.Children(server)
	if err != nil || len(pids) != 1 {
		return v, fmt.Errorf("plugin processes %v: %w", pids, errors.Join(err, errNotOne))
	}
	file := filepath.Join(folder, strconv.Itoa(pids[0]))
	if err := os.RemoveAll(file); err != nil {
		return v, err
	}
	if err := syscall.Kill(pids[0], syscall.SIGUSR1); err != nil {
		return v, err
	}
	return v, await(ctx, func() error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &v)
	})
}

var errNotOne = errors.New("one was expected")
