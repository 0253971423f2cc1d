package awssim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The sign-in service turns temporary credentials into a link to the console.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html

const (
	signinPath    = "/federation"
	serviceSignin = "signin"
	// signinTokenAge is how long a sign-in token can be used.
	signinTokenAge = 15 * time.Minute
	minConsole     = 900   // seconds of a console session
	maxConsole     = 43200 // likewise
)

// signinToken is worth a console session, once or more often, for a while.
type signinToken struct {
	session *session
	expires time.Time
}

func isSignin(r *http.Request) bool { return r.URL.Path == signinPath }

// signin answers one request of the sign-in service.
func (s *Sim) signin(req *request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{sim: s, req: req, service: serviceSignin, requestID: s.ids.requestID(), now: s.now(), in: inputs{req.params}}
	var out reply
	switch c.operationName() {
	case "getSigninToken":
		out = c.getSigninToken()
	case "login":
		out = c.login()
	default:
		out = c.badSignin()
	}
	return s.finish(c, out, nil)
}

// badSignin is the one answer to whatever is wrong: a page, no XML.
func (c *call) badSignin() reply {
	return reply{
		requestID: c.requestID, status: http.StatusBadRequest, contentType: "text/html", code: "BadRequest",
		body: []byte("<html><head><title>Bad Request</title></head><body>Invalid credentials parameter</body></html>\n"),
	}
}

// getSigninToken takes the credentials of a session that may have a console.
// A duration is for roles that were assumed with long-term keys only.
// Sources: teleport#9727, aws-sso-cli#1247.
func (c *call) getSigninToken() reply {
	var in struct {
		ID     string `json:"sessionId"`
		Secret string `json:"sessionKey"`
		Token  string `json:"sessionToken"`
	}
	if json.Unmarshal([]byte(c.in.text("Session")), &in) != nil {
		return c.badSignin()
	}
	sess := c.sim.world.sessions[in.ID]
	if sess == nil || sess.secret != in.Secret || sess.token != in.Token || sess.orphaned() || !c.now.Before(sess.expires) {
		return c.badSignin()
	}
	c.caller = sess.caller()
	if sess.kind == callerSessionToken || !c.consoleDuration(sess) {
		return c.badSignin()
	}
	token := c.sim.ids.sessionToken()
	c.sim.world.logins[token] = &signinToken{sess, c.now.Add(signinTokenAge)}
	body, _ := json.Marshal(map[string]string{"SigninToken": token}) // a map of strings always marshals
	return reply{requestID: c.requestID, status: http.StatusOK, contentType: "application/json", body: body, effect: true}
}

// consoleDuration judges SessionDuration.
func (c *call) consoleDuration(sess *session) bool {
	if !c.in.has("SessionDuration") {
		return true
	}
	seconds, err := strconv.Atoi(c.in.text("SessionDuration"))
	return err == nil && seconds >= minConsole && seconds <= maxConsole && sess.kind == callerRole && !sess.chained
}

// login sends whoever has a token on to the console.
func (c *call) login() reply {
	token := c.sim.world.logins[c.in.text("SigninToken")]
	destination, err := url.Parse(c.in.text("Destination"))
	if token == nil || !c.now.Before(token.expires) || token.session.orphaned() || err != nil || destination.Host == "" {
		return c.badSignin()
	}
	c.caller = token.session.caller()
	return reply{
		requestID: c.requestID, status: http.StatusFound, contentType: "text/html", location: destination.String(),
		body: []byte("<html><body>Signed in.</body></html>\n"), effect: true,
	}
}
