package awsclient_test

import (
	"context"
	"net/http"
	"testing"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// calls are one call that creates, another, and one that does not.
var calls = map[string]func(context.Context, *awsclient.Client) error{
	"iam:CreateUser": func(ctx context.Context, c *awsclient.Client) error {
		_, err := c.CreateUser(ctx, lifecycle.UserSpec{Name: "vault-new"})
		return err
	},
	"iam:CreateAccessKey": func(ctx context.Context, c *awsclient.Client) error {
		_, err := c.CreateAccessKey(ctx, "vault-a")
		return err
	},
	"iam:ListAccessKeys": func(ctx context.Context, c *awsclient.Client) error {
		_, err := c.ListAccessKeys(ctx, "vault-a")
		return err
	},
}

// TestL8CreatesAreNotRepeated: after a lost answer the SDK would send a creating
// call again, and so make a second access key. It is kept from that, also on a
// connection that was in use before; the error says that the effect is unknown.
func TestL8CreatesAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"iam:CreateUser", "iam:CreateAccessKey"} {
		for _, tc := range []struct {
			name  string
			fault awssim.Fault
		}{
			{"reset after the effect", awssim.Fault{Kind: awssim.FaultReset, When: awssim.AfterEffect}},
			{"reset before the effect", awssim.Fault{Kind: awssim.FaultReset}},
			{"500 after the effect", awssim.Fault{Kind: awssim.FaultError, Status: 500, When: awssim.AfterEffect}},
			{"503", awssim.Fault{Kind: awssim.FaultError, Status: 503, Code: "ServiceUnavailable"}},
			{"an HTML page", awssim.Fault{Kind: awssim.FaultHTML, When: awssim.AfterEffect}},
			{"half an answer", awssim.Fault{Kind: awssim.FaultTruncate, When: awssim.AfterEffect}},
			{"RequestTimeout", awssim.Fault{Kind: awssim.FaultError, Status: 400, Code: "RequestTimeout"}},
		} {
			t.Run(op+", "+tc.name, func(t *testing.T) {
				t.Parallel()
				cloud := newCloud(t, awssim.Options{})
				cloud.PutUser(account, "vault-a", "")
				settings := cloud.settings()
				settings.MaxRetries = -1
				client := mustClient(t, settings)
				mustDo(t, calls["iam:ListAccessKeys"](t.Context(), client)) // there is a connection now
				tc.fault.Action = op
				cloud.Inject(tc.fault)
				if err := calls[op](t.Context(), client); err == nil || awserr.Refused(err) {
					t.Errorf("%v, want an error whose effect is unknown", err)
				}
				cloud.mustHaveSeen(t, "iam:ListAccessKeys", op)
			})
		}
	}
}

// TestMaxRetries: how often a call is sent. A creating call is repeated when it
// is throttled: AWS did nothing then.
func TestMaxRetries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		op      string
		retries int
		fault   awssim.Fault
		want    int // calls
	}{
		{"never", "iam:ListAccessKeys", 0, awssim.Fault{Kind: awssim.FaultReset}, 1},
		{"once, and that is enough", "iam:ListAccessKeys", 1, awssim.Fault{Kind: awssim.FaultReset, Count: 1}, 2},
		{"once", "iam:ListAccessKeys", 1, awssim.Fault{Kind: awssim.FaultReset}, 2},
		{"the SDK's default", "iam:ListAccessKeys", -1, awssim.Fault{Kind: awssim.FaultReset}, 3},
		{"throttled, never", "iam:CreateUser", 0, awssim.Fault{Kind: awssim.FaultThrottle}, 1},
		{"throttled, once", "iam:CreateUser", 1, awssim.Fault{Kind: awssim.FaultThrottle, Count: 1}, 2},
		{"throttled, the SDK's default", "iam:CreateAccessKey", -1, awssim.Fault{Kind: awssim.FaultThrottle, Count: 1}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, awssim.Options{})
			cloud.PutUser(account, "vault-a", "")
			settings := cloud.settings()
			settings.MaxRetries = tc.retries
			tc.fault.Action = tc.op
			cloud.Inject(tc.fault)
			err := calls[tc.op](t.Context(), mustClient(t, settings))
			if survives := tc.fault.Count > 0; (err == nil) != survives {
				t.Errorf("%s: %v", tc.op, err)
			}
			if got := cloud.actions(); len(got) != tc.want {
				t.Errorf("calls %q, want %d", got, tc.want)
			}
		})
	}
}

// TestMaxRetriesOfSTS: the same number holds for STS, at each endpoint.
func TestMaxRetriesOfSTS(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	cloud.Inject(awssim.Fault{Kind: awssim.FaultReset})
	settings := cloud.settings()
	settings.MaxRetries = 1
	settings.STS = append(settings.STS, settings.STS[0])
	_, err := mustClient(t, settings).Identity(t.Context())
	mustFail(t, err, failed{"sts:GetCallerIdentity", awserr.Unavailable, "", 0})
	if got := cloud.actions(); len(got) != 4 {
		t.Errorf("calls %q, want 4", got)
	}
}

// TestClassification: what each kind of failure is to us. refused means that the
// call certainly had no effect.
func TestClassification(t *testing.T) {
	t.Parallel()
	const op = "iam:PutUserPolicy"
	for _, tc := range []struct {
		name    string
		fault   awssim.Fault
		want    failed
		refused bool
	}{
		{"throttled", awssim.Fault{Kind: awssim.FaultThrottle}, failed{op, awserr.Throttled, "Throttling", 400}, true},
		{"throttled by 429", awssim.Fault{Kind: awssim.FaultError, Status: 429, Code: "TooManyRequestsException"}, failed{op, awserr.Throttled, "TooManyRequestsException", 429}, true},
		{"500", awssim.Fault{Kind: awssim.FaultError}, failed{op, awserr.Unavailable, "ServiceFailure", 500}, false},
		{"503", awssim.Fault{Kind: awssim.FaultError, Status: 503, Code: "ServiceUnavailable"}, failed{op, awserr.Unavailable, "ServiceUnavailable", 503}, false},
		{"an HTML page", awssim.Fault{Kind: awssim.FaultHTML}, failed{op, awserr.Unavailable, "", 500}, false},
		{"reset", awssim.Fault{Kind: awssim.FaultReset}, failed{op, awserr.Unavailable, "", 0}, false},
		{"hung", awssim.Fault{Kind: awssim.FaultHang}, failed{op, awserr.Unavailable, "", 0}, false},
		{"busy", awssim.Fault{Kind: awssim.FaultError, Status: 409, Code: "ConcurrentModification"}, failed{op, awserr.Busy, "ConcurrentModification", 409}, true},
		{"temporarily unmodifiable", awssim.Fault{Kind: awssim.FaultError, Status: 409, Code: "EntityTemporarilyUnmodifiable"}, failed{op, awserr.Busy, "EntityTemporarilyUnmodifiable", 409}, true},
		{"denied", awssim.Fault{Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"}, failed{op, awserr.Denied, "AccessDenied", 403}, true},
		{"key not visible", awssim.Fault{Kind: awssim.FaultError, Status: 403, Code: "InvalidClientTokenId"}, failed{op, awserr.UnknownKey, "InvalidClientTokenId", 403}, true},
		{"expired", awssim.Fault{Kind: awssim.FaultError, Status: 403, Code: "ExpiredToken"}, failed{op, awserr.Expired, "ExpiredToken", 403}, true},
		{"limit", awssim.Fault{Kind: awssim.FaultError, Status: 409, Code: "LimitExceeded"}, failed{op, awserr.Limit, "LimitExceeded", 409}, true},
		{"bad policy", awssim.Fault{Kind: awssim.FaultError, Status: 400, Code: "MalformedPolicyDocument"}, failed{op, awserr.Invalid, "MalformedPolicyDocument", 400}, true},
		{"a code nobody knows", awssim.Fault{Kind: awssim.FaultError, Status: 400, Code: "Surprise"}, failed{op, awserr.Unknown, "Surprise", 400}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			cloud := newCloud(t, awssim.Options{})
			cloud.PutUser(account, "vault-a", "")
			cloud.Inject(tc.fault)
			ctx := t.Context()
			if tc.fault.Kind == awssim.FaultHang {
				ctx = soon(t)
			}
			err := mustClient(t, cloud.settings()).PutInlinePolicy(ctx, "vault-a", lifecycle.InlinePolicy{Name: "role", Document: allowEC2})
			mustFail(t, err, tc.want)
			if got := awserr.Refused(err); got != tc.refused {
				t.Errorf("refused: %t, want %t", got, tc.refused)
			}
		})
	}
}

// TestRefusals: what IAM itself says, without a fault.
func TestRefusals(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	cloud.PutUser(account, "vault-a", allowEC2)
	client := mustClient(t, cloud.settings())
	_, err := client.CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"})
	mustFail(t, err, failed{"iam:CreateUser", awserr.Exists, "EntityAlreadyExists", 409})
	mustFail(t, client.DeleteUser(t.Context(), "vault-a"), failed{"iam:DeleteUser", awserr.InUse, "DeleteConflict", 409})
	mustFail(t, client.DeleteUser(t.Context(), "vault-b"), failed{"iam:DeleteUser", awserr.NotFound, "NoSuchEntity", 404})
	mustFail(t, client.AttachPolicy(t.Context(), "vault-a", "arn:aws:iam::aws:policy/None"), failed{"iam:AttachUserPolicy", awserr.NotFound, "NoSuchEntity", 404})

	settings := cloud.settings()
	settings.SecretKey = "wrong"
	_, err = mustClient(t, settings).ListAccessKeys(t.Context(), "vault-a")
	mustFail(t, err, failed{"iam:ListAccessKeys", awserr.Denied, "SignatureDoesNotMatch", 403})
}

// TestRequestID: the id that AWS's support asks for is in the error.
func TestRequestID(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	err := mustClient(t, cloud.settings()).DeleteUser(t.Context(), "vault-b")
	want := "NoSuchEntity: The user with name vault-b cannot be found. (iam:DeleteUser, request id " + cloud.Journal()[0].RequestID + ")"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

// TestRedirectsAreNotFollowed: a signed request goes where the configuration
// says, and nowhere that an answer points.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		elsewhere := newRecorder(t, answering(http.StatusOK, ""))
		server := newRecorder(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.endpoint, status)
		})
		client := mustClient(t, server.settings())
		for op, call := range calls {
			if err := call(t.Context(), client); err == nil || awserr.Refused(err) {
				t.Errorf("%d, %s: %v, want an error whose effect is unknown", status, op, err)
			}
		}
		if _, err := client.Identity(t.Context()); err == nil {
			t.Errorf("%d, sts:GetCallerIdentity succeeded", status)
		}
		if got := elsewhere.seen(); len(got) != 0 {
			t.Errorf("%d: requests elsewhere: %v", status, got)
		}
	}
}
