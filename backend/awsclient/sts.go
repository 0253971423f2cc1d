package awsclient

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

// Client is STS as lifecycle needs it.
var _ lifecycle.Sessions = (*Client)(nil)

// AssumeRole implements lifecycle.Sessions.
func (c *Client) AssumeRole(ctx context.Context, spec lifecycle.AssumeRoleSpec) (lifecycle.Session, error) {
	in := &sts.AssumeRoleInput{
		RoleArn:         &spec.RoleARN,
		RoleSessionName: &spec.SessionName,
		ExternalId:      optional(spec.ExternalID),
		Policy:          optional(spec.Policy),
		PolicyArns:      policyARNs(spec.PolicyARNs),
		DurationSeconds: seconds(spec.TTL),
		Tags:            sessionTags(spec.Tags),

		TransitiveTagKeys: spec.TransitiveTags,
		SourceIdentity:    optional(spec.SourceIdentity),
	}
	out, err := viaSTS(ctx, c, "sts:AssumeRole", func(ctx context.Context, client *sts.Client) (*sts.AssumeRoleOutput, error) {
		return client.AssumeRole(ctx, in)
	})
	if err != nil {
		return lifecycle.Session{}, err
	}
	session, err := sessionOf("sts:AssumeRole", out.Credentials)
	if out.AssumedRoleUser != nil {
		session.ARN = aws.ToString(out.AssumedRoleUser.Arn)
	}
	session.SourceIdentity = aws.ToString(out.SourceIdentity)
	return session, err
}

// FederationToken implements lifecycle.Sessions.
func (c *Client) FederationToken(ctx context.Context, spec lifecycle.FederationSpec) (lifecycle.Session, error) {
	in := &sts.GetFederationTokenInput{
		Name:            &spec.Name,
		Policy:          optional(spec.Policy),
		PolicyArns:      policyARNs(spec.PolicyARNs),
		DurationSeconds: seconds(spec.TTL),
	}
	out, err := viaSTS(ctx, c, "sts:GetFederationToken", func(ctx context.Context, client *sts.Client) (*sts.GetFederationTokenOutput, error) {
		return client.GetFederationToken(ctx, in)
	})
	if err != nil {
		return lifecycle.Session{}, err
	}
	return sessionOf("sts:GetFederationToken", out.Credentials)
}

// SessionToken implements lifecycle.Sessions.
func (c *Client) SessionToken(ctx context.Context, spec lifecycle.SessionTokenSpec) (lifecycle.Session, error) {
	in := &sts.GetSessionTokenInput{
		SerialNumber:    optional(spec.MFASerial),
		TokenCode:       optional(spec.MFACode),
		DurationSeconds: seconds(spec.TTL),
	}
	out, err := viaSTS(ctx, c, "sts:GetSessionToken", func(ctx context.Context, client *sts.Client) (*sts.GetSessionTokenOutput, error) {
		return client.GetSessionToken(ctx, in)
	})
	if err != nil {
		return lifecycle.Session{}, err
	}
	return sessionOf("sts:GetSessionToken", out.Credentials)
}

// Identity asks AWS who the root credentials are.
func (c *Client) Identity(ctx context.Context) (lifecycle.Identity, error) {
	out, err := viaSTS(ctx, c, "sts:GetCallerIdentity", func(ctx context.Context, client *sts.Client) (*sts.GetCallerIdentityOutput, error) {
		return client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	if err != nil {
		return lifecycle.Identity{}, err
	}
	c.learnAccount(aws.ToString(out.Account))
	return lifecycle.Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Account implements lifecycle.UserInspector.
func (c *Client) Account(ctx context.Context) (string, error) {
	if account := c.KnownAccount(); account != "" {
		return account, nil
	}
	identity, err := c.Identity(ctx)
	return identity.Account, err
}

// sessionOf is the session in the answer of op.
func sessionOf(op string, creds *types.Credentials) (lifecycle.Session, error) {
	if creds == nil || creds.Expiration == nil || !whole(creds.AccessKeyId, creds.SecretAccessKey, creds.SessionToken) {
		return lifecycle.Session{}, incomplete(op, "credentials")
	}
	return lifecycle.Session{
		AccessKey:    aws.ToString(creds.AccessKeyId),
		SecretKey:    lifecycle.Secret(aws.ToString(creds.SecretAccessKey)),
		SessionToken: lifecycle.Secret(aws.ToString(creds.SessionToken)),
		Expires:      aws.ToTime(creds.Expiration),
	}, nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func seconds(d time.Duration) *int32 { return aws.Int32(int32(d / time.Second)) }

func policyARNs(arns []string) (out []types.PolicyDescriptorType) {
	for _, arn := range arns {
		out = append(out, types.PolicyDescriptorType{Arn: &arn})
	}
	return out
}

func sessionTags(tags map[string]string) (out []types.Tag) {
	for key, value := range tags {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return out
}
