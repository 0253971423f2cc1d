//go:build soak

package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
)

// watchVitals writes what is alive in the process to the file $VITALS/<pid> at
// each SIGUSR1, after a garbage collection. Only make soak builds it.
func watchVitals() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			writeVitals(filepath.Join(os.Getenv("VITALS"), strconv.Itoa(os.Getpid())))
		}
	}()
}

func writeVitals(file string) {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1) // a Builder takes all
	text, err := json.Marshal(map[string]any{"heap": memory.HeapAlloc, "goroutines": runtime.NumGoroutine(), "stacks": stacks.String()})
	if err == nil && os.WriteFile(file+".new", text, 0o600) == nil {
		_ = os.Rename(file+".new", file) // the reader waits until it is there
	}
}
