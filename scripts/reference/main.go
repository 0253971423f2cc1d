// Reference writes docs/reference.md from the plugin's table of paths:
//
//	go run ./scripts/reference
//
// What it says of a path is what vault path-help and the OpenAPI document say: it
// has no text of its own. A test of this package holds the committed file to it.
package main

import (
	"context"
	"fmt"
	"os"

	"vault-plugin-secrets-aws/backend"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"
)

const file = "docs/reference.md"

func main() {
	if err := os.WriteFile(file, generate(context.Background()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}

// generate is the whole page.
func generate(ctx context.Context) []byte {
	mount := backend.New(ctx, backend.Options{}, &logical.BackendConfig{
		StorageView: &logical.InmemStorage{}, Logger: hclog.NewNullLogger(), System: logical.StaticSystemView{},
	})
	page := reference{sudo: mount.SpecialPaths().Root, told: map[string]string{}}
	page.WriteString(preface)
	for _, path := range mount.Paths {
		page.writePath(path)
	}
	return page.Bytes()
}

const preface = "# Reference\n\n" +
	"Every path of a mount, relative to it, with its fields and its help as `vault path-help` prints it. Generated from the plugin's own\n" +
	"table by `go run ./scripts/reference`, and held to it by a test: do not edit. [api.md](api.md) says what they mean together: answers,\n" +
	"statuses, which field goes with which credential type, what is not in Vault's built-in engine.\n\n" +
	"*In*: where a field stands. `path` is part of the path; `body` is sent by a write; `query` by a read as well (`?ttl=1h`).\n"
