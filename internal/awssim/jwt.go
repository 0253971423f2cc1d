package awssim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// claims are what the simulator reads of a web identity token. All may be
// absent.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
	Expiry  int64  `json:"exp"` // seconds since 1970; 0: never
	Aud     any    `json:"aud"` // a text or a list of texts
}

// readJWT reads the claims of a token without verifying its signature.
func readJWT(token string) (claims, error) {
	var out claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 || slices.Contains(parts, "") {
		return out, refuse("InvalidIdentityToken", http.StatusBadRequest,
			"The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &out) != nil {
		return claims{}, nil // JWT-shaped is enough
	}
	return out, nil
}

func (c claims) audience() string {
	switch aud := c.Aud.(type) {
	case string:
		return aud
	case []any:
		if len(aud) > 0 {
			text, _ := aud[0].(string)
			return text
		}
	}
	return ""
}

// provider is the issuer as provider ARNs and condition keys have it.
func (c claims) provider() string { return strings.TrimPrefix(c.Issuer, "https://") }

// trustsToken reports whether a role's trust policy lets the bearer of a
// token in.
func (r *role) trustsToken(c claims) bool {
	keys := contextKeys{}
	if c.Issuer != "" {
		keys.set(c.provider()+":sub", c.Subject)
		keys.set(c.provider()+":aud", c.audience())
	}
	q := ask{action: "sts:AssumeRoleWithWebIdentity", keys: keys}
	said := implicitDeny
	for i := range r.trust.doc.statements {
		st := &r.trust.doc.statements[i]
		if !c.meantBy(st) || !st.matches(q, r.trust.doc.version) {
			continue
		}
		if st.effect == "Deny" {
			return false
		}
		said = allowed
	}
	return said == allowed
}

// meantBy reports whether a statement names the token's provider. A token
// that names no issuer is from whichever provider is trusted.
func (c claims) meantBy(st *statement) bool {
	return slices.ContainsFunc(st.principals["Federated"], func(name string) bool {
		return c.Issuer == "" || strings.HasSuffix(name, ":oidc-provider/"+c.provider()) || name == c.provider()
	})
}
