package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// fetch returns credentials from Vault, or with -cache from the cache.
func (o options) fetch(ctx context.Context) (credentials, error) {
	client, err := o.client()
	if err != nil {
		return credentials{}, err
	}
	if !o.cache {
		return o.read(ctx, client)
	}
	key, err := o.cacheKey(ctx, client)
	if err != nil {
		return credentials{}, err
	}
	kept, err := openCache()
	if err != nil {
		return credentials{}, err
	}
	defer kept.close()
	if c, ok, err := kept.load(key, time.Now()); ok || err != nil {
		return c, err
	}
	c, err := o.read(ctx, client)
	if err != nil || !c.session() {
		return c, err // an IAM user may be revoked at any time
	}
	return c, kept.save(key, c)
}

// client is Vault's client by the environment and the flags.
func (o options) client() (*api.Client, error) {
	config := api.DefaultConfig()
	if config.Error != nil {
		return nil, config.Error
	}
	if o.caCert != "" {
		if err := config.ConfigureTLS(&api.TLSConfig{CACert: o.caCert}); err != nil {
			return nil, fmt.Errorf("-ca-cert: %w", err)
		}
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, err
	}
	if o.address != "" {
		if err := client.SetAddress(o.address); err != nil {
			return nil, fmt.Errorf("-address: %w", err)
		}
	}
	if o.namespace != "" {
		client.SetNamespace(o.namespace)
	}
	token, err := o.token(client.Token())
	client.SetToken(token)
	return client, err
}

// token is that of -token-file, of the environment, or of vault login, in this
// order; "" if there is none: an agent may add its own.
func (o options) token(ofEnvironment string) (string, error) {
	if o.tokenFile != "" {
		token, err := tokenIn(o.tokenFile)
		if err != nil {
			return "", fmt.Errorf("-token-file: %w", err)
		}
		return token, nil
	}
	home, err := os.UserHomeDir()
	if ofEnvironment != "" || err != nil {
		return ofEnvironment, nil
	}
	token, err := tokenIn(filepath.Join(home, ".vault-token"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return token, err
}

// tokenIn reads a token file. It may be one for
// AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, which begins with Bearer.
func tokenIn(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(string(text)), "Bearer ")), err
}

// read reads new credentials.
func (o options) read(ctx context.Context, client *api.Client) (credentials, error) {
	if !o.format.container {
		secret, err := client.Logical().ReadWithDataWithContext(ctx, o.path, o.parameters)
		if err != nil {
			return credentials{}, explain(err)
		}
		return ofSecret(secret)
	}
	parameters := maps.Clone(o.parameters)
	parameters.Set("format", "container")
	resp, err := client.Logical().ReadRawWithDataWithContext(ctx, o.path, parameters)
	if resp != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		return credentials{}, explain(err)
	}
	return ofContainer(resp.Body)
}

// explain shortens an error to what is wrong: its URL holds the parameters, and
// with them an MFA code.
func explain(err error) error {
	var refused *api.ResponseError
	var unsent *url.Error
	if errors.As(err, &unsent) {
		return fmt.Errorf("ask Vault: %w", unsent.Err)
	}
	if errors.As(err, &refused) {
		return fmt.Errorf("status %d of Vault: %s", refused.StatusCode, strings.Join(refused.Errors, "; "))
	}
	return err
}

// cacheKey is all that decides what a read would answer. The token's accessor
// stands for the token; asking for it shows that the token is still good.
func (o options) cacheKey(ctx context.Context, client *api.Client) (cacheKey, error) {
	self, err := client.Auth().Token().LookupSelfWithContext(ctx)
	if err != nil {
		return cacheKey{}, fmt.Errorf("look up the token for -cache: %w", explain(err))
	}
	accessor, err := self.TokenAccessor()
	if err == nil && accessor == "" {
		err = errors.New("the token shows no accessor, as batch tokens and an agent's own do not: -cache cannot tell whose credentials it keeps; use -token-file, or leave -cache out")
	}
	return cacheKey{
		Address: client.Address(), Namespace: client.Namespace(),
		Path: o.path, Parameters: o.parameters, Accessor: accessor,
	}, err
}
