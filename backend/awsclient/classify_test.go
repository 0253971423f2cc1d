package awsclient_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
)

// TestStrangeAnswers: an answer that broke off says that the network failed, a
// page of somebody else's that the endpoint is wrong.
func TestStrangeAnswers(t *testing.T) {
	const cut = `<ErrorResponse><Error><Type>Sender</Type><Code>NoSuch`
	for _, tc := range []struct {
		name   string
		status int
		body   string
		want   awserr.Kind
	}{
		{"a refusal that broke off", 404, cut, awserr.Unavailable},
		{"a success that broke off", 200, `<ListAccessKeysResponse><ListAccess`, awserr.Unavailable},
		{"a whole refusal", 404, `<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>`, awserr.NotFound},
		{"somebody's page", 404, `<html><body>none</body></html>`, awserr.Unknown},
		{"somebody's page, no XML", 404, `<html><br></html>`, awserr.Unknown},
		{"nothing", 404, ``, awserr.Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			}))
			t.Cleanup(server.Close)
			client, err := awsclient.New(t.Context(), awsclient.Settings{
				AccessKey: "AKIAIOSFODNN7EXAMPLE", SecretKey: "secret", Region: "us-east-1", IAMEndpoint: server.URL, STS: []awsclient.Endpoint{{URL: server.URL}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = client.ListAccessKeys(t.Context(), "x"); !errors.Is(err, tc.want) {
				t.Errorf("ListAccessKeys() = %v, want the kind %q", err, tc.want)
			}
		})
	}
}
