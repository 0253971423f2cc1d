package awsclient_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// TestSessions: what STS hands out works, is whose it should be and ends when it
// says.
func TestSessions(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	role := cloud.PutRole(account, "deploy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}}}`, allowAll)
	client := mustClient(t, cloud.settings())
	for _, tc := range []struct {
		name  string
		mint  func() (lifecycle.Session, error)
		ttl   time.Duration
		arn   string // in the answer
		works string // whom the session is
	}{
		{
			name: "assumed role",
			mint: func() (lifecycle.Session, error) {
				return client.AssumeRole(t.Context(), lifecycle.AssumeRoleSpec{
					RoleARN: role, SessionName: "ada", ExternalID: "x-1", Policy: allowEC2,
					PolicyARNs: []string{readOnly}, Tags: map[string]string{"team": "a"}, TTL: 20 * time.Minute,
				})
			},
			ttl:   20 * time.Minute,
			arn:   "arn:aws:sts::123456789012:assumed-role/deploy/ada",
			works: "arn:aws:sts::123456789012:assumed-role/deploy/ada",
		}, {
			name: "federation token",
			mint: func() (lifecycle.Session, error) {
				return client.FederationToken(t.Context(), lifecycle.FederationSpec{Name: "ada", Policy: allowEC2, PolicyARNs: []string{readOnly}, TTL: time.Hour})
			},
			ttl:   time.Hour,
			works: "arn:aws:sts::123456789012:federated-user/ada",
		}, {
			name: "session token",
			mint: func() (lifecycle.Session, error) {
				return client.SessionToken(t.Context(), lifecycle.SessionTokenSpec{TTL: 15 * time.Minute})
			},
			ttl:   15 * time.Minute,
			works: "arn:aws:iam::123456789012:user/admin",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := cloud.Now().Truncate(time.Second)
			got, err := tc.mint()
			mustDo(t, err)
			if end := before.Add(tc.ttl); got.Expires.Before(end) || got.Expires.After(end.Add(time.Minute)) || got.ARN != tc.arn {
				t.Errorf("ends at %s, ARN %q; want %s, %q", got.Expires, got.ARN, end, tc.arn)
			}
			config := simtest.Session(cloud.endpoint, got.AccessKey, got.SecretKey.Reveal(), got.SessionToken.Reveal())
			who, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			if mustDo(t, err); aws.ToString(who.Arn) != tc.works {
				t.Errorf("the session is %q, want %q", aws.ToString(who.Arn), tc.works)
			}
		})
	}
}

// TestSessionRequests: each field of a spec has its parameter, and what a spec
// leaves out is left out.
func TestSessionRequests(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		mint func(*awsclient.Client) (lifecycle.Session, error)
		want map[string][]string
	}{
		{
			name: "AssumeRole with everything",
			mint: func(c *awsclient.Client) (lifecycle.Session, error) {
				return c.AssumeRole(t.Context(), lifecycle.AssumeRoleSpec{
					RoleARN: "arn:role", SessionName: "ada", ExternalID: "x-1", Policy: "{}",
					PolicyARNs: []string{"arn:one", "arn:two"}, Tags: map[string]string{"team": "a"}, TTL: time.Hour,
				})
			},
			want: map[string][]string{
				"Action": {"AssumeRole"}, "RoleArn": {"arn:role"}, "RoleSessionName": {"ada"}, "ExternalId": {"x-1"}, "Policy": {"{}"},
				"PolicyArns.member.1.arn": {"arn:one"}, "PolicyArns.member.2.arn": {"arn:two"},
				"Tags.member.1.Key": {"team"}, "Tags.member.1.Value": {"a"}, "DurationSeconds": {"3600"},
			},
		}, {
			name: "AssumeRole",
			mint: func(c *awsclient.Client) (lifecycle.Session, error) {
				return c.AssumeRole(t.Context(), lifecycle.AssumeRoleSpec{RoleARN: "arn:role", SessionName: "ada", TTL: time.Hour})
			},
			want: map[string][]string{"Action": {"AssumeRole"}, "RoleArn": {"arn:role"}, "RoleSessionName": {"ada"}, "DurationSeconds": {"3600"}},
		}, {
			name: "GetFederationToken",
			mint: func(c *awsclient.Client) (lifecycle.Session, error) {
				return c.FederationToken(t.Context(), lifecycle.FederationSpec{Name: "ada", Policy: "{}", PolicyARNs: []string{"arn:one"}, TTL: 90 * time.Minute})
			},
			want: map[string][]string{"Action": {"GetFederationToken"}, "Name": {"ada"}, "Policy": {"{}"}, "PolicyArns.member.1.arn": {"arn:one"}, "DurationSeconds": {"5400"}},
		}, {
			name: "GetSessionToken",
			mint: func(c *awsclient.Client) (lifecycle.Session, error) {
				return c.SessionToken(t.Context(), lifecycle.SessionTokenSpec{TTL: 15 * time.Minute})
			},
			want: map[string][]string{"Action": {"GetSessionToken"}, "DurationSeconds": {"900"}},
		}, {
			name: "GetSessionToken with MFA",
			mint: func(c *awsclient.Client) (lifecycle.Session, error) {
				return c.SessionToken(t.Context(), lifecycle.SessionTokenSpec{MFASerial: "arn:mfa", MFACode: "123456", TTL: 15 * time.Minute})
			},
			want: map[string][]string{"Action": {"GetSessionToken"}, "SerialNumber": {"arn:mfa"}, "TokenCode": {"123456"}, "DurationSeconds": {"900"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := newRecorder(t, answering(http.StatusForbidden, ""))
			if _, err := tc.mint(mustClient(t, server.settings())); err == nil {
				t.Error("a 403 is a success")
			}
			want := []request{{form: tc.want, scope: "us-east-1/sts", key: "AKIASTATIC"}}
			if diff := cmp.Diff(want, server.seen(), cmp.AllowUnexported(request{})); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSTSFallback: another endpoint is tried where no answer or a 5xx came back,
// and nowhere else. After half a minute the preferred one is preferred again.
func TestSTSFallback(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault awssim.Fault // of the first endpoint
		first []string     // calls there
		then  []string     // calls at the second
		want  failed
	}{
		{name: "all is well", first: []string{"sts:GetCallerIdentity"}},
		{
			name:  "reset",
			fault: awssim.Fault{Kind: awssim.FaultReset},
			first: []string{"sts:GetCallerIdentity"}, then: []string{"sts:GetCallerIdentity"},
		},
		{
			name:  "500",
			fault: awssim.Fault{Kind: awssim.FaultError, Status: 500, Code: "InternalFailure"},
			first: []string{"sts:GetCallerIdentity"}, then: []string{"sts:GetCallerIdentity"},
		},
		{
			name:  "503",
			fault: awssim.Fault{Kind: awssim.FaultError, Status: 503, Code: "ServiceUnavailable"},
			first: []string{"sts:GetCallerIdentity"}, then: []string{"sts:GetCallerIdentity"},
		},
		{
			name:  "an HTML page",
			fault: awssim.Fault{Kind: awssim.FaultHTML},
			first: []string{"sts:GetCallerIdentity"}, then: []string{"sts:GetCallerIdentity"},
		},
		{
			name:  "AccessDenied",
			fault: awssim.Fault{Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
			first: []string{"sts:GetCallerIdentity"},
			want:  failed{"sts:GetCallerIdentity", awserr.Denied, "AccessDenied", 403},
		},
		{
			name:  "throttled",
			fault: awssim.Fault{Kind: awssim.FaultThrottle},
			first: []string{"sts:GetCallerIdentity"},
			want:  failed{"sts:GetCallerIdentity", awserr.Throttled, "Throttling", 400},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			first, second := newCloud(t, awssim.Options{Seed: 1}), newCloud(t, awssim.Options{Seed: 1})
			settings := first.settings()
			settings.STS = []awsclient.Endpoint{{URL: first.endpoint}, {URL: second.endpoint, Region: "eu-west-1"}}
			now := time.Now()
			settings.Now = func() time.Time { return now }
			client := mustClient(t, settings)
			if tc.fault.Kind != "" {
				tc.fault.Count = 1
				first.Inject(tc.fault)
			}
			_, err := client.Identity(t.Context())
			if tc.want != (failed{}) {
				mustFail(t, err, tc.want)
			} else {
				mustDo(t, err)
			}
			first.mustHaveSeen(t, tc.first...)
			second.mustHaveSeen(t, tc.then...)

			now = now.Add(31 * time.Second)
			_, err = client.Identity(t.Context())
			mustDo(t, err)
			first.mustHaveSeen(t, append(tc.first, "sts:GetCallerIdentity")...)
			second.mustHaveSeen(t, tc.then...)
		})
	}
}

// TestSTSEndpointRests: an endpoint that died is left in peace for half a minute,
// unless there is no other.
func TestSTSEndpointRests(t *testing.T) {
	t.Parallel()
	first, second := newCloud(t, awssim.Options{Seed: 1}), newCloud(t, awssim.Options{Seed: 1})
	settings := first.settings()
	settings.STS = append(settings.STS, awsclient.Endpoint{URL: second.endpoint})
	now := time.Now()
	settings.Now = func() time.Time { return now }
	client := mustClient(t, settings)
	first.Inject(awssim.Fault{Kind: awssim.FaultReset})
	for range 3 {
		_, err := client.Identity(t.Context())
		mustDo(t, err)
	}
	first.mustHaveSeen(t, "sts:GetCallerIdentity")

	first.ClearFaults()
	second.Inject(awssim.Fault{Kind: awssim.FaultReset})
	_, err := client.Identity(t.Context())
	mustDo(t, err)
	first.mustHaveSeen(t, "sts:GetCallerIdentity", "sts:GetCallerIdentity")
}

// TestSTSFallbackRefused: an endpoint where nobody listens.
func TestSTSFallbackRefused(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	settings := cloud.settings()
	settings.STS = []awsclient.Endpoint{{URL: nobody(t)}, {URL: nobody(t)}, {URL: cloud.endpoint}}
	if _, err := mustClient(t, settings).Identity(t.Context()); err != nil {
		t.Errorf("Identity: %v", err)
	}
	settings.STS = settings.STS[:2]
	_, err := mustClient(t, settings).Identity(t.Context())
	mustFail(t, err, failed{"sts:GetCallerIdentity", awserr.Unavailable, "", 0})
}

// nobody is an endpoint where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// TestSTSFallbackEndsWithTheRequest: who left does not wait for a second
// endpoint.
func TestSTSFallbackEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	first, second := newCloud(t, awssim.Options{Seed: 1}), newCloud(t, awssim.Options{Seed: 1})
	first.Inject(awssim.Fault{Kind: awssim.FaultHang})
	settings := first.settings()
	settings.STS = append(settings.STS, awsclient.Endpoint{URL: second.endpoint})
	_, err := mustClient(t, settings).Identity(soon(t))
	mustFail(t, err, failed{"sts:GetCallerIdentity", awserr.Unavailable, "", 0})
	second.mustHaveSeen(t)
}

// TestAccount is asked once, whoever told it.
func TestAccount(t *testing.T) {
	t.Parallel()
	cloud := newCloud(t, awssim.Options{})
	client := mustClient(t, cloud.settings())
	for range 3 {
		if got, err := client.Account(t.Context()); got != account || err != nil {
			t.Errorf("Account = %q, %v", got, err)
		}
	}
	cloud.mustHaveSeen(t, "sts:GetCallerIdentity")

	client = mustClient(t, cloud.settings())
	_, err := client.CreateUser(t.Context(), lifecycle.UserSpec{Name: "vault-a"})
	mustDo(t, err)
	if got, err := client.Account(t.Context()); got != account || err != nil {
		t.Errorf("Account = %q, %v", got, err)
	}
	cloud.mustHaveSeen(t, "sts:GetCallerIdentity", "iam:CreateUser")
}
