package awscontract

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// signinBeliefs are whose sessions may become one of the console.
var signinBeliefs = []belief{{
	id: "Sign-in: session of a role, with and without a duration", source: refSignin, want: "200, then 200",
	run: func(w *world) string {
		a, role := w.assumable()
		session := a.session(role)
		return then(session.signin(), session.signin("SessionDuration", "900"))
	},
}, {
	id: "Sign-in: duration out of bounds", source: refSignin, want: "400, then 400",
	run: func(w *world) string {
		a, role := w.assumable()
		session := a.session(role)
		return then(session.signin("SessionDuration", "899"), session.signin("SessionDuration", "43201"))
	},
}, {
	id: "Sign-in: federated user, with a duration", source: "teleport#9727", want: "200, then 400",
	run: func(w *world) string {
		session := w.federator().federated(limitedTo(anything))
		return then(session.signin(), session.signin("SessionDuration", "900"))
	},
}, {
	id: "Sign-in: chained role, with a duration", source: "aws-sso-cli#1247", want: "400",
	run: func(w *world) string {
		a, first := w.assumable(allow("sts:AssumeRole", "*"))
		_, second := w.role(trust(first))
		return a.session(first).session(second).signin("SessionDuration", "900")
	},
}, {
	id: "Sign-in: wrong token", source: refSignin, want: "400",
	run: func(w *world) string { return w.sessionKey(func(k *Key) { k.Token += "x" }).signin() },
}}

// getSigninToken is the sign-in service's action, for the table of what is
// missing.
const getSigninToken = "getSigninToken"

// signin asks the sign-in service for a token and returns the status. pairs
// are further parameters. POST keeps the secret out of logs.
func (a actor) signin(pairs ...string) string {
	who := must(a.cfg.Credentials.Retrieve(a.w.ctx))
	session := must(json.Marshal(map[string]string{"sessionId": who.AccessKeyID, "sessionKey": who.SecretAccessKey, "sessionToken": who.SessionToken}))
	form := url.Values{"Action": {getSigninToken}, "Session": {string(session)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	at := "https://signin.aws.amazon.com/federation"
	if a.w.backend.Endpoint != "" {
		at = a.w.backend.Endpoint + "/federation"
	}
	req := must(http.NewRequestWithContext(a.w.ctx, http.MethodPost, at, strings.NewReader(form.Encode())))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got, _, _ := strings.Cut(a.w.backend.answer(req), " ")
	a.w.note(getSigninToken, got)
	return got
}
