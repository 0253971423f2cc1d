package awsclient

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"

	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// endpointPatience is how long an endpoint of STS may take, retries included,
	// before the next one is tried. The last one has what is left of the request.
	endpointPatience = 10 * time.Second
	// endpointRest is how long an endpoint that did not answer is tried last; then
	// it has its place again.
	endpointRest = 30 * time.Second
)

// stsEndpoint is one of the places where sessions can be made.
type stsEndpoint struct {
	*sts.Client
	restUntil atomic.Int64 // unix nanoseconds; in the past: it has its place
}

// viaSTS sends a call to the first endpoint that answers. Another endpoint is
// tried only where no answer or a 5xx came back: a refusal is a refusal
// everywhere. No request waits for another one's.
func viaSTS[Out any](ctx context.Context, c *Client, op string, send func(context.Context, *sts.Client) (Out, error)) (out Out, err error) {
	ctx, release, err := c.limits.STS.Reserve(ctx, 1, sessionPatience)
	if err != nil {
		return out, refused(op, err)
	}
	defer release()
	endpoints := c.endpoints()
	for i, endpoint := range endpoints {
		if i == len(endpoints)-1 {
			out, err = send(ctx, endpoint.Client)
		} else {
			out, err = patiently(ctx, endpoint.Client, send)
		}
		if err = wrap(op, err); !errors.Is(err, awserr.Unavailable) || ctx.Err() != nil {
			return out, err
		}
		endpoint.restUntil.Store(c.now().Add(endpointRest).UnixNano())
	}
	return out, err
}

func patiently[Out any](ctx context.Context, client *sts.Client, send func(context.Context, *sts.Client) (Out, error)) (Out, error) {
	ctx, cancel := context.WithTimeout(ctx, endpointPatience)
	defer cancel()
	return send(ctx, client)
}

// endpoints are the endpoints in the order in which they are tried: those that
// have not failed lately first.
func (c *Client) endpoints() []*stsEndpoint {
	now := c.now().UnixNano()
	resting := func(e *stsEndpoint) bool { return e.restUntil.Load() > now }
	ready := slices.DeleteFunc(slices.Clone(c.sts), resting)
	return append(ready, slices.DeleteFunc(slices.Clone(c.sts), func(e *stsEndpoint) bool { return !resting(e) })...)
}
