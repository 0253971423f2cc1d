package awscontract

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// root is the path of everything that the cases make, so that a real account
// can confine them to it.
const root = "/vault-acc/"

// world is a case's own corner of an account.
type world struct {
	t       *testing.T
	ctx     context.Context
	suite   *suite
	backend *Backend
	id      string // no other case has it
	path    string // of all that the case makes
	count   int    // names given out
	made    []thing
	lacking []string // operations that the case met and the backend lacks

	admin actor
}

// actor is somebody with clients.
type actor struct {
	w   *world
	iam *iam.Client
	sts *sts.Client
	cfg aws.Config
}

func newWorld(t *testing.T, s *suite) *world {
	id := "acc-" + strings.ToLower(rand.Text()[:10])
	w := &world{t: t, ctx: t.Context(), suite: s, backend: s.backend, id: id, path: root + id + "/"}
	w.admin = w.as(s.backend.Admin)
	t.Cleanup(w.cleanUp)
	return w
}

// as is the holder of a key.
func (w *world) as(k Key) actor {
	cfg := w.config(k)
	cfg.APIOptions = append(cfg.APIOptions, w.observing)
	return w.actor(cfg)
}

func (w *world) actor(cfg aws.Config) actor {
	return actor{w, iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), cfg}
}

func (w *world) config(k Key) aws.Config {
	cfg := aws.Config{
		Region: w.backend.Region, HTTPClient: w.backend.HTTPClient,
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = w.backend.Retries + 1 })
		},
	}
	if w.backend.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(w.backend.Endpoint)
	}
	return cfg
}

// observing notes each call's outcome.
func (w *world) observing(stack *middleware.Stack) error {
	operation := stack.ID()
	note := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		out middleware.InitializeOutput, metadata middleware.Metadata, err error,
	) {
		out, metadata, err = next.HandleInitialize(ctx, in)
		w.note(operation, outcome(err))
		return out, metadata, err
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awscontract", note), middleware.Before)
}

// note finds out whether the call is one that the backend lacks.
func (w *world) note(operation, outcome string) {
	if w.backend.Observe != nil {
		w.backend.Observe(Call{operation, outcome})
	}
	if row, ok := w.suite.missing[operation]; ok && outcome == row.Instead && !slices.Contains(w.lacking, operation) {
		w.suite.used[operation] = true
		w.lacking = append(w.lacking, operation)
	}
}

// failure is how preparations end a case: what went wrong is what it observed.
type failure string

// observe runs a case to its end or to the failure of its preparations.
func (w *world) observe(run func(*world) string) (got string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			got = "set-up: " + string(r)
		default:
			panic(r)
		}
	}()
	return run(w)
}

// must returns the answer of a call that prepares a case.
func must[T any](out T, err error) T {
	if err != nil {
		operation := "?"
		if e := (*smithy.OperationError)(nil); errors.As(err, &e) {
			operation = e.Operation()
		}
		panic(failure(operation + ": " + outcome(err)))
	}
	return out
}

const (
	success       = "200"
	noSuchEntity  = "404 NoSuchEntity"
	exists        = "409 EntityAlreadyExists"
	conflict      = "409 DeleteConflict"
	limit         = "409 LimitExceeded"
	invalid       = "400 ValidationError"
	invalidInput  = "400 InvalidInput"
	malformed     = "400 MalformedPolicyDocument"
	denied        = "403 AccessDenied"
	unknownKey    = "403 InvalidClientTokenId"
	badSignature  = "403 SignatureDoesNotMatch"
	expired       = "403 ExpiredToken"
	packed        = "400 PackedPolicyTooLarge"
	invalidAction = "400 InvalidAction"
)

// outcome is "200", or HTTP status and code: "403 AccessDenied".
func outcome(err error) string {
	if err == nil {
		return success
	}
	var reply *awshttp.ResponseError
	if !errors.As(err, &reply) {
		return "no answer"
	}
	code := "in a form that the SDK cannot read"
	var api smithy.APIError
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	return fmt.Sprintf("%d %s", reply.HTTPStatusCode(), code)
}

// did is the outcome of a call whose answer does not matter.
func did[T any](_ T, err error) string { return outcome(err) }

// then joins observations in the order in which they were made.
func then(observed ...string) string { return strings.Join(observed, ", then ") }

// mask puts placeholders in place of what differs from run to run.
func (w *world) mask(text string, more ...string) string {
	pairs := append(slices.Clone(more), w.path, "/PATH/", w.backend.Account, "ACCOUNT")
	return strings.NewReplacer(pairs...).Replace(text)
}
