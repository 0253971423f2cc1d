package awssim_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// signing says how to sign; zero fields are iam, us-east-1, now.
type signing struct {
	service string
	region  string
	at      time.Time
}

// form is a POST of a query-protocol body.
func form(t testing.TB, endpoint, body string) *http.Request {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+"/", strings.NewReader(body)))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return req
}

// sign signs with the SDK's signer, which the simulator does not use.
func sign(t testing.TB, req *http.Request, cfg aws.Config, how signing) {
	t.Helper()
	if how.service == "" {
		how.service = "iam"
	}
	if how.region == "" {
		how.region = "us-east-1"
	}
	if how.at.IsZero() {
		how.at = time.Now()
	}
	creds := must(cfg.Credentials.Retrieve(t.Context()))
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, req, bodyHash(req), how.service, how.region, how.at); err != nil {
		t.Fatal(err)
	}
}

func bodyHash(req *http.Request) string {
	var body []byte
	if req.GetBody != nil {
		body = must(io.ReadAll(must(req.GetBody())))
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func send(t *testing.T, req *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body)))
}

// codeIn is the error code in an answer, "" for none.
func codeIn(body string) string {
	_, after, found := strings.Cut(body, "<Code>")
	if !found {
		return ""
	}
	code, _, _ := strings.Cut(after, "</Code>")
	return code
}

func TestSignatures(t *testing.T) {
	sim, endpoint, _ := started(t)
	admin := sim.Admin()
	wrong := admin
	wrong.SecretKey = "wrong"
	unknown := admin
	unknown.AccessKey = "AKIAAAAAAAAAAAAAAAAA"
	const listUsers, identity = "Action=ListUsers&Version=2010-05-08", "Action=GetCallerIdentity&Version=2011-06-15"

	for _, tc := range []struct {
		name   string
		cfg    aws.Config
		how    signing
		body   string
		change func(*http.Request)
		status int
		code   string
	}{
		{name: "good, IAM", body: listUsers, status: 200},
		{name: "good, STS in another region", how: signing{service: "sts", region: "eu-west-1"}, body: identity, status: 200},
		{name: "IAM outside the home region", how: signing{region: "eu-west-1"}, body: listUsers, status: 403, code: "SignatureDoesNotMatch"},
		{name: "region of another partition", how: signing{service: "sts", region: "cn-north-1"}, body: identity, status: 403, code: "SignatureDoesNotMatch"},
		{name: "service of another scope", how: signing{service: "s3"}, body: listUsers, status: 400, code: "SignatureDoesNotMatch"},
		{name: "action of another service", how: signing{service: "sts"}, body: listUsers, status: 400, code: "SignatureDoesNotMatch"},
		{name: "unknown action", body: "Action=Frobnicate&Version=2010-05-08", status: 400, code: "InvalidAction"},
		{name: "unknown version", body: "Action=ListUsers&Version=2011-01-01", status: 400, code: "InvalidAction"},
		{name: "wrong secret", cfg: simtest.Config(endpoint, wrong), body: listUsers, status: 403, code: "SignatureDoesNotMatch"},
		{name: "unknown key", cfg: simtest.Config(endpoint, unknown), body: listUsers, status: 403, code: "InvalidClientTokenId"},
		{name: "token with a long-term key", cfg: simtest.Session(endpoint, admin.AccessKey, admin.SecretKey, "x"), body: listUsers, status: 403, code: "InvalidClientTokenId"},
		{name: "4 minutes old", how: signing{at: time.Now().Add(-4 * time.Minute)}, body: listUsers, status: 200},
		{name: "6 minutes old", how: signing{at: time.Now().Add(-6 * time.Minute)}, body: listUsers, status: 403, code: "SignatureDoesNotMatch"},
		{name: "6 minutes early", how: signing{at: time.Now().Add(6 * time.Minute)}, body: listUsers, status: 403, code: "SignatureDoesNotMatch"},
		{name: "unsigned", body: listUsers, change: func(r *http.Request) { r.Header.Del("Authorization") }, status: 403, code: "MissingAuthenticationToken"},
		{name: "no signature at all in it", body: listUsers, change: authorization("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host"), status: 400, code: "IncompleteSignature"},
		{name: "malformed component", body: listUsers, change: authorization("AWS4-HMAC-SHA256 Credential"), status: 400, code: "IncompleteSignature"},
		{name: "four-part credential", body: listUsers, change: authorization("AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=0"), status: 400, code: "IncompleteSignature"},
		{name: "host not signed", body: listUsers, change: authorization("AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request, SignedHeaders=x-amz-date, Signature=0"), status: 403, code: "SignatureDoesNotMatch"},
		{name: "signed header changed", body: listUsers, change: func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, status: 403, code: "SignatureDoesNotMatch"},
		{name: "EC2, good", how: signing{service: "ec2", region: "eu-west-1"}, body: "Action=DescribeRegions&Version=2016-11-15", status: 200},
		{name: "EC2, wrong secret", cfg: simtest.Config(endpoint, wrong), how: signing{service: "ec2"}, body: "Action=DescribeRegions&Version=2016-11-15", status: 401, code: "AuthFailure"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.cfg.Credentials == nil {
				tc.cfg = simtest.Config(endpoint, admin)
			}
			req := form(t, endpoint, tc.body)
			sign(t, req, tc.cfg, tc.how)
			if tc.change != nil {
				tc.change(req)
			}
			status, body := send(t, req)
			if status != tc.status || codeIn(body) != tc.code {
				t.Errorf("%d %q, want %d %q\n%s", status, codeIn(body), tc.status, tc.code, body)
			}
		})
	}
}

func authorization(value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

// TestSignatureOfAChangedBody signs one call and sends another.
func TestSignatureOfAChangedBody(t *testing.T) {
	sim, endpoint, _ := started(t)
	signed := form(t, endpoint, "Action=ListUsers&Version=2010-05-08")
	sign(t, signed, simtest.Config(endpoint, sim.Admin()), signing{})
	forged := form(t, endpoint, "Action=ListRoles&Version=2010-05-08")
	forged.Header = signed.Header
	status, body := send(t, forged)
	if status != 403 || codeIn(body) != "SignatureDoesNotMatch" || !strings.Contains(body, "The Canonical String for this request should have been") {
		t.Errorf("%d %s", status, body)
	}
}

// TestSignaturesBelieved: only on request is a wrong secret as good as the right
// one; an unknown key never is.
func TestSignaturesBelieved(t *testing.T) {
	sim, endpoint := simtest.Start(t, awssim.Options{Signatures: awssim.SignaturesBelieved})
	for key, believed := range map[string]bool{sim.Admin().AccessKey: true, "AKIANOSUCHKEY0000000": false} {
		client := sts.NewFromConfig(simtest.Session(endpoint, key, "wrong", ""))
		if _, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}); (err == nil) != believed {
			t.Errorf("%s: %v", key, err)
		}
	}
	if err := (awssim.Options{Signatures: "ignored"}).Validate(); err == nil {
		t.Error("an unknown word is accepted")
	}
}

func TestSignatureInAQuery(t *testing.T) {
	sim, _, admin := started(t)
	url := must(sts.NewPresignClient(admin.sts).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})).URL
	get := func(url string) (int, string) {
		return send(t, must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)))
	}
	if status, body := get(url); status != 200 || !strings.Contains(body, ":user/admin</Arn>") {
		t.Errorf("presigned: %d %s", status, body)
	}
	if status, body := get(strings.Replace(url, "Signature=", "Signature=0", 1)); status != 403 || codeIn(body) != "SignatureDoesNotMatch" {
		t.Errorf("presigned, another signature: %d %s", status, body)
	}
	sim.Advance(14 * time.Minute)
	if status, body := get(url); status != 200 {
		t.Errorf("presigned, 14 minutes old: %d %s", status, body)
	}
	sim.Advance(2 * time.Minute)
	if status, body := get(url); status != 403 || codeIn(body) != "SignatureDoesNotMatch" {
		t.Errorf("presigned, 16 minutes old: %d %s", status, body)
	}
}

func TestSignatureOfAGet(t *testing.T) {
	sim, endpoint, _ := started(t)
	query := url.Values{"Action": {"GetUser"}, "Version": {"2010-05-08"}, "UserName": {"admin"}}
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/?"+query.Encode(), nil))
	sign(t, req, simtest.Config(endpoint, sim.Admin()), signing{})
	if status, body := send(t, req); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// TestKeyLife follows one key through every state it can be in.
func TestKeyLife(t *testing.T) {
	sim, endpoint, admin := started(t)
	user := sim.PutUser(account, "u", "")
	u := as(endpoint, user)
	check := func(when, want string) {
		t.Helper()
		_, err := whoami(t.Context(), u)
		wantOutcome(t, when, err, want)
	}
	check("active", "ok")
	for _, status := range []string{"Inactive", "Active", "Inactive"} {
		must(admin.iam.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
			UserName: &user.UserName, AccessKeyId: &user.AccessKey, Status: statusType(status),
		}))
		want := map[string]string{"Active": "ok", "Inactive": "403 InvalidClientTokenId"}[status]
		check(status, want)
	}
	must(admin.iam.DeleteAccessKey(t.Context(), &iam.DeleteAccessKeyInput{UserName: &user.UserName, AccessKeyId: &user.AccessKey}))
	check("deleted", "403 InvalidClientTokenId")
}

// TestWire compares whole bodies, which SDKs do not show.
func TestWire(t *testing.T) {
	sim, endpoint, _ := started(t, awssim.Options{
		Seed: 1, Clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
	})
	at := sim.Now()
	for _, tc := range []struct{ name, body, service, want string }{
		{
			"a refusal", "Action=CreateGroup&Version=2010-05-08&GroupName=g%26h&Path=/a/", "iam",
			`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>ValidationError</Code>` +
				`<Message>The specified value for groupName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-</Message></Error><RequestId>ID</RequestId></ErrorResponse>`,
		},
		{
			"a group", "Action=CreateGroup&Version=2010-05-08&GroupName=g&Path=/a/", "iam",
			`<CreateGroupResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateGroupResult><Group><Path>/a/</Path><GroupName>g</GroupName>` +
				`<GroupId>GID</GroupId><Arn>arn:aws:iam::123456789012:group/a/g</Arn><CreateDate>2026-01-02T03:04:05Z</CreateDate></Group></CreateGroupResult>` +
				`<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></CreateGroupResponse>`,
		},
		{
			"no result", "Action=DeleteGroup&Version=2010-05-08&GroupName=g", "iam",
			`<DeleteGroupResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></DeleteGroupResponse>`,
		},
		{
			"EC2 refuses", "Action=DescribeMoons&Version=2016-11-15", "ec2",
			`<Response><Errors><Error><Code>InvalidAction</Code><Message>Could not find operation DescribeMoons for version 2016-11-15</Message></Error></Errors><RequestID>ID</RequestID></Response>`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := form(t, endpoint, tc.body)
			sign(t, req, simtest.Config(endpoint, sim.Admin()), signing{service: tc.service, at: at})
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			id := resp.Header.Get("X-Amzn-Requestid")
			got := strings.ReplaceAll(string(must(io.ReadAll(resp.Body))), id, "ID")
			for _, g := range sim.State().Accounts[account].Groups {
				got = strings.ReplaceAll(got, g.ID, "GID")
			}
			if diff := cmp.Diff(xml.Header+tc.want, got); diff != "" {
				t.Error(diff)
			}
			if got := resp.Header.Get("Content-Type"); got != "text/xml" || id == "" {
				t.Errorf("Content-Type %q, request id %q", got, id)
			}
		})
	}
}

func TestPartitions(t *testing.T) {
	sim, endpoint, _ := started(t, awssim.Options{Region: "cn-northwest-1"})
	cfg := simtest.Config(endpoint, sim.Admin())
	for region, want := range map[string]string{
		"cn-north-1": "ok", "cn-northwest-1": "403 SignatureDoesNotMatch", "us-east-1": "403 SignatureDoesNotMatch",
	} {
		cfg.Region = region
		_, err := iam.NewFromConfig(cfg).ListUsers(t.Context(), &iam.ListUsersInput{})
		wantOutcome(t, "ListUsers signed for "+region, err, want)
	}
	cfg.Region = "cn-northwest-1"
	if arn := must(whoami(t.Context(), actorOf(cfg))); arn != "arn:aws-cn:iam::123456789012:user/admin" {
		t.Errorf("caller %s", arn)
	}
}
