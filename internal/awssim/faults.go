package awssim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of fault.
const (
	FaultReset    FaultKind = "reset"    // the connection is reset, no reply
	FaultHang     FaultKind = "hang"     // no reply until the client leaves or Duration has passed; then as reset
	FaultThrottle FaultKind = "throttle" // 400 Throttling "Rate exceeded"
	FaultError    FaultKind = "error"    // Status, Code and Message
	FaultHTML     FaultKind = "html"     // 500 with an HTML body
	FaultTruncate FaultKind = "truncate" // 200 with the first half of the XML
	FaultDelay    FaultKind = "delay"    // the connection is reset at once; the request is processed Duration later
)

// FaultTime says whether a faulty call has its effect.
type FaultTime string

// The times of a fault.
const (
	BeforeEffect FaultTime = "before" // the call has no effect; the default
	AfterEffect  FaultTime = "after"  // the call has its effect; only the reply goes wrong
)

// Fault is a rule by which calls go wrong. A call is one HTTP request: an
// SDK's retry counts again. Of several rules that meet a call the first one
// injected is applied; all of them count it.
type Fault struct {
	Action    string        // "iam:CreateUser", "iam:*" or "*"; "" is "*"
	AccessKey string        // only calls signed with this key id; "": any
	Target    string        // only calls on this name, as Call.Target has it; "": any
	Nth       int           // the first call it applies to, counted from injection; 0 is 1
	Count     int           // how many calls it applies to; 0: for ever
	When      FaultTime     // "" is BeforeEffect; without meaning for FaultDelay
	Kind      FaultKind     // required
	Status    int           // of FaultError; 0 is 500
	Code      string        // of FaultError; "" is ServiceFailure
	Message   string        // of FaultError
	Duration  time.Duration // of FaultHang (0: for ever) and FaultDelay (required), on the simulator's clock
}

// faultJSON is the wire form of a Fault.
type faultJSON struct {
	Action    string    `json:"action,omitempty"`
	AccessKey string    `json:"access_key,omitempty"`
	Target    string    `json:"target,omitempty"`
	Nth       int       `json:"nth,omitempty"`
	Count     int       `json:"count,omitempty"`
	When      FaultTime `json:"when,omitempty"`
	Kind      FaultKind `json:"kind"`
	Status    int       `json:"status,omitempty"`
	Code      string    `json:"code,omitempty"`
	Message   string    `json:"message,omitempty"`
	Duration  *duration `json:"duration,omitempty"`
}

// MarshalJSON writes the wire form.
func (f Fault) MarshalJSON() ([]byte, error) {
	out := faultJSON{f.Action, f.AccessKey, f.Target, f.Nth, f.Count, f.When, f.Kind, f.Status, f.Code, f.Message, nil}
	if f.Duration != 0 {
		out.Duration = (*duration)(&f.Duration)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the wire form and refuses what makes no sense.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var in faultJSON
	if err := strictJSON(data, &in); err != nil {
		return err
	}
	*f = Fault{in.Action, in.AccessKey, in.Target, in.Nth, in.Count, in.When, in.Kind, in.Status, in.Code, in.Message, 0}
	assign(&f.Duration, (*time.Duration)(in.Duration))
	return f.validate()
}

func (f *Fault) validate() error {
	switch f.Kind {
	case FaultReset, FaultHang, FaultThrottle, FaultError, FaultHTML, FaultTruncate:
	case FaultDelay:
		if f.Duration <= 0 {
			return fmt.Errorf(`fault kind "delay" needs a duration, such as "30s"`)
		}
	default:
		return fmt.Errorf("fault kind %q is none of reset, hang, throttle, error, html, truncate, delay", f.Kind)
	}
	if f.When != "" && f.When != BeforeEffect && f.When != AfterEffect {
		return fmt.Errorf("fault when %q is neither before nor after", f.When)
	}
	if f.Nth < 0 || f.Count < 0 || f.Duration < 0 {
		return fmt.Errorf("fault nth, count and duration must not be negative")
	}
	return nil
}

// armedFault is an injected fault and how many calls it has met.
type armedFault struct {
	Fault
	met int
}

// Inject adds faults, after those that are there. A fault that makes no sense
// panics: it is a mistake in the test.
func (s *Sim) Inject(faults ...Fault) {
	if err := s.inject(faults); err != nil {
		panic("awssim: " + err.Error())
	}
}

func (s *Sim) inject(faults []Fault) error {
	for _, f := range faults {
		if err := f.validate(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		s.faults = append(s.faults, &armedFault{Fault: f})
	}
	return nil
}

// ClearFaults removes all faults. Requests that are delayed already stay so.
func (s *Sim) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// matchFault counts a call against every fault and returns the one to apply.
func (s *Sim) matchFault(c *call) *Fault {
	var found *Fault
	for _, f := range s.faults {
		if !f.meets(c) {
			continue
		}
		f.met++
		if found == nil && f.due() {
			applied := f.Fault
			found = &applied
		}
	}
	return found
}

func (f *armedFault) meets(c *call) bool {
	if f.AccessKey != "" && f.AccessKey != c.accessKey() {
		return false
	}
	if f.Target != "" && f.Target != c.target() {
		return false
	}
	return f.Action == "" || glob(f.Action, c.action())
}

func (f *armedFault) due() bool {
	n := f.met - max(f.Nth, 1)
	return n >= 0 && (f.Count == 0 || n < f.Count)
}

// processFaulty gives a call its effect, if the fault leaves it one, and the
// reply that the fault makes of it.
func (s *Sim) processFaulty(c *call, f *Fault) reply {
	if f.Kind == FaultDelay {
		s.delay(c.req, f.Duration)
		return s.silence(c)
	}
	out := s.silence(c)
	if f.When == AfterEffect {
		out = s.process(c)
	}
	return f.distort(c, out)
}

// silence is the reply of a call that was never processed.
func (s *Sim) silence(c *call) reply { return reply{requestID: c.requestID} }

// distort replaces what the client gets to see.
func (f *Fault) distort(c *call, out reply) reply {
	switch f.Kind {
	case FaultThrottle:
		return out.with(c.renderError(throttled()))
	case FaultError:
		return out.with(c.renderError(f.apiError()))
	case FaultHTML:
		return out.with(reply{
			status: http.StatusInternalServerError, contentType: "text/html",
			body: []byte("<html><body><h1>500 Internal Server Error</h1></body></html>\n"),
		})
	case FaultTruncate:
		if out.body == nil {
			out = out.with(c.render(nil))
		}
		out.body = out.body[:len(out.body)/2]
	}
	return out
}

func (f *Fault) apiError() *apiError {
	e := &apiError{f.Code, f.Status, f.Message}
	if e.code == "" {
		e.code = "ServiceFailure"
	}
	if e.status == 0 {
		e.status = http.StatusInternalServerError
	}
	return e
}

// cut reports whether the fault takes the connection away.
func (f *Fault) cut() bool {
	return f != nil && (f.Kind == FaultReset || f.Kind == FaultHang || f.Kind == FaultDelay)
}

// Faults returns the faults that are injected, used up or not.
func (s *Sim) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Fault{}
	for _, f := range s.faults {
		out = append(out, f.Fault)
	}
	return out
}
