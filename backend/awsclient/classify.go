package awsclient

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// wrap turns the SDK's error of one call into ours. op is the action, such as
// iam:CreateUser. Codes are compared as strings: the SDK's typed errors are not
// modelled for every call.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if refusal := (*governor.Refusal)(nil); errors.As(err, &refusal) {
		return refused(op, refusal)
	}
	if none := (*noCredentialsError)(nil); errors.As(err, &none) {
		return noCredentials(op, none)
	}
	if inner := (*awserr.Error)(nil); errors.As(err, &inner) {
		return inner // the call that was to bring the credentials
	}
	e := &awserr.Error{Op: op, Kind: awserr.Unavailable, Cause: err} // no reply: a transport failure
	if reply := (*awshttp.ResponseError)(nil); errors.As(err, &reply) {
		e.RequestID, e.Status = reply.ServiceRequestID(), reply.HTTPStatusCode()
	}
	if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() != noCode {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	}
	if (e.Code != "" || e.Status != 0) && !cutOff(err) {
		e.Kind = awserr.KindOf(e.Code, e.Status)
	}
	return e
}

// cutOff reports whether the answer broke off within its XML, whatever status
// it began with: the network failed. A page of somebody else's is not cut off.
func cutOff(err error) bool {
	var broken *xml.SyntaxError
	return errors.As(err, &broken) && broken.Msg == "unexpected EOF"
}

// noCode is what the SDK says where an error came with no code: the body is no
// answer of AWS.
const noCode = "UnknownError"

// incomplete is the error of a success that does not hold what was asked for.
// AWS sends no such answer; a proxy or another server may. Its effect is unknown.
func incomplete(op, what string) error {
	return &awserr.Error{Op: op, Kind: awserr.Unknown, Cause: fmt.Errorf("the answer holds no %s", what)}
}

// whole reports whether an answer holds all the texts.
func whole(texts ...*string) bool {
	return !slices.ContainsFunc(texts, func(text *string) bool { return aws.ToString(text) == "" })
}

// retrying returns the retryer that repeats failed calls at most retries times,
// and the number of attempts the SDK is to cut it to, 0 for none. Negative
// retries leave both to the SDK and its environment.
func retrying(retries, fromEnvironment int) (aws.Retryer, int) {
	if retries < 0 {
		return retry.NewStandard(), fromEnvironment
	}
	return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = retries + 1 }), 0
}

// refusalsOnly repeats a call only where AWS provably did nothing: throttling.
// Calls that create use it, since the SDK's repetition after a lost answer makes
// a second access key, and so that the error they end with speaks for the whole
// call and not just for its last attempt.
type refusalsOnly struct{ aws.Retryer }

// IsErrorRetryable implements aws.Retryer.
func (refusalsOnly) IsErrorRetryable(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && awserr.KindOf(api.ErrorCode(), 0) == awserr.Throttled
}
