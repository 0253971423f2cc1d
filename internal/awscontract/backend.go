package awscontract

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Backend is one server that speaks IAM and STS.
type Backend struct {
	Name     string
	Endpoint string // of both services; "": AWS's own
	Region   string
	Account  string
	Admin    Key  // of a user or role that may do everything
	Root     *Key // of the root user; nil: not to be had
	Other    *Key // of an administrator in another account; nil: there is none

	// Advance moves the server's clock, back if d is negative. nil: it cannot
	// be moved.
	Advance func(d time.Duration)
	// Lag is how long a change may take to be enforced; 0: none.
	Lag time.Duration
	// Retries is what the SDK may repeat; 0: nothing.
	Retries int
	// HTTPClient sends the requests; nil: one of the suite's own.
	HTTPClient aws.HTTPClient

	Deviations []Deviation
	Missing    []Missing
	// Observe is told of every call but those that clean up; nil: nobody is.
	Observe func(Call)
}

// Key is an access key; Token is that of temporary credentials.
type Key struct{ ID, Secret, Token string }

// Deviation is what a server answers instead of what AWS does, in some cases.
type Deviation struct {
	Why     string
	Instead string   // what it answers
	Cases   []string // ids
}

// Missing is an operation that a server does not have. Cases that need it are
// skipped.
type Missing struct {
	Operation string
	Instead   string // what it answers
}

// Call is one call of a case and its outcome.
type Call struct{ Operation, Outcome string }

// need is what only some servers can give a case.
type need string

const (
	needClock need = "a clock that can be moved"
	needRoot  need = "a key of the root user"
	needOther need = "a second account"
)

// lacks names what the server cannot give, "" if nothing.
func (b *Backend) lacks(needs []need) need {
	has := map[need]bool{needClock: b.Advance != nil, needRoot: b.Root != nil, needOther: b.Other != nil}
	for _, n := range needs {
		if !has[n] {
			return n
		}
	}
	return ""
}

// client is the HTTP client of requests that no SDK client sends.
func (b *Backend) client() aws.HTTPClient {
	if b.HTTPClient == nil {
		return http.DefaultClient
	}
	return b.HTTPClient
}
