package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// headerTimeout is the plugin's own transport's.
const headerTimeout = 15 * time.Second

// calm are the settings of an AWS that is well. The latency tells concurrent
// calls apart.
func calm() awssim.Settings {
	return awssim.Settings{Latency: 20 * time.Millisecond, LatencyMost: 120 * time.Millisecond}
}

// timeoutError is a call that got no answer in time.
type timeoutError struct{}

func (timeoutError) Error() string { return "simulated: timeout awaiting response headers" }
func (timeoutError) Timeout() bool { return true }

// RoundTrip implements http.RoundTripper: the process's way to AWS. A request
// that is on its way when its process dies arrives all the same.
func (p *process) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if err := p.leave(req, p.w.while("leave", req, body)); err != nil {
		return nil, p.giveUp(req, body, err)
	}
	p.w.judgeCall(form)
	out, err := p.call(req, body)
	if err != nil {
		return nil, p.giveUp(req, body, err)
	}
	p.w.noteCall(form, out)
	return out, nil
}

// while draws some microseconds for a call. The body is the same where calls are
// those of different keys.
func (w *world) while(what string, req *http.Request, body []byte) time.Duration {
	signer, _, _ := strings.Cut(req.Header.Get("Authorization"), ",")
	return time.Duration(1 + w.draw(what, string(body), signer)%1_000_000)
}

// giveUp lets calls whose time is up at the same instant end one after the other.
func (p *process) giveUp(req *http.Request, body []byte, err error) error {
	if req.Context().Err() != nil && p.life.Err() == nil {
		time.Sleep(p.w.while("give up", req, body))
	}
	return err
}

// leave lets calls that begin at the same instant come one after the other.
func (p *process) leave(req *http.Request, d time.Duration) error {
	ctx := req.Context()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.life.Done():
		return errDead
	}
	if p.life.Err() != nil {
		return errDead
	}
	if p.w.outage() {
		p.w.reach("AWS unreachable")
		return syscall.ECONNREFUSED
	}
	return nil
}

// call has the simulator answer, as a server on the other side of a connection.
// Whoever does not wait for the answer leaves the call to arrive in its own time:
// if all calls arrived at the instant at which a client leaves, nobody could say in
// which order.
func (p *process) call(req *http.Request, body []byte) (*http.Response, error) {
	in := req.Clone(context.WithoutCancel(req.Context()))
	in.Body, in.RemoteAddr, in.RequestURI = io.NopCloser(bytes.NewReader(body)), "192.0.2.1:1", "/"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	answered := make(chan *recorder, 1)
	p.w.begin(func() { answered <- p.w.serve(in) })
	select {
	case out := <-answered:
		return out.response(req)
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case <-p.life.Done():
		return nil, errDead
	}
}

// serve has a call answered, or cut, or not answered in time.
func (w *world) serve(in *http.Request) *recorder {
	ctx, cancel := context.WithTimeout(in.Context(), headerTimeout)
	defer cancel()
	out := &recorder{header: http.Header{}}
	if out.serve(w.sim, in.WithContext(ctx)) {
		out.err = syscall.ECONNRESET
	}
	if ctx.Err() != nil {
		out.err = timeoutError{}
	}
	return out
}

// recorder is a http.ResponseWriter without a connection.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	err    error // what the client sees instead
}

func (r *recorder) response(req *http.Request) (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	return &http.Response{
		Status: http.StatusText(r.status), StatusCode: r.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()), Request: req,
	}, nil
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

// serve reports whether the connection was cut.
func (r *recorder) serve(handler http.Handler, in *http.Request) (cut bool) {
	defer func() {
		if caught := recover(); caught != nil {
			if caught != http.ErrAbortHandler { //nolint:errorlint // a panic's value
				panic(caught)
			}
			cut = true
		}
	}()
	handler.ServeHTTP(r, in)
	return false
}

// judgeCall checks what has to hold before a call is sent.
func (w *world) judgeCall(form url.Values) {
	action, user := form.Get("Action"), form.Get("UserName")
	w.note("call %s %s %s", action, user, form.Get("AccessKeyId"))
	if strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "List") || user == "" {
		return
	}
	if w.world.untouchable(user) {
		w.violate("%s on %q, who is somebody else's", action, user)
	}
	switch {
	case action == "CreateUser" && !w.store.owned(user):
		w.violate("L1: CreateUser of %q, which is not written down", user)
	case action == "DeleteAccessKey" && w.world.theirs(user) && !w.mayGo(user, form.Get("AccessKeyId")):
		w.violate("key %s of user %q, which somebody else made, is deleted", form.Get("AccessKeyId"), user)
	case action == "CreateAccessKey" && !w.store.owned(user) && !w.keyAnnounced(user):
		w.violate("L1: CreateAccessKey of %q, which is not written down", user)
	}
}

var secretPattern = regexp.MustCompile(`<(?:SecretAccessKey|SessionToken)>([^<]+)<`)

// noteCall keeps the secrets of an answer, and counts the states of users.
func (w *world) noteCall(form url.Values, out *http.Response) {
	body, _ := io.ReadAll(out.Body) // of a buffer
	out.Body = io.NopCloser(bytes.NewReader(body))
	for _, found := range secretPattern.FindAllSubmatch(body, -1) {
		w.learnSecret(string(found[1]))
	}
	if out.StatusCode != http.StatusOK || w.world.theirs(form.Get("UserName")) {
		return
	}
	switch form.Get("Action") {
	case "CreateUser":
		w.reach("state made")
	case "CreateAccessKey":
		w.reach("state keyed")
	}
}

// secretsKept is how many secrets are looked for.
const secretsKept = 32

func (w *world) learnSecret(secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, strings.ReplaceAll(secret, "&#x2F;", "/"))
	w.secrets = w.secrets[max(0, len(w.secrets)-secretsKept):]
}

// holdsSecret reports whether a text holds one of the latest secrets.
func (w *world) holdsSecret(text []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, secret := range w.secrets {
		if bytes.Contains(text, []byte(secret)) {
			return true
		}
	}
	return false
}

// calls is the simulated AWS's own journal, as text.
func (w *world) calls() string {
	var out strings.Builder
	for _, c := range w.sim.Journal() {
		c.Invocation = ""
		fmt.Fprintf(&out, "%+v\n", c)
	}
	return out.String()
}

// through is a process's way to AWS as an HTTP client.
type through struct{ p *process }

// Do implements the SDK's HTTPClient.
func (c through) Do(req *http.Request) (*http.Response, error) { return c.p.RoundTrip(req) }
