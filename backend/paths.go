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
		b.pathListUsers(),
		b.pathUser(),
		b.pathLookup(),
		b.pathTidy(),
		b.pathTidyStatus(),
		b.pathTidyCancel(),
		b.pathMetrics(),
	}
}

// specialPaths says what Vault keeps local to a cluster and seal-wraps, and what
// only operators with sudo may do.
func specialPaths() *logical.Paths {
	return &logical.Paths{
		Root:            operatorPaths(),
		LocalStorage:    []string{framework.WALPrefix, ownJournal, userRecords},
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
