package main

import "testing"

func TestNewEnough(t *testing.T) {
	for version, want := range map[string]bool{
		"Vault v1.11.12": false,
		"Vault v1.12.0":  true,
		"Vault v1.21.1":  true,
		"Vault v2.0.0":   true,
		"OpenBao v2.4.0": false,
		"":               false,
	} {
		if got := newEnough(version); got != want {
			t.Errorf("newEnough(%q) = %v, want %v", version, got, want)
		}
	}
}

func TestQuote(t *testing.T) {
	for arg, want := range map[string]string{
		"ttl=15m":                   "ttl=15m",
		`policy={"Version":"2012"}`: `policy='{"Version":"2012"}'`,
		"it's":                      `'it'\''s'`,
		"two words":                 "'two words'",
	} {
		if got := quote(arg); got != want {
			t.Errorf("quote(%s) = %s, want %s", arg, got, want)
		}
	}
}
