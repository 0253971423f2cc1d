package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

const (
	account = "123456789012" // of awssim.New's zero Options
	other   = "210987654321"
)

// actor is somebody with clients.
type actor struct {
	iam *iam.Client
	sts *sts.Client
	cfg aws.Config
}

func actorOf(cfg aws.Config) actor {
	return actor{iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), cfg}
}

// as is the owner of a long-term key.
func as(endpoint string, who awssim.Credentials) actor {
	return actorOf(simtest.Config(endpoint, who))
}

// withSession is the holder of temporary credentials.
func withSession(endpoint string, c *ststypes.Credentials) actor {
	return actorOf(simtest.Session(endpoint, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken))
}

// started is a simulator, its endpoint and its administrator.
func started(t *testing.T, options ...awssim.Options) (*awssim.Sim, string, actor) {
	t.Helper()
	sim, endpoint := simtest.Start(t, options...)
	return sim, endpoint, as(endpoint, sim.Admin())
}

// outcome is "ok", or HTTP status and code: "403 AccessDenied".
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var api smithy.APIError
	var reply *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &reply) {
		return "no answer"
	}
	return fmt.Sprintf("%d %s", reply.HTTPStatusCode(), api.ErrorCode())
}

// said is outcome and message.
func said(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return outcome(err) + ": " + api.ErrorMessage()
	}
	return outcome(err)
}

func wantOutcome(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := outcome(err); got != want {
		t.Errorf("%s: %s, want %s (%v)", what, got, want, err)
	}
}

// must stops the test on an error of its preparations.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func mustCreateUser(t *testing.T, a actor, name string) {
	t.Helper()
	if _, err := a.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
}

func whoami(ctx context.Context, a actor) (string, error) {
	out, err := a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *out.Arn, nil
}

// allow is a policy document of one statement.
func allow(actions string, resource string) string { return policy("Allow", actions, resource) }

func policy(effect, actions, resource string) string {
	quoted := `"` + strings.ReplaceAll(actions, " ", `","`) + `"`
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":[` + quoted + `],"Resource":"` + resource + `"}]}`
}

// trusting is a trust policy for AssumeRole and what rides in it.
func trusting(principal string) string { return trustingIf(principal, "{}") }

func trustingIf(principal, condition string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},` +
		`"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":` + condition + `}]}`
}

// describeRegions calls ec2:DescribeRegions, signed by the SDK's signer, and
// returns status and body.
func describeRegions(t *testing.T, endpoint string, cfg aws.Config) (int, string) {
	t.Helper()
	req := form(t, endpoint, "Action=DescribeRegions&Version=2016-11-15")
	sign(t, req, cfg, signing{service: "ec2"})
	return send(t, req)
}

func statusType(status string) iamtypes.StatusType { return iamtypes.StatusType(status) }

// raw sends one call as it is, past the SDK's own validation, and returns
// status, code and message: "200", "400 ValidationError: …".
func raw(t *testing.T, a actor, service string, params url.Values) string {
	t.Helper()
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]
	req := form(t, *a.cfg.BaseEndpoint, "Version="+version+"&"+params.Encode())
	sign(t, req, a.cfg, signing{service: service})
	status, body := send(t, req)
	if code := codeIn(body); code != "" {
		_, after, _ := strings.Cut(body, "<Message>")
		message, _, _ := strings.Cut(after, "</Message>")
		return fmt.Sprintf("%d %s: %s", status, code, html.UnescapeString(message))
	}
	return fmt.Sprint(status)
}

// eventually waits for what another goroutine does, ten seconds at most.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not come", what)
		case <-tick.C:
		}
	}
}
