package awssim

import (
	"slices"
	"time"
)

// Call is one line of the request journal. It holds no secrets.
type Call struct {
	Sequence   int64     `json:"sequence"` // from 1, in order of effect
	Time       time.Time `json:"time"`     // on the simulator's clock
	Service    string    `json:"service"`
	Action     string    `json:"action"`            // with its service: "iam:CreateUser"
	Account    string    `json:"account,omitempty"` // of the caller, if the signature was good
	Caller     string    `json:"caller,omitempty"`  // ARN, if the signature was good
	AccessKey  string    `json:"access_key,omitempty"`
	Target     string    `json:"target,omitempty"`     // name of the user, group, role, policy or federated user acted on
	Invocation string    `json:"invocation,omitempty"` // Amz-Sdk-Invocation-Id: one per SDK call, whatever its retries
	Attempt    string    `json:"attempt,omitempty"`    // Amz-Sdk-Request: "attempt=1; max=3"
	RequestID  string    `json:"request_id"`
	Status     int       `json:"status"`         // HTTP status sent; 0: no reply
	Code       string    `json:"code,omitempty"` // the error code AWS decided on, or the fault's; "": none
	Effect     bool      `json:"effect"`         // the operation was carried out
	Fault      FaultKind `json:"fault,omitempty"`
}

// Journal returns every call since the last Reset, in order of effect. A
// delayed request is there twice: when it came, without status and effect,
// and when it was processed.
func (s *Sim) Journal() []Call { return s.journalSince(0) }

// journalSince returns the calls after a sequence number.
func (s *Sim) journalSince(sequence int64) []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.journal, func(c Call) bool { return c.Sequence > sequence })
	if i < 0 {
		return []Call{}
	}
	return slices.Clone(s.journal[i:])
}

func (s *Sim) record(c *call, out reply) {
	s.sequence++
	line := Call{
		Sequence: s.sequence, Time: s.now(),
		Service: c.service, Action: c.action(), AccessKey: c.accessKey(), Target: c.target(),
		Invocation: c.req.header.Get("Amz-Sdk-Invocation-Id"),
		Attempt:    c.req.header.Get("Amz-Sdk-Request"),
		RequestID:  c.requestID,
		Status:     out.status, Code: out.code, Effect: out.effect,
	}
	if c.caller != nil {
		line.Account, line.Caller = c.caller.account.id, c.caller.arn
	}
	if out.fault != nil {
		line.Fault = out.fault.Kind
	}
	if out.fault.cut() {
		line.Status = 0
	}
	s.journal = append(s.journal, line)
}
