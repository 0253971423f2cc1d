package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/pluginutil"
)

const (
	// defaultIdentityTokenTTL is the life of an identity token unless
	// identity_token_ttl says otherwise. It is exchanged at once.
	defaultIdentityTokenTTL = time.Hour
	// identityTokenTimeout bounds what Vault may take to issue one.
	identityTokenTimeout = 30 * time.Second
)

// webIdentity is the root identity by workload identity federation, nil if
// config/root does not ask for it.
func (b *Backend) webIdentity(c *store.RootConfig) *awsclient.WebIdentity {
	if c.IdentityTokenAudience == "" {
		return nil
	}
	audience, ttl := c.IdentityTokenAudience, c.IdentityTokenTTL
	if ttl == 0 {
		ttl = defaultIdentityTokenTTL
	}
	return &awsclient.WebIdentity{
		RoleARN: c.RoleARN,
		Token: func(ctx context.Context) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, identityTokenTimeout)
			defer cancel()
			issued, err := b.System().GenerateIdentityToken(ctx, &pluginutil.IdentityTokenRequest{Audience: audience, TTL: ttl})
			if err != nil {
				return "", err
			}
			return issued.Token.Token(), nil
		},
	}
}

// mergeWebIdentity puts the fields of a request that ask for federation into c,
// and checks them together with what is stored. role_arn is merged by then.
func (b *Backend) mergeWebIdentity(ctx context.Context, c *store.RootConfig, d *framework.FieldData) error {
	if v, ok := d.GetOk("identity_token_audience"); ok {
		c.IdentityTokenAudience = v.(string)
	}
	if v, ok := d.GetOk("identity_token_ttl"); ok {
		c.IdentityTokenTTL = time.Duration(v.(int)) * time.Second
	}
	if c.IdentityTokenAudience == "" || !anySent(d, "identity_token_audience", "identity_token_ttl", "role_arn", "access_key", "sts_endpoint", "sts_fallback_endpoints") {
		return nil
	}
	if err := checkWebIdentity(c, d); err != nil || !anySent(d, "identity_token_audience") {
		return err
	}
	if _, err := b.webIdentity(c).Token(ctx); err != nil {
		return invalid("identity_token_audience cannot be used: this Vault server issues no identity token for the mount: %v; use access_key and secret_key, or a server that does", err)
	}
	return nil
}

// checkWebIdentity keeps the token, a bearer secret, from going where nobody meant
// it to go.
func checkWebIdentity(c *store.RootConfig, d *framework.FieldData) error {
	switch {
	case c.AccessKey != "":
		return invalid("only one of 'access_key' or 'identity_token_audience' can be set: clear the other")
	case c.RoleARN == "":
		return invalid("missing required 'role_arn' when 'identity_token_audience' is set: send the ARN of the IAM role that trusts Vault's tokens")
	case anySent(d, "sts_endpoint", "sts_fallback_endpoints") && (!anySent(d, "identity_token_audience") || !anySent(d, "role_arn")):
		return invalid("a change of sts_endpoint or sts_fallback_endpoints sends identity tokens to another place: send identity_token_audience and role_arn with it")
	}
	for _, endpoint := range append([]string{c.STSEndpoint}, c.STSFallbackEndpoints...) {
		if awsclient.Insecure(endpoint) {
			return invalid("sts endpoint %q is not encrypted, and identity tokens are secrets: use https://", endpoint)
		}
	}
	return nil
}
