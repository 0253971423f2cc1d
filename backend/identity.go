package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// identityTimeout bounds the look at AWS after a write of config/root. It is a
// courtesy: the write is done by then.
const identityTimeout = 3 * time.Second

// identityWarnings asks AWS who the new root credentials are, and tells what is
// wrong with them: a mistake shows now and not at the first credential.
func (b *Backend) identityWarnings(ctx context.Context, storage logical.Storage, d *framework.FieldData) []string {
	if !anySent(d, "access_key", "secret_key", "identity_token_audience", "role_arn", "region", "sts_endpoint", "sts_region") {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, identityTimeout)
	defer cancel()
	root, err := b.root(ctx, storage)
	if err != nil {
		return []string{"the root configuration is stored but cannot be used yet: " + err.Error()}
	}
	identity, err := root.Identity(ctx)
	switch {
	case errors.Is(err, awserr.Unavailable):
		return []string{"the root credentials could not be tried: " + explain(err)}
	case err != nil:
		return []string{"the root credentials do not work: " + explain(err)}
	case strings.HasSuffix(identity.ARN, ":root"):
		return []string{"these are keys of the AWS account's root user (" + identity.ARN + "): use those of a dedicated IAM user or role with the permissions in docs/permissions.md"}
	}
	return nil
}

// longTermWarnings says that a role cannot work with the root credentials of the
// mount: AWS lets temporary ones mint neither federation nor session tokens, and
// assume IAM roles for an hour only.
func (b *Backend) longTermWarnings(ctx context.Context, storage logical.Storage, role *store.Role) []string {
	tokens := role.IssuesAny([]store.CredentialType{store.FederationToken, store.SessionToken})
	long := role.Issues(store.AssumedRole) && role.DefaultSTSTTL > chainedTTL.most
	if !tokens && !long {
		return nil
	}
	root, err := b.root(ctx, storage)
	if err != nil {
		return nil
	}
	source, err := root.Source(ctx)
	if err != nil || !source.Temporary {
		return nil
	}
	if long {
		return []string{fmt.Sprintf("default_sts_ttl %s is too long: %s", role.DefaultSTSTTL, chainedTTL.why)}
	}
	return []string{"the root credentials are temporary (" + source.Name + "), and AWS gives no federation or session tokens to temporary credentials: put an IAM user's keys into config/root, or use credential_type=assumed_role"}
}
