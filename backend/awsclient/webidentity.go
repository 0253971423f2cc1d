package awsclient

import (
	"context"
	"fmt"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// WebIdentity is a root identity by workload identity federation: a token of
// Vault's for credentials of an IAM role.
type WebIdentity struct {
	RoleARN string
	// Token makes a new identity token. It is a bearer secret.
	Token func(ctx context.Context) (string, error)
}

// refreshEarly is how long before their end the credentials are renewed, so that
// no request has to wait for it with expired ones.
const refreshEarly = 5 * time.Minute

// webIdentityConfig is like staticConfig: nothing of the server's environment
// has a say. The credentials are those of client, which is made of this config.
func webIdentityConfig(s Settings, client *Client) (aws.Config, error) {
	transport, err := trustingTransport()
	if err != nil {
		return aws.Config{}, err
	}
	provider := webIdentityProvider{client: client, identity: *s.WebIdentity}
	return aws.Config{
		Region:      orDefault(s.Region, defaultRegion),
		Credentials: aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshEarly }),
		HTTPClient:  withoutRedirects(transport),
		Logger:      logging.Nop{},
	}, nil
}

// webIdentityProvider exchanges identity tokens at the endpoints of STS, with
// their failover. The call carries no signature, so it needs no credentials.
type webIdentityProvider struct {
	client   *Client
	identity WebIdentity
}

// Retrieve implements aws.CredentialsProvider.
func (p webIdentityProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	const op = "sts:AssumeRoleWithWebIdentity"
	token, err := p.identity.Token(ctx)
	if err != nil {
		return aws.Credentials{}, &awserr.Error{Op: op, Kind: awserr.Denied, Code: awserr.NoIdentityToken, Message: err.Error(), Cause: err}
	}
	in := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          &p.identity.RoleARN,
		RoleSessionName:  aws.String(fmt.Sprintf("vault-aws-secrets-%d", p.client.now().UnixNano())),
		WebIdentityToken: &token,
	}
	out, err := viaSTS(ctx, p.client, op, func(ctx context.Context, client *sts.Client) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return client.AssumeRoleWithWebIdentity(ctx, in)
	})
	if err != nil {
		return aws.Credentials{}, err
	}
	if out.Credentials == nil {
		return aws.Credentials{}, incomplete(op, "credentials")
	}
	return aws.Credentials{
		AccessKeyID:     aws.ToString(out.Credentials.AccessKeyId),
		SecretAccessKey: aws.ToString(out.Credentials.SecretAccessKey),
		SessionToken:    aws.ToString(out.Credentials.SessionToken),
		Source:          "WebIdentityCredentials",
		CanExpire:       true,
		Expires:         aws.ToTime(out.Credentials.Expiration),
	}, nil
}
