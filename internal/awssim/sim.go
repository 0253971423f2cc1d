package awssim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"
)

// Options says what a new simulator starts with. The zero value is useful.
type Options struct {
	Account string           // twelve digits; "" is 123456789012
	Region  string           // decides the account's partition; "" is us-east-1
	Clock   func() time.Time // nil is time.Now
	Seed    uint64           // ids, secrets and chance follow from it; 0 draws ids and secrets from crypto/rand
	Random  io.Reader        // if not nil: what ids and secrets are drawn from instead
	Dialect Dialect          // "" is AWS's

	Signatures Signatures // "" verifies them

	// Settings are those the simulator starts with and returns to on Reset.
	// Zero fields have their defaults.
	Settings Settings
}

// Signatures says what becomes of the signatures of requests.
type Signatures string

// The two ways. A request has to name an access key that works in either.
const (
	SignaturesVerified Signatures = ""         // as AWS does
	SignaturesBelieved Signatures = "believed" // neither time nor value is looked at
)

// Validate reports an account id that is not twelve digits, a Region that lies
// in no partition, and negative settings. New panics on the same.
func (o Options) Validate() error {
	o = o.withDefaults()
	return errors.Join(checkAccount(o.Region, o.Account), o.Signatures.validate(), o.Settings.validate())
}

func (s Signatures) validate() error {
	if s != SignaturesVerified && s != SignaturesBelieved {
		return fmt.Errorf("signatures %q are neither verified nor believed", string(s))
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.Account == "" {
		o.Account = defaultAccount
	}
	if o.Region == "" {
		o.Region = defaultRegion
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Settings = o.Settings.withDefaults()
	return o
}

// Sim is a simulated AWS: several accounts behind one [http.Handler]. It is
// safe for concurrent use.
type Sim struct {
	options    Options
	operations map[operationKey]*operation
	control    http.Handler
	closed     chan struct{}
	closeOnce  sync.Once

	mu         sync.Mutex // guards everything below
	ids        *idSource
	world      world
	bootstrap  Credentials
	rootKey    secretKey // of the bootstrap administrator: survives Reset
	settings   Settings
	encounters map[encounter]int
	offset     time.Duration // of the simulator's clock against options.Clock
	faults     []*armedFault
	delayed    []*delayedRequest
	buckets    map[string]*bucket
	journal    []Call
	sequence   int64
}

// New returns a simulator with one account and, in it, one administrator.
func New(options Options) *Sim {
	must(options.Validate())
	options = options.withDefaults()
	s := &Sim{
		options:    options,
		operations: operations(),
		closed:     make(chan struct{}),
		ids:        newIDSource(options),
	}
	s.control = s.controlHandler()
	s.rootKey = s.ids.longTermKey()
	s.Reset()
	return s
}

// Close ends what is waiting: latency, hung requests, delayed requests. The
// simulator answers on, so a server in front of it can be closed afterwards.
func (s *Sim) Close() {
	s.closeOnce.Do(func() { close(s.closed) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropDelayed()
}

// ServeHTTP answers one request: of the control API under /_sim/, else of AWS.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if isControl(r) {
		s.control.ServeHTTP(w, r)
		return
	}
	req, err := readRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.wait(r.Context(), s.arrive(req))
	if isSignin(r) {
		s.send(w, r, s.signin(req))
		return
	}
	s.send(w, r, s.handle(req))
}

// wait returns after d, or when the client leaves or the simulator closes.
func (s *Sim) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.closed:
	}
}

// handle is the one place every call passes, one at a time.
func (s *Sim) handle(req *request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDelayed()
	c := s.newCall(req)
	fault := s.matchFault(c)
	if fault == nil {
		fault = s.chaos(c)
	}
	if fault == nil {
		return s.finish(c, s.process(c), nil)
	}
	return s.finish(c, s.processFaulty(c, fault), fault)
}

// finish journals a call and hands its reply on.
func (s *Sim) finish(c *call, out reply, fault *Fault) reply {
	out.fault = fault
	s.record(c, out)
	return out
}

// now is the simulator's time, in UTC. The caller holds s.mu.
func (s *Sim) now() time.Time { return s.options.Clock().Add(s.offset).UTC() }

// Now is the simulator's time.
func (s *Sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// Advance moves the simulator's clock forward and lets delayed requests that
// have come due take effect. Clients whose own clock stays are refused for
// skew beyond Settings.MaxSkew.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.runDelayed()
}

// Reset returns to the bootstrap state: one account, its administrator with
// the credentials of before, no faults, the first settings, the clock of the
// options. The journal is emptied; its sequence numbers go on.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropDelayed()
	s.world = newWorld()
	s.settings = s.options.Settings
	s.offset = 0
	s.faults = nil
	s.buckets = map[string]*bucket{}
	s.encounters = map[encounter]int{}
	s.journal = nil
	s.bootstrap = s.addAccount(s.options.Region, s.options.Account, s.rootKey)
}
