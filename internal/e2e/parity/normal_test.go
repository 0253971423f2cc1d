package parity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A normaliser puts placeholders in the place of what is random, of the time, and
// of the mount's name.
type normaliser struct {
	mount string            // builtin/
	known map[string]string // ids that were there at the beginning, such as the root key's
	now   time.Time
}

// random finds what is random in texts.
var random = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`), "<access key>"},
	{regexp.MustCompile(`\bASIA[0-9A-Z]{16}\b`), "<session key>"},
	{regexp.MustCompile(`\bAIDA[0-9A-Z]{16,17}\b`), "<user id>"},
	{regexp.MustCompile(`\bvault-(\S*?-)?[0-9]{10}-[A-Za-z0-9]{1,20}\b`), "vault-${1}<unix>-<random>"},
	{regexp.MustCompile(`\bnamed-[A-Za-z0-9]{20}\b`), "named-<random>"},
	{regexp.MustCompile(`\b((?:creds|sts)/deploy)/[A-Za-z0-9]{24}\b`), "${1}/<lease>"},
	{regexp.MustCompile(`^\{\{ if \(eq \.Type "STS"\) .*truncate ([0-9]+)\) \(unix_time\) .*$`), "<default, ${1} characters of names>"},
	{regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`), "<endpoint>"},
}

// text is s with its random parts replaced.
func (n normaliser) text(s string) string {
	for id, name := range n.known {
		s = strings.ReplaceAll(s, id, name)
	}
	for _, r := range random {
		s = r.pattern.ReplaceAllString(s, r.name)
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return fmt.Sprintf("<in %s>", at.Sub(n.now).Round(time.Minute))
	}
	return strings.ReplaceAll(s, n.mount, "<mount>/")
}

// secrets are the keys whose values are secret, and random.
var secrets = map[string]bool{"secret_key": true, "session_token": true, "security_token": true}

// value is the value of a key in an answer. What is left of a time to live is
// counted in minutes, since the requests of the two sides take their time.
func (n normaliser) value(key string, v any) any {
	switch v := v.(type) {
	case string:
		if secrets[key] && v != "" {
			return "<secret>"
		}
		return n.text(v)
	case json.Number:
		if key == "ttl" || key == "lease_duration" {
			return minutes(v)
		}
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = n.value(key, v[i])
		}
		return all
	case object:
		all := object{}
		for k := range v {
			all[k] = n.value(k, v[k])
		}
		return all
	}
	return v
}

func minutes(seconds json.Number) any {
	f, err := seconds.Float64()
	if err != nil {
		return seconds
	}
	return time.Duration(f * float64(time.Second)).Round(time.Minute).String()
}
