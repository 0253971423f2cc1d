package awssim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"vault-plugin-secrets-aws/internal/awssim"
)

// federation calls the sign-in service and returns status, Location and body.
func federation(t *testing.T, endpoint string, params url.Values) (status int, location string, body []byte) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(endpoint+"/federation", params)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, resp.Header.Get("Location"), must(io.ReadAll(resp.Body))
}

// signinToken asks for a sign-in token.
func signinToken(t *testing.T, endpoint string, c *ststypes.Credentials, duration string) (status int, token string) {
	t.Helper()
	session := must(json.Marshal(map[string]string{"sessionId": *c.AccessKeyId, "sessionKey": *c.SecretAccessKey, "sessionToken": *c.SessionToken}))
	params := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	if duration != "" {
		params.Set("SessionDuration", duration)
	}
	status, _, body := federation(t, endpoint, params)
	var out struct{ SigninToken string }
	if status == http.StatusOK && json.Unmarshal(body, &out) != nil {
		t.Fatalf("body %s", body)
	}
	return status, out.SigninToken
}

// TestSigninToken is the table of which credentials have a console, and how
// long one may ask for.
func TestSigninToken(t *testing.T) {
	sim, endpoint, admin := started(t)
	role := sim.PutRole(account, "r", trusting(account), allow("*", "*"))
	assumed := assume(t, admin, role)
	chained := assume(t, withSession(endpoint, assumed), role)
	fed := must(admin.sts.GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("fed")})).Credentials
	session := must(admin.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})).Credentials
	wrong := *assumed
	wrong.SecretAccessKey = aws.String("wrong")
	for _, tc := range []struct {
		name     string
		creds    *ststypes.Credentials
		duration string
		want     int
	}{
		{"a role", assumed, "", 200},
		{"a role, for 12 hours", assumed, "43200", 200},
		{"a role, for too long", assumed, "43201", 400},
		{"a role, for too short", assumed, "899", 400},
		{"a role, for no number", assumed, "long", 400},
		{"a chained role", chained, "", 200},
		{"a chained role, with a duration", chained, "900", 400},
		{"a federated user", fed, "", 200},
		{"a federated user, with a duration", fed, "900", 400},
		{"a session token", session, "", 400},
		{"a wrong secret", &wrong, "", 400},
	} {
		if status, _ := signinToken(t, endpoint, tc.creds, tc.duration); status != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, status, tc.want)
		}
	}
	last := sim.Journal()[len(sim.Journal())-3]
	if last.Action != "signin:getSigninToken" || last.Caller != "arn:aws:sts::123456789012:federated-user/fed" {
		t.Errorf("journalled %+v", last)
	}
}

// TestLogin: the token leads to the console for 15 minutes.
func TestLogin(t *testing.T) {
	sim, endpoint, admin := started(t, frozen())
	_, token := signinToken(t, endpoint, assume(t, admin, sim.PutRole(account, "r", trusting(account), "")), "")
	login := url.Values{"Action": {"login"}, "Issuer": {"https://vault.example"}, "Destination": {"https://console.aws.amazon.com/"}, "SigninToken": {token}}
	for _, tc := range []struct {
		after time.Duration
		want  int
	}{{0, 302}, {14 * time.Minute, 302}, {time.Minute, 400}} {
		sim.Advance(tc.after)
		status, location, _ := federation(t, endpoint, login)
		if status != tc.want || status == 302 && location != "https://console.aws.amazon.com/" {
			t.Errorf("after another %s: %d to %q, want %d", tc.after, status, location, tc.want)
		}
	}
	if status, _, _ := federation(t, endpoint, url.Values{"Action": {"logout"}}); status != 400 {
		t.Errorf("unknown action: %d", status)
	}
}

// TestSigninExpired: expired credentials have no console.
func TestSigninExpired(t *testing.T) {
	sim, endpoint, admin := started(t, awssim.Options{Settings: awssim.Settings{MaxSkew: 48 * time.Hour}})
	c := assume(t, admin, sim.PutRole(account, "r", trusting(account), ""))
	sim.Advance(61 * time.Minute)
	if status, _ := signinToken(t, endpoint, c, ""); status != 400 {
		t.Errorf("status %d", status)
	}
}
