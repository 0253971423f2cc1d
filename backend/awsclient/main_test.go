package awsclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

const account = "123456789012"

// outside is the only way out of these tests: a proxy that notes where one wants
// to go and lets nobody through. Loopback is reached without it.
var outside = &gate{}

// TestMain takes the machine's own AWS variables away, and the network.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			must(os.Unsetenv(name))
		}
	}
	proxy := httptest.NewServer(outside)
	for name, value := range map[string]string{
		"HTTPS_PROXY":               proxy.URL,
		"HOME":                      "/nonexistent",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		must(os.Setenv(name, value))
	}
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// gate is a proxy that refuses, and remembers for whom it was asked.
type gate struct {
	mu    sync.Mutex
	hosts []string
	leads string // to an address of ours, which speaks for all of AWS; "": nowhere
}

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts = append(g.hosts, r.Host)
	if g.leads != "" {
		splice(w, g.leads)
		return
	}
	w.WriteHeader(http.StatusForbidden)
}

func (g *gate) lead(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leads = address
}

// asked returns the hosts asked for since the last time.
func (g *gate) asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	hosts := g.hosts
	g.hosts = nil
	return hosts
}

// cloud is a simulator behind a server that counts connections.
type cloud struct {
	*awssim.Sim
	endpoint    string
	connections *atomic.Int32
}

func newCloud(t *testing.T, options awssim.Options) cloud {
	t.Helper()
	c := cloud{Sim: awssim.New(options), connections: &atomic.Int32{}}
	server := httptest.NewUnstartedServer(c.Sim)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			c.connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(func() {
		c.Close() // first: hung requests would hold the server up
		server.Close()
	})
	c.endpoint = server.URL
	return c
}

// settings reach a cloud as its administrator, and try once.
func (c cloud) settings() awsclient.Settings {
	return awsclient.Settings{
		AccessKey:   c.Admin().AccessKey,
		SecretKey:   c.Admin().SecretKey,
		IAMEndpoint: c.endpoint,
		STS:         []awsclient.Endpoint{{URL: c.endpoint}},
	}
}

func mustClient(t *testing.T, s awsclient.Settings) *awsclient.Client {
	t.Helper()
	if s.Now == nil {
		s.Now = time.Now
	}
	client, err := awsclient.New(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// actions are the calls that reached the cloud.
func (c cloud) actions() []string {
	actions := []string{}
	for _, call := range c.Journal() {
		actions = append(actions, call.Action)
	}
	return actions
}

func (c cloud) mustHaveSeen(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), c.actions()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// recorder is a server that answers everything alike and remembers what it was
// asked: for what a simulator would take care not to show.
type recorder struct {
	endpoint string

	mu       sync.Mutex
	requests []request
}

// request is what matters of one.
type request struct {
	form  url.Values
	scope string // of the signature: region/service
	key   string // that signed it
}

func newRecorder(t *testing.T, answer http.HandlerFunc) *recorder {
	t.Helper()
	r := &recorder{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.note(req)
		answer(w, req)
	}))
	t.Cleanup(server.Close)
	r.endpoint = server.URL
	return r
}

// signed is who signed a request and for what: Credential=KEY/DATE/REGION/SERVICE/aws4_request.
func signed(req *http.Request) (key, scope string) {
	_, credential, _ := strings.Cut(req.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	parts := append(strings.Split(credential, "/"), "", "", "", "")
	return parts[0], parts[2] + "/" + parts[3]
}

// note remembers a request.
func (r *recorder) note(req *http.Request) {
	key, scope := signed(req)
	must(req.ParseForm())
	form := req.PostForm
	delete(form, "Version")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, request{form: form, scope: scope, key: key})
}

func (r *recorder) seen() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// settings reach a recorder with static keys.
func (r *recorder) settings() awsclient.Settings {
	return awsclient.Settings{
		AccessKey:   "AKIASTATIC",
		SecretKey:   "secret",
		IAMEndpoint: r.endpoint,
		STS:         []awsclient.Endpoint{{URL: r.endpoint}},
	}
}

// answering answers with a status and a body.
func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}
}

// result is an answer of the query protocol.
func result(action, body string) string {
	return fmt.Sprintf("<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult><ResponseMetadata><RequestId>req-1</RequestId></ResponseMetadata></%[1]sResponse>", action, body)
}

// failed is what a caller of ours can tell of an error.
type failed struct {
	Op     string
	Kind   awserr.Kind
	Code   string
	Status int
}

func mustFail(t *testing.T, err error, want failed) {
	t.Helper()
	var call *awserr.Error
	if !errors.As(err, &call) {
		t.Fatalf("error %v (%T), want an awserr.Error", err, err)
	}
	if diff := cmp.Diff(want, failed{call.Op, call.Kind, call.Code, call.Status}); diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// soon ends long before a test does.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}
