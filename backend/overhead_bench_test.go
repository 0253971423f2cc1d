package backend_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend"

	"github.com/hashicorp/vault/sdk/logical"
)

// cannedAWS answers at once that all went well, so that what is measured is ours.
type cannedAWS struct{}

// replies are the results of the actions that have one that counts.
var replies = map[string]string{
	"CreateUser":         `<User><UserName>u</UserName><UserId>AIDAEXAMPLE</UserId><Arn>arn:aws:iam::123456789012:user/u</Arn><Path>/</Path><CreateDate>2026-01-01T00:00:00Z</CreateDate></User>`,
	"CreateAccessKey":    `<AccessKey><UserName>u</UserName><AccessKeyId>AKIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><Status>Active</Status></AccessKey>`,
	"GetFederationToken": `<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`,
	"GetCallerIdentity":  `<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/root</Arn><UserId>AIDAROOT</UserId>`,
}

func (cannedAWS) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	action := form.Get("Action")
	text := fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%[1]sResponse>", action, replies[action])
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text)), Request: req}, nil
}

// BenchmarkOverhead is what the handlers themselves cost, with storage in memory
// and an AWS that answers at once.
func BenchmarkOverhead(b *testing.B) {
	m := newMountWith(b, inProcess, backend.Options{Version: "v0.0.1", Transport: cannedAWS{}})
	m.configured().mustWrite("roles/x", plainUser())
	m.mustWrite("roles/fed", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.mustWrite("roles/many", map[string]any{
		"credential_type": "iam_user", "policy_document": ec2Policy,
		"policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess,arn:aws:iam::aws:policy/SecurityAudit", "iam_tags": "team=a",
	})
	for _, path := range []string{"roles/x", "creds/x", "creds/many", "creds/fed", "config/root"} {
		b.Run("read "+path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := &logical.Request{Operation: logical.ReadOperation, Path: path, Storage: m.storage, DisplayName: "token-tester"}
				if _, err := m.backend.HandleRequest(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	lease := m.mustRead("creds/x").secret
	b.Run("renew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.renew(lease); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("revoke", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := m.revoke(lease); err != nil {
				b.Fatal(err)
			}
		}
	})
}
