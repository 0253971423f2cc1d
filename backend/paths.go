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
		b.pathConfigLease(),
		b.pathListRoles(),
		b.pathRole(),
		b.pathCreds(),
	}
}

// specialPaths says what Vault keeps local to a cluster and seal-wraps. The
// prefixes of records and of our own journal come with them: users/, journal/.
func specialPaths() *logical.Paths {
	return &logical.Paths{
		LocalStorage:    []string{framework.WALPrefix},
		SealWrapStorage: []string{store.RootConfigKey, "static-creds/"},
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
