package leaks_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"

	"vault-plugin-secrets-aws/internal/leaks"

	"github.com/google/go-cmp/cmp"
)

const secret = `wJalr+XUtn/FEMI=K7`

func TestIn(t *testing.T) {
	secrets := leaks.Secrets{}
	secrets.Add("key", secret)
	secrets.Add("code", "123456")
	for _, tc := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "AKIAIOSFODNN7EXAMPLE at 1234567 in 0.123456s", nil},
		{"as it is", "a " + secret + "b", []string{"key as it is"}},
		{"a number", "code=123456.", []string{"code as it is"}},
		{"URL-encoded", "?k=" + url.QueryEscape(secret), []string{"key URL-encoded"}},
		{"URL-encoded in lower case", "wJalr%2bXUtn%2fFEMI%3dK7", []string{"key URL-encoded"}},
		{"in hex", fmt.Sprintf("%X", secret), []string{"key in hex"}},
		{"both", secret + " 123456", []string{"code as it is", "key as it is"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, secrets.In(tc.text)); diff != "" {
				t.Errorf("In(%q) (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

// TestInBase64: wherever the secret stands in what was encoded.
func TestInBase64(t *testing.T) {
	secrets := leaks.Secrets{}
	secrets.Add("key", secret)
	for before := range 4 {
		for after := range 4 {
			text := "xyzw"[:before] + secret + "abcd"[:after]
			for name, encoding := range map[string]*base64.Encoding{"standard": base64.StdEncoding, "URL": base64.RawURLEncoding} {
				encoded := "token " + encoding.EncodeToString([]byte(text)) + "."
				if diff := cmp.Diff([]string{"key in base64"}, secrets.In(encoded)); diff != "" {
					t.Errorf("%s, %d before, %d after (-want +got):\n%s", name, before, after, diff)
				}
			}
		}
	}
}
