package awsclient_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
)

// TestAnswers: a call that has nothing to return succeeds only by an answer of
// AWS's own form.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		want       error
	}{
		{"an answer", result("DeleteUser", ""), nil},
		{"an answer with a declaration and a namespace", `<?xml version="1.0"?><DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"/>`, nil},
		{"a page", "<!DOCTYPE html><html><body>Please log in</body></html>", awserr.Unavailable},
		{"nothing", "", awserr.Unavailable},
		{"JSON", `{"DeleteUserResponse":{}}`, awserr.Unavailable},
		{"an error", "<ErrorResponses/>", awserr.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := mustClient(t, newRecorder(t, answering(http.StatusOK, tc.body)).settings())
			if err := client.DeleteUser(t.Context(), "vault-a"); !errors.Is(err, tc.want) {
				t.Errorf("DeleteUser: %v, want %v", err, tc.want)
			}
		})
	}
}

// TestIncompleteGroupPolicies: policies that limit a session are not taken for
// none because an answer leaves them out.
func TestIncompleteGroupPolicies(t *testing.T) {
	t.Parallel()
	const one = "<PolicyNames><member>p</member></PolicyNames><IsTruncated>false</IsTruncated>"
	for _, tc := range []struct{ name, attached, inline, document string }{
		{"no list of managed policies", "", "<PolicyNames/>", ""},
		{"no list of inline policies", "<AttachedPolicies/>", "", ""},
		{"no document", "<AttachedPolicies/>", one, ""},
		{"a document that cannot be decoded", "<AttachedPolicies/>", one, "<PolicyDocument>%zz</PolicyDocument>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := newRecorder(t, func(w http.ResponseWriter, r *http.Request) {
				action := r.PostFormValue("Action")
				body := map[string]string{"ListAttachedGroupPolicies": tc.attached, "ListGroupPolicies": tc.inline, "GetGroupPolicy": tc.document}[action]
				answering(http.StatusOK, result(action, body))(w, r)
			})
			got, err := mustClient(t, server.settings()).GroupPolicies(t.Context(), []string{"g"})
			if !errors.Is(err, awserr.Unknown) {
				t.Errorf("GroupPolicies = %+v, %v; want an incomplete answer", got, err)
			}
		})
	}
}

// FuzzReply: whatever comes back, each call ends in a usable answer or in an
// error of ours that can be shown. One that was not sent by AWS is no success.
func FuzzReply(f *testing.F) {
	for action, body := range map[string]string{
		"CreateAccessKey": "<AccessKey><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey></AccessKey>",
		"AssumeRole":      "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>",
		"ListAccessKeys":  "<AccessKeyMetadata><member/></AccessKeyMetadata><IsTruncated>true</IsTruncated><Marker>m</Marker>",
		"GetGroupPolicy":  "<PolicyDocument>%7B%zz</PolicyDocument><AttachedPolicies/><PolicyNames><member>p</member></PolicyNames>",
		"GetUser":         "<User><CreateDate>x</CreateDate><Arn>arn:::::</Arn></User>",
	} {
		f.Add(0, result(action, body))
	}
	f.Add(203, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>a\nb\x1b</Message></Error><RequestId>\x00</RequestId></ErrorResponse>")
	f.Add(0, "<html>")
	f.Add(107, "")
	var reply struct {
		status int
		body   string
		left   atomic.Int32 // a list must not go on for ever
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reply.left.Add(-1) < 0 {
			answering(http.StatusServiceUnavailable, "")(w, r)
			return
		}
		answering(reply.status, reply.body)(w, r)
	}))
	f.Cleanup(server.Close)
	client, err := awsclient.New(f.Context(), awsclient.Settings{
		AccessKey: "AKIASTATIC", SecretKey: "secret", IAMEndpoint: server.URL, STS: []awsclient.Endpoint{{URL: server.URL}}, Now: time.Now,
	})
	must(err)
	f.Fuzz(func(t *testing.T, status int, body string) {
		reply.status, reply.body = 200+(status%400+400)%400, body
		for op, call := range everyCall(client) {
			reply.left.Store(5)
			err := call(t.Context())
			if err == nil && !strings.Contains(body, "Response") {
				t.Errorf("%s: a success by %d %q", op, reply.status, body)
			}
			if err != nil {
				checkShown(t, op, err)
			}
		}
	})
}

func checkShown(t *testing.T, op string, err error) {
	t.Helper()
	var ours *awserr.Error
	if !errors.As(err, &ours) {
		t.Errorf("%s: %v (%T), want an awserr.Error", op, err, err)
	}
	if text := err.Error(); len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%s: unprintable text %q", op, text)
	}
}

// everyCall is each call of a client. It fails, too, where an answer is taken
// for one that holds what it does not.
func everyCall(c *awsclient.Client) map[string]func(context.Context) error {
	calls := map[string]func(context.Context) error{
		"CreateUser": func(ctx context.Context) error {
			_, err := c.CreateUser(ctx, lifecycle.UserSpec{Name: "a"})
			return err
		},
		"DeleteUser":    func(ctx context.Context) error { return c.DeleteUser(ctx, "a") },
		"ListKeys":      func(ctx context.Context) error { _, err := c.KeysOf(ctx, "a"); return err },
		"ListPolicies":  func(ctx context.Context) error { _, err := c.ListAttachedPolicies(ctx, "a"); return err },
		"ListInline":    func(ctx context.Context) error { _, err := c.ListInlinePolicies(ctx, "a"); return err },
		"ListGroups":    func(ctx context.Context) error { _, err := c.ListGroups(ctx, "a"); return err },
		"FindUser":      func(ctx context.Context) error { _, err := c.FindUser(ctx, "a"); return err },
		"CreatedAt":     func(ctx context.Context) error { _, err := c.CreatedAt(ctx, "a"); return err },
		"LastUsed":      func(ctx context.Context) error { _, err := c.LastUsed(ctx, "a"); return err },
		"Identity":      func(ctx context.Context) error { _, err := c.Identity(ctx); return err },
		"GroupPolicies": func(ctx context.Context) error { return wholeGroup(c.GroupPolicies(ctx, []string{"g"})) },
		"CreateAccessKey": func(ctx context.Context) error {
			key, err := c.CreateAccessKey(ctx, "a")
			return wholeTexts(err, key.ID, key.Secret.Reveal())
		},
		"AssumeRole": func(ctx context.Context) error { return wholeSession(c.AssumeRole(ctx, lifecycle.AssumeRoleSpec{})) },
		"FederationToken": func(ctx context.Context) error {
			return wholeSession(c.FederationToken(ctx, lifecycle.FederationSpec{}))
		},
		"SessionToken": func(ctx context.Context) error {
			return wholeSession(c.SessionToken(ctx, lifecycle.SessionTokenSpec{}))
		},
	}
	for _, kind := range []lifecycle.SideCredential{lifecycle.ServiceCredential, lifecycle.MFADevice, lifecycle.SSHKey, lifecycle.SigningCertificate} {
		calls["List "+string(kind)] = func(ctx context.Context) error { _, err := c.ListSideCredentials(ctx, "a", kind); return err }
	}
	return calls
}

func wholeSession(s lifecycle.Session, err error) error {
	if err == nil && s.Expires.IsZero() {
		return errors.New("a session without an end")
	}
	return wholeTexts(err, s.AccessKey, s.SecretKey.Reveal(), s.SessionToken.Reveal())
}

func wholeGroup(g awsclient.GroupPolicies, err error) error { return wholeTexts(err, g.Documents...) }

// wholeTexts fails with no error of ours if a success holds an empty text.
func wholeTexts(err error, texts ...string) error {
	for _, text := range texts {
		if err == nil && text == "" {
			return errors.New("a success without what was asked for")
		}
	}
	return err
}
