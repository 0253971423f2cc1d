package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// logs keeps log lines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// line is one log line.
type line struct {
	Level   string `json:"@level"`
	Message string `json:"@message"`
	User    string `json:"user"`
	Error   string `json:"error"`
}

func (l *logs) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: l, JSONFormat: true, Level: hclog.Trace})
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines returns the lines at a level.
func (l *logs) lines(t *testing.T, level string) []line {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []line{}
	for text := range strings.Lines(l.text.String()) {
		var one line
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if one.Level == level {
			out = append(out, one)
		}
	}
	return out
}
