// Package awsclient is the AWS face of the engine, and the only package that
// imports the AWS SDK. It gives lifecycle's ports over IAM and STS, in domain
// terms; every error that leaves it is an awserr.Error.
//
// Reading order: client.go, credentials.go, endpoints.go, iam.go, sts.go,
// classify.go.
package awsclient

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Settings is what a client is made of: the part of a root config that says how
// AWS is reached and as whom.
type Settings struct {
	AccessKey   string // with SecretKey
	SecretKey   string
	WebIdentity *WebIdentity // without keys; nil as well: the server's ambient credentials

	Region      string // "" : us-east-1, or what the ambient configuration says
	IAMEndpoint string // "" : the SDK's resolver for the region
	STS         []Endpoint
	// MaxRetries is how often a failed call is repeated; negative: the SDK's
	// default of 2. Calls that create are repeated only when throttled.
	MaxRetries int

	Now func() time.Time // the clock by which endpoints that failed get another chance

	// Transport carries the requests of static keys; nil: connections of our own.
	Transport http.RoundTripper

	// Accounts is what is known of the rates that AWS takes; nil: nothing yet.
	Accounts *governor.Accounts

	Observe func(Attempt) // is told of each attempt of a call; nil: nobody is
}

// Ambient reports whether the settings leave it to the server who one is.
func (s Settings) Ambient() bool { return s.AccessKey == "" && s.WebIdentity == nil }

// Client reaches one AWS account as one root identity. It is immutable but for
// what it has learned of AWS, and safe for concurrent use: one per root config
// keeps the connections and the SDK's retry budget together.
type Client struct {
	iam         *iam.Client
	sts         []*stsEndpoint // in the order of preference
	now         func() time.Time
	credentials aws.CredentialsProvider
	account     atomic.Pointer[string]
	limits      governor.Account

	base     aws.Config // what the clients are made of
	settings Settings
}

// New returns a client. Nothing is sent to AWS.
//
// With keys or a web identity nothing of the server's AWS environment is consulted
// but AWS_CA_BUNDLE, which says whom to trust and not who one is. Without them
// the SDK's default chain decides on credentials, region and endpoints.
func New(ctx context.Context, s Settings) (*Client, error) {
	if s.Accounts == nil {
		s.Accounts = governor.NewAccounts(lifecycle.SystemClock{})
	}
	c := &Client{now: s.Now, settings: s, limits: s.Accounts.Of(rootAccount)}
	base, err := baseConfig(ctx, s, c)
	if err != nil {
		return nil, fmt.Errorf("prepare AWS client: %w", err)
	}
	c.build(base)
	return c, nil
}

// rootAccount stands for the account of the root credentials, which is not known
// before AWS was asked.
const rootAccount = ""

// with returns a client of the same settings with other credentials, those of an
// account with the limits.
func (c *Client) with(base aws.Config, limits governor.Account) *Client {
	other := &Client{now: c.now, settings: c.settings, limits: limits}
	other.build(base)
	return other
}

// build makes the clients of IAM and STS.
func (c *Client) build(base aws.Config) {
	c.base, c.credentials, c.iam = base, base.Credentials, newIAM(base, c.settings, c.limits.IAM)
	for _, endpoint := range c.settings.stsEndpoints(base.Region) {
		c.sts = append(c.sts, &stsEndpoint{Client: newSTS(base, c.settings, endpoint, c.limits.STS)})
	}
}

// newIAM signs for the home region of the partition, also behind an explicit
// endpoint; a region of no partition is taken as it is.
func newIAM(base aws.Config, s Settings, g *governor.Governor) *iam.Client {
	return iam.NewFromConfig(base, func(o *iam.Options) {
		o.APIOptions = append(o.APIOptions, governed(g), observed(s))
		o.Retryer, o.RetryMaxAttempts = retrying(s.MaxRetries, o.RetryMaxAttempts)
		if s.IAMEndpoint != "" {
			o.BaseEndpoint = aws.String(s.IAMEndpoint)
		}
		if o.BaseEndpoint != nil {
			o.Region = homeRegion(base.Region)
		}
	})
}

func newSTS(base aws.Config, s Settings, endpoint Endpoint, g *governor.Governor) *sts.Client {
	return sts.NewFromConfig(base, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, governed(g), observed(s))
		o.Retryer, o.RetryMaxAttempts = retrying(s.MaxRetries, o.RetryMaxAttempts)
		o.Region = endpoint.Region
		if endpoint.URL != "" {
			o.BaseEndpoint = aws.String(endpoint.URL)
		}
	})
}

// learnAccount keeps the account that an answer of AWS showed.
func (c *Client) learnAccount(account string) {
	if account != "" {
		c.account.Store(&account)
	}
}

// KnownAccount implements lifecycle.UserInspector.
func (c *Client) KnownAccount() string {
	if account := c.account.Load(); account != nil {
		return *account
	}
	return ""
}
