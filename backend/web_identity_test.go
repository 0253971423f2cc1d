package backend_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/helper/pluginutil"
	"github.com/hashicorp/vault/sdk/logical"
)

// identityToken is what the test's Vault issues: a JWT in form.
const identityToken = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3ZhdWx0LmV4YW1wbGUiLCJhdWQiOiJ2YXVsdCIsInN1YiI6InBsdWdpbiJ9.c2lnbmF0dXJl"

// issuer is a server that issues identity tokens.
type issuer struct {
	*logical.StaticSystemView
	asked   []pluginutil.IdentityTokenRequest
	refusal error
}

func (s *issuer) GenerateIdentityToken(_ context.Context, req *pluginutil.IdentityTokenRequest) (*pluginutil.IdentityTokenResponse, error) {
	s.asked = append(s.asked, *req)
	return &pluginutil.IdentityTokenResponse{Token: identityToken, TTL: req.TTL}, s.refusal
}

// federated is a mount on a server that issues identity tokens, and the IAM role
// they are exchanged for.
func federated(t *testing.T, load loader) (m *mount, tokens *issuer, roleARN string) {
	m = newMount(t, load)
	tokens = &issuer{StaticSystemView: m.system}
	m.view = tokens
	m.reload()
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::` + m.admin.Account + `:oidc-provider/vault.example"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`
	return m, tokens, m.sim.PutRole(m.admin.Account, "engine", trust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`)
}

// TestWebIdentity: the token goes to STS, never to IAM (W72); the credentials it
// brings are kept; nothing of it is in the log.
func TestWebIdentity(t *testing.T) { onBoth(t, webIdentity) }

func webIdentity(t *testing.T, load loader) {
	m, tokens, roleARN := federated(t, load)
	iamOnly := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("WebIdentityToken")) {
			t.Errorf("an identity token at the IAM endpoint: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		m.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(iamOnly.Close)
	warnings := m.mustWrite("config/root", map[string]any{
		"identity_token_audience": "vault", "role_arn": roleARN, "region": "us-east-1", "iam_endpoint": iamOnly.URL, "sts_endpoint": m.endpoint,
	})
	if len(warnings) != 0 {
		t.Errorf("warnings = %q", warnings)
	}
	m.mustWrite("roles/x", plainUser())
	lease := m.mustRead("creds/x")
	m.mustRead("creds/x")
	m.must(m.revoke(lease.secret))
	if got := m.mustRead("config/root").data["credential_source"]; got != "web identity" {
		t.Errorf("credential_source = %v", got)
	}
	// One to try, one to exchange.
	want := []pluginutil.IdentityTokenRequest{{Audience: "vault", TTL: time.Hour}, {Audience: "vault", TTL: time.Hour}}
	if diff := cmp.Diff(want, tokens.asked); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if strings.Contains(m.log.String(), identityToken) {
		t.Error("the identity token is in the log")
	}
	m.wantWarning(m.mustWrite("roles/y", map[string]any{"credential_type": "session_token"}), "temporary", "web identity")
}

// TestWebIdentityChecks: what is refused, and that nothing is stored then.
func TestWebIdentityChecks(t *testing.T) { onBoth(t, webIdentityChecks) }

func webIdentityChecks(t *testing.T, load loader) {
	m, tokens, roleARN := federated(t, load)
	good := map[string]any{"identity_token_audience": "vault", "role_arn": roleARN, "region": "us-east-1", "sts_endpoint": m.endpoint, "iam_endpoint": m.endpoint}
	for _, tc := range []struct {
		send map[string]any
		word string
	}{
		{map[string]any{"identity_token_audience": "vault"}, "missing required 'role_arn'"},
		{map[string]any{"identity_token_audience": "vault", "role_arn": roleARN, "access_key": "AKIA", "secret_key": "s"}, "only one of 'access_key' or 'identity_token_audience'"},
		{map[string]any{"identity_token_audience": "vault", "role_arn": roleARN, "sts_endpoint": "http://sts.example"}, "not encrypted"},
	} {
		m.wantError(m.write("config/root", tc.send), http.StatusBadRequest, tc.word)
	}
	m.wantError(m.read("config/root"), http.StatusNotFound)

	m.mustWrite("config/root", good)
	m.wantError(m.write("config/root", map[string]any{"sts_endpoint": "https://elsewhere.example"}), http.StatusBadRequest, "identity_token_audience and role_arn")
	m.wantError(m.write("config/root", map[string]any{"access_key": "AKIA", "secret_key": "s"}), http.StatusBadRequest, "only one of")
	m.mustWrite("config/root", map[string]any{"identity_token_ttl": 600, "max_retries": 1})
	if got := plain(m, m.mustRead("config/root").data)["identity_token_ttl"]; got != 600 {
		t.Errorf("identity_token_ttl = %v", got)
	}
	m.wantError(m.rotate(), http.StatusBadRequest, "Cannot call config/rotate-root")

	m.mustWrite("roles/x", plainUser())
	tokens.refusal = errors.New("key is gone")
	m.reload()
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "NoIdentityToken", "key is gone", "identity_token_key")
	tokens.refusal = nil
	m.sim.PutRole(m.admin.Account, "other", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	m.mustWrite("config/root", map[string]any{"role_arn": strings.Replace(roleARN, "engine", "other", 1)})
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "sts:AssumeRoleWithWebIdentity", "trust policy")
	m.wantUsers(0)
}
