package main

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/hashicorp/vault/sdk/framework"
)

// TestReferenceIsGenerated holds the committed page to the plugin's paths.
func TestReferenceIsGenerated(t *testing.T) {
	committed, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(committed, generate(t.Context())) {
		t.Errorf("%s is not what the plugin says: run go run ./scripts/reference", file)
	}
}

func TestNamesOf(t *testing.T) {
	for _, tc := range []struct {
		pattern string
		want    []string
	}{
		{"config/lease", []string{"config/lease"}},
		{"roles/?$", []string{"roles"}},
		{"roles/" + framework.GenericNameWithAtRegex("name"), []string{"roles/:name"}},
		{"(creds|sts)/" + framework.GenericNameRegex("name") + "$", []string{"creds/:name", "sts/:name"}},
	} {
		if got := namesOf(tc.pattern); !slices.Equal(got, tc.want) {
			t.Errorf("%s is %q, want %q", tc.pattern, got, tc.want)
		}
	}
}

func TestDefaultOf(t *testing.T) {
	for want, field := range map[string]*framework.FieldSchema{
		"":        {Type: framework.TypeString},
		"`1h`":    {Type: framework.TypeDurationSecond, Default: 3600},
		"`90s`":   {Type: framework.TypeString, Default: "90s"},
		"`1m30s`": {Type: framework.TypeDurationSecond, Default: 90},
		"`true`":  {Type: framework.TypeBool, Default: true},
	} {
		if got := defaultOf(field); got != want {
			t.Errorf("%+v is %q, want %q", field, got, want)
		}
	}
}
