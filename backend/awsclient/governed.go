package awsclient

import (
	"context"
	"errors"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"

	"github.com/aws/smithy-go/middleware"
)

// sessionPatience is how long a call to STS may wait for its turn. It is counted
// apart from the patience with an endpoint.
const sessionPatience = 40 * time.Second

// governed has each attempt of a call, the SDK's repetitions too, wait for its
// turn, and the governor learn from its outcome. It stands within the retrying and
// right before the signing: a signature is as young as its attempt, and who waits
// for credentials, which may take a call of their own, keeps nobody waiting.
func governed(g *governor.Governor) func(*middleware.Stack) error {
	attempt := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, md middleware.Metadata, err error) {
		done, err := g.Call(ctx)
		if err != nil {
			return out, md, err
		}
		outcome := governor.Lost
		defer func() { done(outcome) }()
		out, md, err = next.HandleFinalize(ctx, in)
		outcome = outcomeOf(err)
		return out, md, err
	}
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Governor", attempt), "Signing", middleware.Before)
	}
}

func outcomeOf(err error) governor.Outcome {
	err = wrap("", err)
	switch {
	case errors.Is(err, awserr.Throttled):
		return governor.Throttled
	case err == nil, awserr.Refused(err):
		return governor.Taken
	default:
		return governor.Lost
	}
}

// Reserve implements lifecycle.Reserver.
func (c *Client) Reserve(ctx context.Context, calls int, patience time.Duration) (context.Context, func(), error) {
	ctx, release, err := c.limits.IAM.Reserve(ctx, calls, patience)
	if err != nil {
		return nil, nil, refused("", err)
	}
	return ctx, release, nil
}

// refused turns the governor's error into ours: the call was not sent.
func refused(op string, err error) error {
	refusal := (*governor.Refusal)(nil)
	if !errors.As(err, &refusal) {
		return wrap(op, err)
	}
	return &awserr.Error{Op: op, Kind: awserr.Throttled, Code: awserr.TooManyCalls, Message: refusal.Error(), Cause: err}
}

// limitsOf is what is known of an account's limits.
func (c *Client) limitsOf(account string) governor.Account {
	if account == c.KnownAccount() {
		return c.limits
	}
	return c.settings.Accounts.Of(account)
}
