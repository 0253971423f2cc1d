package awsclient

import (
	"context"
	"errors"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// Attempt is one attempt of a call, as AWS answered it.
type Attempt struct {
	Action string        // as IAM policies write it: "iam:CreateUser"
	Code   string        // one of AWS's error codes that we know, or one of the codes below
	Took   time.Duration // from sending it to the whole answer, without any wait for its turn
}

// Codes of ours for what has none of AWS's. A code that we do not know is not
// taken over: an endpoint could make up any number of them.
const (
	CodeOK       = "OK"
	CodeOther    = "other"
	CodeNoAnswer = "no_answer"
)

// observed tells of each attempt. It stands within the governor's waiting.
func observed(s Settings) func(*middleware.Stack) error {
	if s.Observe == nil || s.Now == nil {
		return func(*middleware.Stack) error { return nil }
	}
	attempt := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		begun := s.Now()
		out, md, err := next.HandleFinalize(ctx, in)
		s.Observe(Attempt{Action: actionOf(ctx), Code: codeOf(err), Took: max(s.Now().Sub(begun), 0)})
		return out, md, err
	}
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("Observer", attempt), "Governor", middleware.After)
	}
}

// actionOf is the action of the call that a context belongs to.
func actionOf(ctx context.Context) string {
	return strings.ToLower(awsmiddleware.GetServiceID(ctx)) + ":" + awsmiddleware.GetOperationName(ctx)
}

func codeOf(err error) string {
	var failed *awserr.Error
	switch {
	case err == nil:
		return CodeOK
	case !errors.As(wrap("", err), &failed) || failed.Code == "" && failed.Status == 0:
		return CodeNoAnswer
	case awserr.Known(failed.Code):
		return failed.Code
	}
	return CodeOther
}
