package awsclient_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"
)

// hasty is a clock whose time passes only while somebody sleeps, and then at once.
type hasty struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hasty) Sleep(ctx context.Context, d time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
	return ctx.Err()
}

// slowed returns a client that was told five times that it calls too often.
func slowed(t *testing.T, cloud cloud) (*awsclient.Client, awsclient.Settings) {
	t.Helper()
	settings := cloud.settings()
	settings.Accounts = governor.NewAccounts(&hasty{now: time.Now()})
	client := mustClient(t, settings)
	if _, err := client.Identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	cloud.Inject(awssim.Fault{Action: "iam:*", Kind: awssim.FaultThrottle, Count: 5})
	for range 5 {
		mustFail(t, calls["iam:ListAccessKeys"](t.Context(), client), failed{"iam:ListAccessKeys", awserr.Throttled, "Throttling", 400})
	}
	return client, settings
}

// TestGovernedAccounts: what throttling taught holds for the API and the account
// that it came from, whoever calls them, and for no other.
func TestGovernedAccounts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		client  func(t *testing.T, c *awsclient.Client, s awsclient.Settings) *awsclient.Client
		refused bool
	}{
		{"itself", func(_ *testing.T, c *awsclient.Client, _ awsclient.Settings) *awsclient.Client { return c }, true},
		{"a new root key", func(t *testing.T, _ *awsclient.Client, s awsclient.Settings) *awsclient.Client {
			return mustClient(t, s)
		}, true},
		{"another key", func(_ *testing.T, c *awsclient.Client, _ awsclient.Settings) *awsclient.Client {
			return c.WithKey(lifecycle.AccessKey{ID: "AKIAOTHER", Secret: "secret"})
		}, true},
		{"an IAM role of the account", func(_ *testing.T, c *awsclient.Client, _ awsclient.Settings) *awsclient.Client {
			return c.Through(lifecycle.AssumeStep{RoleARN: "arn:aws:iam::" + account + ":role/r"})
		}, true},
		{"an IAM role of another account", func(_ *testing.T, c *awsclient.Client, _ awsclient.Settings) *awsclient.Client {
			return c.Through(lifecycle.AssumeStep{RoleARN: "arn:aws:iam::222222222222:role/r"})
		}, false},
		{"another mount", func(t *testing.T, _ *awsclient.Client, s awsclient.Settings) *awsclient.Client {
			s.Accounts = nil
			return mustClient(t, s)
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			client, settings := slowed(t, newCloud(t, awssim.Options{}))
			_, release, err := tc.client(t, client, settings).Reserve(t.Context(), 3, time.Second)
			if tc.refused {
				mustFail(t, err, failed{"", awserr.Throttled, awserr.TooManyCalls, 0})
				return
			}
			mustDo(t, err)
			release()
			_, err = client.Identity(soon(t))
			mustDo(t, err)
		})
	}
}

// TestGovernedAttempts: each attempt teaches, also those that the SDK repeats.
func TestGovernedAttempts(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	settings := cloud.settings()
	settings.MaxRetries, settings.Accounts = -1, governor.NewAccounts(&hasty{now: time.Now()})
	cloud.Inject(awssim.Fault{Kind: awssim.FaultThrottle, Count: 2})
	client := mustClient(t, settings)
	_, err := client.CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"})
	mustDo(t, err)
	cloud.mustHaveSeen(t, "iam:CreateUser", "iam:CreateUser", "iam:CreateUser")
	_, _, err = client.Reserve(t.Context(), 1000, time.Second)
	refusal := (*governor.Refusal)(nil)
	if !errors.As(err, &refusal) || refusal.Rate != 7.5 { // throttled at 20, then at 10
		t.Errorf("Reserve: %v", err)
	}
}

// TestGovernedRefusal: a call whose turn cannot come in time is not sent, not
// repeated, and says so.
func TestGovernedRefusal(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	client, _ := slowed(t, cloud)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	sent := len(cloud.actions())
	err := calls["iam:ListAccessKeys"](ctx, client)
	mustFail(t, err, failed{"iam:ListAccessKeys", awserr.Throttled, awserr.TooManyCalls, 0})
	if !awserr.Refused(err) || len(cloud.actions()) != sent {
		t.Errorf("refused: %t, calls: %q", awserr.Refused(err), cloud.actions()[sent:])
	}
}

// TestGovernedCredentials: a call that waits for its credentials, which take a
// call to the same API, leaves that one its place.
func TestGovernedCredentials(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	role := cloud.PutRole(account, "deploy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}}`, allowAll)
	settings := cloud.settings()
	settings.Accounts = governor.NewAccounts(lifecycle.SystemClock{})
	client := mustClient(t, settings)
	_, err := client.Identity(t.Context())
	mustDo(t, err)
	for range 9 { // of the ten that may be under way
		_, err := settings.Accounts.Of("").STS.Call(t.Context())
		mustDo(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = client.Through(lifecycle.AssumeStep{RoleARN: role, SessionName: "session"}).Identity(ctx)
	mustDo(t, err)
}
