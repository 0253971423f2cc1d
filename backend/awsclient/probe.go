package awsclient

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Probe is a question to one endpoint.
type Probe struct {
	Service string // "sts" or "iam"
	Region  string // that requests are signed for
	URL     string // "" : the SDK's for the region
	Ask     func(ctx context.Context) Reached
}

// Reached is what came of a probe.
type Reached struct {
	Host    string        // that answered, or was asked
	Answer  bool          // whether an answer came, be it a refusal
	Latency time.Duration // of the last attempt
	Skew    time.Duration // how far the server's clock is ahead of ours; 0 if it does not tell
	Err     error         // awserr; of a refusal, too
}

// Probes are the endpoints that the client uses: those of STS in the order of
// preference, then that of IAM. Each is asked by itself, without failover.
func (c *Client) Probes() (probes []Probe) {
	for i, endpoint := range c.settings.stsEndpoints(c.base.Region) {
		client := c.sts[i]
		probes = append(probes, Probe{Service: "sts", Region: endpoint.Region, URL: endpoint.URL, Ask: func(ctx context.Context) Reached {
			return c.probe(func(watch func(*middleware.Stack) error) error {
				_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}, func(o *sts.Options) {
					o.APIOptions, o.RetryMaxAttempts, o.Retryer = append(o.APIOptions, watch), 1, aws.NopRetryer{}
				})
				return wrap("sts:GetCallerIdentity", err)
			})
		}})
	}
	return append(probes, Probe{Service: "iam", Region: homeRegion(c.base.Region), URL: c.settings.IAMEndpoint, Ask: func(ctx context.Context) Reached {
		return c.probe(func(watch func(*middleware.Stack) error) error {
			_, err := c.iam.GetUser(ctx, &iam.GetUserInput{}, func(o *iam.Options) {
				o.APIOptions, o.RetryMaxAttempts, o.Retryer = append(o.APIOptions, watch), 1, aws.NopRetryer{}
			})
			return wrap("iam:GetUser", err)
		})
	}})
}

// probe sends a call once and watches the way it takes.
func (c *Client) probe(send func(watch func(*middleware.Stack) error) error) Reached {
	var seen Reached
	err := send(func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Probe", c.watch(&seen)), middleware.After)
	})
	seen.Err = err
	return seen
}

// watch measures one exchange on the wire. The SDK corrects its own signatures by
// the server's Date, so only the raw header tells how far our clock is off.
func (c *Client) watch(seen *Reached) func(context.Context, middleware.DeserializeInput, middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		if req, ok := in.Request.(*smithyhttp.Request); ok {
			seen.Host = req.URL.Host
		}
		begun := c.now()
		out, md, err := next.HandleDeserialize(ctx, in)
		ended := c.now()
		seen.Latency = ended.Sub(begun)
		if reply, ok := out.RawResponse.(*smithyhttp.Response); ok && reply.Response != nil && reply.StatusCode != 0 { // the SDK makes one of none
			seen.Answer = true
			seen.Skew = skewOf(reply.Header, ended)
		}
		return out, md, err
	}
}

// skewOf is how far the Date of a reply is ahead of now, to the second.
func skewOf(header http.Header, now time.Time) time.Duration {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return 0
	}
	return date.Sub(now).Round(time.Second)
}
