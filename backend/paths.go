package backend

import (
	"embed"
	"strings"

	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// paths is the whole API.
func (b *Backend) paths() []*framework.Path {
	return []*framework.Path{
		b.pathConfigRoot(),
		b.pathConfigRotateRoot(),
		b.pathConfigLease(),
		b.pathListRoles(),
		b.pathRole(),
		b.pathCreds(),
		b.pathListStaticRoles(),
		b.pathStaticRole(),
		b.pathStaticCreds(),
		b.pathRotateRole(),
	}
}

// specialPaths says what Vault keeps local to a cluster and seal-wraps. The
// prefix of records, users/, comes with them.
func specialPaths() *logical.Paths {
	return &logical.Paths{
		LocalStorage:    []string{framework.WALPrefix, ownJournal},
		SealWrapStorage: []string{store.RootConfigKey, store.StaticCredsKeys},
	}
}

//go:embed help
var helpTexts embed.FS

// help returns an embedded help text. A missing one is a mistake of ours that
// every test of the package meets.
func help(name string) string {
	text, err := helpTexts.ReadFile("help/" + name)
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(text))
}
