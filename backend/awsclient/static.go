package awsclient

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/policy"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Client is IAM as keys of static roles need it.
var _ lifecycle.StaticKeys = (*Client)(nil)

// UserInfo is what IAM tells of a user.
type UserInfo struct {
	Name string
	ID   string // AIDA…; another for a user of the same name that was made anew
	ARN  string
}

// Account is the account that the user lives in.
func (u UserInfo) Account() string { return policy.AccountOf(u.ARN) }

// FindUser looks a user up.
func (c *Client) FindUser(ctx context.Context, name string) (UserInfo, error) {
	out, err := c.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	if err != nil {
		return UserInfo{}, wrap("iam:GetUser", err)
	}
	if out.User == nil {
		return UserInfo{}, incomplete("iam:GetUser", "user")
	}
	return UserInfo{Name: aws.ToString(out.User.UserName), ID: aws.ToString(out.User.UserId), ARN: aws.ToString(out.User.Arn)}, nil
}

// KeysOf implements lifecycle.StaticKeys.
func (c *Client) KeysOf(ctx context.Context, user string) (keys []lifecycle.KeyInfo, err error) {
	pages := iam.NewListAccessKeysPaginator(c.iam, &iam.ListAccessKeysInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("iam:ListAccessKeys", err)
		}
		for _, key := range page.AccessKeyMetadata {
			keys = append(keys, lifecycle.KeyInfo{
				ID:      aws.ToString(key.AccessKeyId),
				Created: aws.ToTime(key.CreateDate),
				Active:  key.Status == types.StatusTypeActive,
			})
		}
	}
	return keys, nil
}

// LastUsed implements lifecycle.StaticKeys.
func (c *Client) LastUsed(ctx context.Context, id string) (time.Time, error) {
	out, err := c.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil {
		return time.Time{}, wrap("iam:GetAccessKeyLastUsed", err)
	}
	if out.AccessKeyLastUsed == nil {
		return time.Time{}, nil
	}
	return aws.ToTime(out.AccessKeyLastUsed.LastUsedDate), nil
}

// DeactivateAccessKey implements lifecycle.StaticKeys.
func (c *Client) DeactivateAccessKey(ctx context.Context, user, id string) error {
	_, err := c.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: types.StatusTypeInactive})
	return wrap("iam:UpdateAccessKey", err)
}

// Through returns a client that acts as an IAM role, assumed with c. It shares
// nothing with c but the connections: no request of one can use the other's
// identity.
func (c *Client) Through(step lifecycle.AssumeStep) *Client {
	base := c.base.Copy()
	base.Credentials = aws.NewCredentialsCache(
		assumedProvider{client: c, step: step},
		func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshEarly },
	)
	return c.with(base, c.limitsOf(policy.AccountOf(step.RoleARN)))
}

// assumedProvider is the credentials of an assumed role.
type assumedProvider struct {
	client *Client
	step   lifecycle.AssumeStep
}

// Retrieve implements aws.CredentialsProvider.
func (p assumedProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	session, err := p.client.AssumeRole(ctx, lifecycle.AssumeRoleSpec{
		RoleARN: p.step.RoleARN, SessionName: p.step.SessionName, ExternalID: p.step.ExternalID, TTL: time.Hour,
	})
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{
		AccessKeyID:     session.AccessKey,
		SecretAccessKey: session.SecretKey.Reveal(),
		SessionToken:    session.SessionToken.Reveal(),
		Source:          "AssumeRoleProvider",
		CanExpire:       true,
		Expires:         session.Expires,
	}, nil
}

// WithKeyIn is WithKey with STS of one region. An explicit endpoint stays, and is
// signed for as of that region.
func (c *Client) WithKeyIn(key lifecycle.AccessKey, region string) *Client {
	there := &Client{now: c.now, settings: c.settings, base: c.base, limits: c.limits}
	there.settings.STS = []Endpoint{{Region: region}}
	if len(c.settings.STS) > 0 {
		there.settings.STS[0].URL = c.settings.STS[0].URL
	}
	return there.WithKey(key)
}

// WithKey returns a client that acts as an access key, on the way that c does.
func (c *Client) WithKey(key lifecycle.AccessKey) *Client {
	base := c.base.Copy()
	base.Credentials = staticCredentials(key.ID, key.Secret.Reveal())
	return c.with(base, c.limits)
}
