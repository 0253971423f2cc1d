package awsclient

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"
)

// defaultRegion is where IAM lives in the partition most accounts are in.
const defaultRegion = "us-east-1"

// baseConfig is what IAM and STS clients have in common: credentials, region,
// transport.
func baseConfig(ctx context.Context, s Settings, client *Client) (aws.Config, error) {
	switch {
	case s.Ambient():
		return ambientConfig(ctx, s)
	case s.WebIdentity != nil:
		return webIdentityConfig(s, client)
	}
	return staticConfig(s)
}

// staticConfig is made by hand and has no ConfigSources, so that no endpoint,
// profile or region variable of the server can redirect the keys.
func staticConfig(s Settings) (aws.Config, error) {
	transport, err := s.transport()
	if err != nil {
		return aws.Config{}, err
	}
	return aws.Config{
		Region:      orDefault(s.Region, defaultRegion),
		Credentials: staticCredentials(s.AccessKey, s.SecretKey),
		HTTPClient:  withoutRedirects(transport),
		Logger:      logging.Nop{},
	}, nil
}

func staticCredentials(accessKey, secretKey string) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")
}

// ambientConfig is the SDK's default chain: environment, shared files, web
// identity, container endpoint, instance profile.
func ambientConfig(ctx context.Context, s Settings) (aws.Config, error) {
	if _, err := customRoots(); err != nil {
		return aws.Config{}, err // the SDK would not name the variable
	}
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(pooled()),
		config.WithLogger(logging.Nop{}), // what goes wrong is in the errors
	}
	if s.Region != "" {
		options = append(options, config.WithRegion(s.Region))
	}
	base, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the server's AWS configuration: %w", err)
	}
	if buildable, ok := base.HTTPClient.(transporter); ok {
		base.HTTPClient = withoutRedirects(connecting(buildable.GetTransport()))
	}
	base.Region = orDefault(base.Region, defaultRegion)
	base.Credentials = aws.NewCredentialsCache(ambientProvider{base.Credentials})
	return base, nil
}

// ambientProvider says plainly that there are no credentials, and keeps the
// SDK's reasons, which may quote the environment, as the cause only.
type ambientProvider struct{ chain aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (p ambientProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := p.chain.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		return creds, &noCredentialsError{cause: err}
	}
	return creds, err
}

// noCredentialsError: config/root holds no keys and the environment has none.
type noCredentialsError struct{ cause error }

func (e *noCredentialsError) Error() string {
	return "the server's environment offers no AWS credentials"
}

func (e *noCredentialsError) Unwrap() error { return e.cause }

// Source is where the root credentials come from.
type Source struct {
	// Name is one of: config/root, environment, shared file, web identity,
	// container, instance profile, process, sso, assumed role, or the SDK's own
	// word for a source that is none of these.
	Name string
	// Temporary credentials cannot call GetFederationToken or GetSessionToken.
	Temporary bool
}

// sourceTimeout bounds finding out: the instance metadata service does not
// answer on a machine that is no instance.
const sourceTimeout = 3 * time.Second

// Source tells where the root credentials come from. The error says that there
// are none, or that they could not be told within three seconds.
func (c *Client) Source(ctx context.Context) (Source, error) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	creds, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return Source{}, wrap("credentials", err)
	}
	return Source{Name: sourceName(creds.Source), Temporary: creds.SessionToken != ""}, nil
}

// sourceNames has our word for the providers' names of the SDK, by prefix.
var sourceNames = []struct{ prefix, name string }{
	{credentials.StaticCredentialsName, "config/root"},
	{config.CredentialsSourceName, "environment"},
	{"SharedConfigCredentials", "shared file"},
	{"WebIdentityCredentials", "web identity"},
	{"CredentialsEndpointProvider", "container"},
	{"EC2RoleProvider", "instance profile"},
	{"ProcessProvider", "process"},
	{"SSOProvider", "sso"},
	{"AssumeRoleProvider", "assumed role"},
}

func sourceName(sdk string) string {
	for _, s := range sourceNames {
		if strings.HasPrefix(sdk, s.prefix) {
			return s.name
		}
	}
	return sdk
}

func noCredentials(op string, err *noCredentialsError) *awserr.Error {
	return &awserr.Error{
		Op:      op,
		Kind:    awserr.Denied,
		Code:    awserr.NoCredentials,
		Message: fmt.Sprintf("config/root holds no access_key, and %v: %s", err, awserr.Reason(err.cause)),
		Cause:   err,
	}
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
