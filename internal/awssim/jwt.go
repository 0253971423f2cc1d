package awssim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// identityToken is a web identity token, read but not verified.
type identityToken struct {
	header, payload, signature string         // as they came, base64
	claims                     map[string]any // nil for a payload that is no JSON object
}

func invalidIdentity(message string) *apiError {
	return refuse("InvalidIdentityToken", http.StatusBadRequest, "%s", message)
}

// readJWT takes a token apart. One whose payload says nothing is a token all
// the same: whether that suffices depends on who is asked to trust it.
func readJWT(token string) (identityToken, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return identityToken{}, invalidIdentity("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	out := identityToken{header: parts[0], payload: parts[1], signature: parts[2]}
	if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
		_ = json.Unmarshal(payload, &out.claims) // see above
	}
	return out, nil
}

// text is a claim that is a text, or "".
func (t identityToken) text(claim string) string {
	value, _ := t.claims[claim].(string)
	return value
}

// provider is the issuer as provider ARNs and condition keys have it.
func (t identityToken) provider() string { return strings.TrimPrefix(t.text("iss"), "https://") }

// values are a claim's scalars, as condition keys have them.
func (t identityToken) values(claim string) []string {
	items, ok := t.claims[claim].([]any)
	if !ok {
		items = []any{t.claims[claim]}
	}
	var out []string
	for _, item := range items {
		switch item := item.(type) {
		case string:
			out = append(out, item)
		case float64:
			out = append(out, strconv.FormatFloat(item, 'f', -1, 64))
		case bool:
			out = append(out, strconv.FormatBool(item))
		}
	}
	return out
}

// audience is whom the token is for: its authorized party if it names one,
// else its one audience.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
func (t identityToken) audience() (string, error) {
	audiences := slices.DeleteFunc(t.values("aud"), func(aud string) bool { return aud == "" })
	party := t.text("azp")
	switch {
	case len(audiences) == 0:
		return "", invalidIdentity(unprovenToken)
	case party != "":
		return party, nil
	case len(audiences) > 1:
		return "", invalidIdentity("Token audience contains more than one audience while authorized party is not present")
	}
	return audiences[0], nil
}

// conditionKeys are the token's claims as condition keys.
func (t identityToken) conditionKeys() contextKeys {
	keys := contextKeys{}
	for claim := range t.claims {
		if values := t.values(claim); len(values) > 0 && !slices.Contains([]string{"iss", "azp", "exp", "iat", "nbf"}, claim) {
			keys.set(t.provider()+":"+claim, values...)
		}
	}
	if party := t.text("azp"); party != "" {
		keys.set(t.provider()+":oaud", t.values("aud")...)
		keys.set(t.provider()+":aud", party)
	}
	return keys
}

// signedBy reports whether the token's signature is the key's: RS256 or
// ES256.
func (t identityToken) signedBy(key crypto.PublicKey) bool {
	signature, err := base64.RawURLEncoding.DecodeString(t.signature)
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(t.header + "." + t.payload))
	switch key := key.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PublicKey:
		if len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest[:], r, s)
	}
	return false
}
