package lifecycle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/go-hclog"
)

// TestSecretNeverPrints: neither a secret nor what holds one shows the text,
// however it is printed, logged or encoded.
func TestSecretNeverPrints(t *testing.T) {
	const text = "wJalrXUtnFEMI"
	key := lifecycle.AccessKey{ID: "AKIA1", Secret: text}
	values := map[string]any{
		"a secret":               key.Secret,
		"a pointer to one":       &key.Secret,
		"secrets by name":        map[string]lifecycle.Secret{"a": text},
		"a key":                  key,
		"a pointer to a key":     &key,
		"an issued user":         lifecycle.IssuedUser{Key: key},
		"a session":              lifecycle.Session{SecretKey: text, SessionToken: text},
		"a pointer to a session": &lifecycle.Session{SecretKey: text, SessionToken: text},
	}
	for name, value := range values {
		for how, out := range printed(t, value) {
			if strings.Contains(out, text) || strings.Contains(out, fmt.Sprintf("%x", text)) {
				t.Errorf("%s, printed with %s: %s", name, how, out)
			}
			if !strings.Contains(out, "[redacted]") {
				t.Errorf("%s, printed with %s, does not say that something is left out: %s", name, how, out)
			}
		}
	}
	if got := key.Secret.Reveal(); got != text {
		t.Errorf("Reveal() = %q", got)
	}
}

// printed is the value in every way we know of.
func printed(t *testing.T, value any) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "% x", "%10.3s"} {
		out[verb] = fmt.Sprintf(verb, value)
	}
	out["Sprint"] = fmt.Sprint(value)
	out["error"] = fmt.Errorf("issue: %v", value).Error()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out["json"] = string(encoded)
	var text bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "value", value)
	out["slog text"] = text.String()
	text.Reset()
	slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "value", value)
	out["slog json"] = text.String()
	for _, asJSON := range []bool{false, true} {
		text.Reset()
		hclog.New(&hclog.LoggerOptions{Output: &text, JSONFormat: asJSON}).Info("m", "value", value)
		out[fmt.Sprintf("hclog json=%t", asJSON)] = text.String()
	}
	return out
}
