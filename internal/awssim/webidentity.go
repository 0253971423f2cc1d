package awssim

import (
	"crypto"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	unprovenToken = "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements."
	// unreachable has two spaces because AWS's text has.
	unreachable = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
	// tokenLeeway is how long an expired token is still taken. Source:
	// versitygw v1.8.0 iamapi, which observed it.
	tokenLeeway = 5 * time.Minute
)

// PutIssuer makes the simulator know the public key (RSA or ECDSA P-256) that
// an OIDC provider, named by its URL, signs tokens with. AWS fetches keys from
// the provider; the simulator reaches nothing.
func (s *Sim) PutIssuer(url string, key crypto.PublicKey) { must(s.putIssuer(url, key)) }

func (s *Sim) putIssuer(url string, key crypto.PublicKey) error {
	bare, err := bareURL(url)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.issuers[bare] = key
	return nil
}

// webIdentity is one AssumeRoleWithWebIdentity under judgement.
type webIdentity struct {
	*assumption
	token    identityToken
	provider *oidcProvider // the one that vouches for the token; nil: one that is not registered
}

// assumeRoleWithWebIdentity takes a token of a provider that is registered in
// the role's account only if its audience is a client of that provider and
// its signature that of a key the simulator was told of. A provider that a
// trust policy names but nobody registered is taken at its word.
func assumeRoleWithWebIdentity(c *call) ([]node, error) {
	token, err := readJWT(c.in.text("WebIdentityToken"))
	if err != nil {
		return nil, err
	}
	arn, ok := parseARN(c.in.text("RoleArn"))
	name, isRole := strings.CutPrefix(arn.resource, "role/")
	if !ok || !isRole {
		return nil, validationError("%s is invalid", c.in.text("RoleArn"))
	}
	r := c.sim.world.role(arn, name)
	if r == nil {
		return nil, notByWebIdentity()
	}
	w := &webIdentity{assumption: &assumption{call: c, role: r}, token: token}
	if _, err := w.roleDuration(); err != nil {
		return nil, err
	}
	if err := w.judge(); err != nil {
		return nil, err
	}
	return w.grant()
}

func notByWebIdentity() *apiError {
	return accessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
}

// grant makes the session of a token that was judged.
func (w *webIdentity) grant() ([]node, error) {
	s := &session{kind: callerRole, name: w.in.text("RoleSessionName")}
	w.account, w.caller = w.role.account, &caller{kind: callerRole, account: w.role.account, role: w.role, now: w.now}
	out, err := w.assumption.grant(s)
	if err != nil {
		return nil, err
	}
	w.caller = s.caller() // for the journal
	audience, _ := w.token.audience()
	return append(out, leaf("SubjectFromWebIdentityToken", w.token.text("sub")),
		leaf("Audience", audience), leaf("Provider", w.token.text("iss"))), nil
}

// judge holds the token against the role's trust policy, then, for a
// registered provider, against what the provider vouches for.
func (w *webIdentity) judge() error {
	if w.strict() && w.token.provider() == "" {
		return notByWebIdentity()
	}
	audience, err := w.token.audience()
	if err != nil && w.strict() {
		return err
	}
	if err := w.trusted(); err != nil {
		return err
	}
	if w.provider != nil {
		if err := w.vouched(audience); err != nil {
			return err
		}
	}
	return w.inTime()
}

// strict holds where providers have to be registered.
func (w *webIdentity) strict() bool {
	return w.sim.options.Dialect == DialectVersitygw || len(w.role.account.providers) > 0
}

// registered finds the provider that a trust policy names. Without strictness
// one that is not registered is there as well.
func (w *webIdentity) registered(name string) (p *oidcProvider, url string, there bool) {
	_, url, isARN := strings.Cut(name, ":oidc-provider/")
	if !isARN {
		url = name
	}
	p = w.role.account.providers[url]
	if p != nil && p.arn() == name {
		return p, url, true
	}
	return nil, url, !w.strict()
}

// trusted evaluates the trust policy. AWS denies access whatever is wrong;
// versitygw calls the token invalid once the policy names a provider that is
// there.
func (w *webIdentity) trusted() error {
	q := ask{action: "sts:AssumeRoleWithWebIdentity", keys: w.keysOfToken()}
	v := w.role.inForce(w.now, w.role.present())
	if v.trust == nil {
		return notByWebIdentity() // too new
	}
	doc := v.trust.doc
	var there, allowed bool
	for i := range doc.statements {
		st := &doc.statements[i]
		for _, name := range st.principals["Federated"] {
			p, url, exists := w.registered(name)
			there = there || exists
			issued := url == w.token.provider() || !w.strict() && w.token.provider() == ""
			if !exists || !issued || !st.matchesAction(q.action) {
				continue
			}
			if !st.matchesConditions(q.keys, doc.version) {
				continue
			}
			if st.effect == "Deny" {
				return notByWebIdentity()
			}
			w.provider, allowed = p, true
		}
	}
	if allowed {
		return nil
	}
	if there && w.sim.options.Dialect == DialectVersitygw {
		return invalidIdentity(unprovenToken)
	}
	return notByWebIdentity()
}

// keysOfToken are the condition keys of an unsigned call, and the token's.
func (w *webIdentity) keysOfToken() contextKeys {
	keys := w.unsignedKeys()
	keys.set("sts:RoleSessionName", w.in.text("RoleSessionName"))
	maps.Copy(keys, w.token.conditionKeys())
	return keys
}

// vouched checks audience, signature and the claims that must be there.
func (w *webIdentity) vouched(audience string) error {
	if !slices.Contains(w.provider.clientIDs, audience) {
		return w.sim.wrongAudience()
	}
	key := w.sim.world.issuers[w.provider.url]
	if key == nil {
		return invalidIdentity(unreachable)
	}
	if !w.token.signedBy(key) {
		return invalidIdentity(unprovenToken)
	}
	for _, claim := range []string{"exp", "iat", "sub"} {
		if len(w.token.values(claim)) == 0 {
			return invalidIdentity(fmt.Sprintf("Missing a required claim: %s.", claim))
		}
	}
	return nil
}

// wrongAudience is AWS's text, or versitygw's.
func (s *Sim) wrongAudience() error {
	if s.options.Dialect == DialectVersitygw {
		return invalidIdentity(unprovenToken)
	}
	return invalidIdentity("Incorrect token audience")
}

// inTime refuses a token that has expired.
func (w *webIdentity) inTime() error {
	expiry, ok := w.token.claims["exp"].(float64)
	if !ok || w.now.Before(time.Unix(int64(expiry), 0).Add(tokenLeeway)) {
		return nil
	}
	return refuse("ExpiredTokenException", http.StatusBadRequest,
		"Token expired: current date/time %d must be before the expiration date/time %d", w.now.Unix(), int64(expiry))
}
