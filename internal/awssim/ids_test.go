package awssim_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"testing"
	"testing/cryptotest"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestGlobalRandom: without a seed of its own the simulator's ids follow from
// the test's.
func TestGlobalRandom(t *testing.T) {
	draw := func() []awssim.Credentials {
		sim := awssim.New(awssim.Options{})
		return []awssim.Credentials{sim.Admin(), sim.PutUser(account, "u", "")}
	}
	cryptotest.SetGlobalRandom(t, 1)
	first := draw()
	cryptotest.SetGlobalRandom(t, 1)
	again := draw()
	cryptotest.SetGlobalRandom(t, 2)
	other := draw()
	if diff := cmp.Diff(first, again); diff != "" || cmp.Equal(first, other) {
		t.Errorf("same seed: %s; another one: %v", diff, other)
	}
}

// TestRandom: ids come from the reader that the options name.
func TestRandom(t *testing.T) {
	sim := awssim.New(awssim.Options{Random: bytes.NewReader(make([]byte, 1000))})
	if id := sim.Admin().AccessKey; id != "AKIAAAAAAAAAAAAAAAAA" {
		t.Errorf("id %s", id)
	}
}

// TestControlIssuer: the control API takes what PutIssuer takes.
func TestControlIssuer(t *testing.T) {
	_, endpoint, _ := started(t)
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))})
	body := must(json.Marshal(map[string]string{"url": "https://id.example", "public_key": string(text)}))
	mustControl[struct{}](t, endpoint, "POST", "issuers", string(body))
	saved := mustControl[map[string]any](t, endpoint, "GET", "save", "")
	if issuers, _ := saved["issuers"].(map[string]any); len(issuers) != 1 {
		t.Errorf("issuers %v", saved["issuers"])
	}
	for _, bad := range []string{`{"url":"https://id.example","public_key":"x"}`, `{"url":"id.example","public_key":` + string(must(json.Marshal(string(text)))) + `}`} {
		if status, _ := control(t, endpoint, "POST", "issuers", bad); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
}
