package awssim_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// signedJWT is a token with claims, signed by a key.
func signedJWT(t *testing.T, key crypto.Signer, claims string) string {
	t.Helper()
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"typ":"JWT"}`)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(text))
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return text + "." + encode(must(rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + encode(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
	}
	t.Fatalf("no such key: %T", key)
	return ""
}

// TestRegisteredProvider: once an account has a provider, tokens have to be
// for its clients and signed with its key.
func TestRegisteredProvider(t *testing.T) {
	sim, endpoint, admin := started(t, frozen())
	ec, other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	thumb := "&ClientIDList.member.1=vault&ThumbprintList.member.1=" + strings.Repeat("a", 40)
	for _, host := range []string{"ec.example", "rsa.example", "dark.example"} {
		walk(t, admin, []step{{"Action=CreateOpenIDConnectProvider&Url=https://" + host + thumb, "200"}})
	}
	sim.PutIssuer("https://ec.example", ec.Public())
	sim.PutIssuer("https://rsa.example", rsaKey.Public())
	claims := func(host, rest string) string {
		return fmt.Sprintf(`{"iss":"https://%s","sub":"ada","iat":1,"exp":%d%s}`, host, sim.Now().Unix()+600, rest)
	}
	const forVault = `,"aud":"vault"`
	for _, tc := range []struct{ name, token, want string }{
		{"ES256", signedJWT(t, ec, claims("ec.example", forVault)), "ok"},
		{"RS256", signedJWT(t, rsaKey, claims("rsa.example", forVault)), "ok"},
		{"an authorized party", signedJWT(t, ec, claims("ec.example", `,"aud":["a","b"],"azp":"vault"`)), "ok"},
		{"two audiences", signedJWT(t, ec, claims("ec.example", `,"aud":["a","b"]`)), "400 InvalidIdentityToken: Token audience contains more than one audience while authorized party is not present"},
		{"another's signature", signedJWT(t, other, claims("ec.example", forVault)), "400 InvalidIdentityToken: The web identity token provided could not be validated."},
		{"another audience", signedJWT(t, ec, claims("ec.example", `,"aud":"x"`)), "400 InvalidIdentityToken: Incorrect token audience"},
		{"a key nobody told of", signedJWT(t, ec, claims("dark.example", forVault)), "400 InvalidIdentityToken: Couldn't retrieve verification key"},
		{"an unregistered provider", signedJWT(t, ec, claims("id.example", forVault)), "403 AccessDenied"},
		{"expired", signedJWT(t, ec, fmt.Sprintf(`{"iss":"https://ec.example","sub":"ada","iat":1,"exp":%d,"aud":"vault"}`, sim.Now().Unix()-301)), "400 ExpiredTokenException"},
		{"no subject", signedJWT(t, ec, fmt.Sprintf(`{"iss":"https://ec.example","iat":1,"exp":%d,"aud":"vault"}`, sim.Now().Unix()+9)), "400 InvalidIdentityToken: Missing a required claim: sub."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var names bytes.Buffer
			for i, host := range []string{"ec.example", "rsa.example", "dark.example", "id.example"} {
				fmt.Fprintf(&names, "%s\"arn:aws:iam::123456789012:oidc-provider/%s\"", strings.Repeat(",", min(i, 1)), host)
			}
			role := sim.PutRole(account, "web", `{"Statement":[{"Effect":"Allow","Principal":{"Federated":[`+names.String()+`]},"Action":"sts:AssumeRoleWithWebIdentity"}]}`, "")
			nobody := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: &endpoint, RetryMaxAttempts: 1})
			_, err := nobody.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
				RoleArn: &role, RoleSessionName: aws.String("ss"), WebIdentityToken: &tc.token,
			})
			if got := said(err); !strings.HasPrefix(got, tc.want) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
