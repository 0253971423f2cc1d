package lifecycle

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that must reach nobody but the one who asked for it. Printed,
// logged or encoded it is [redacted]; Reveal returns it. Only slices of them must
// not be logged: hclog looks past the type of the elements.
type Secret string

// Reveal returns the secret text, for the answer to the one who asked.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the text.
func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, and with it JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// AccessKey is a pair of long-term credentials.
type AccessKey struct {
	ID     string // AKIA…
	Secret Secret
}
