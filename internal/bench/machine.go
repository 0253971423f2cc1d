package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// machine says when and on what a report was made. It names no machine.
func machine(r Report) string {
	return fmt.Sprintf("%s in %s on %s/%s: %d processors (%s), %s of memory, %s; load before the run: %s.",
		now().UTC().Format(time.DateOnly), r.Took.Round(time.Second), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		procField("/proc/cpuinfo", "model name"), gibibytes(procField("/proc/meminfo", "MemTotal")), runtime.Version(), r.Load)
}

// procField is a field of a file in /proc; "unknown" elsewhere.
func procField(file, field string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func gibibytes(text string) string {
	var kib float64
	if _, err := fmt.Sscanf(text, "%f kB", &kib); err != nil {
		return text
	}
	return fmt.Sprintf("%.0f GiB", kib/(1<<20))
}

// load is how many processes wanted to run in the last minute, on average.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(text), " ")
	return one
}
