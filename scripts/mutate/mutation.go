package main

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// mutation is one way to break the code.
type mutation struct {
	name string // the invariant, and what is broken of it
	file string
	old  string // occurs once in the file
	new  string
	run  string // the tests, by go test's -run, of which one must fail

	tests string // their folder; "": the file's
}

// dir is the folder of the tests' package.
func (m mutation) dir() string { return cmp.Or(m.tests, path.Dir(m.file)) }

// apply spoils the text of the mutation's file.
func (m mutation) apply(text string) (string, error) {
	if n := strings.Count(text, m.old); n != 1 {
		return "", fmt.Errorf("%s has %d places, not one, that read %q", m.file, n, m.old)
	}
	return strings.Replace(text, m.old, m.new, 1), nil
}

const (
	user      = "backend/lifecycle/user.go"
	attempt   = "backend/lifecycle/attempt.go"
	undo      = "backend/lifecycle/undo.go"
	destroy   = "backend/lifecycle/destroy.go"
	sides     = "backend/lifecycle/sidecredentials.go"
	deadlines = "backend/lifecycle/deadlines.go"
	rollback  = "backend/lifecycle/rollback.go"
	condemn   = "backend/lifecycle/condemn.go"
	overdue   = "backend/lifecycle/overdue.go"
	index     = "backend/lifecycle/index.go"
	caps      = "backend/lifecycle/caps.go"
	state     = "backend/lifecycle/state.go"
	settle    = "backend/lifecycle/settle.go"
	rootkey   = "backend/lifecycle/rootkey.go"
	keychange = "backend/lifecycle/keychange.go"
	prove     = "backend/lifecycle/prove.go"
	statickey = "backend/lifecycle/statickey.go"
	worker    = "backend/lifecycle/worker.go"
	backoff   = "backend/lifecycle/backoff.go"
	parallel  = "backend/lifecycle/parallel.go"
	clock     = "backend/lifecycle/clock.go"
	secret    = "backend/lifecycle/secret.go"

	iamCalls    = "backend/awsclient/iam.go"
	sideCalls   = "backend/awsclient/sidecredentials.go"
	failover    = "backend/awsclient/failover.go"
	groups      = "backend/awsclient/groups.go"
	client      = "backend/awsclient/client.go"
	classify    = "backend/awsclient/classify.go"
	credentials = "backend/awsclient/credentials.go"
	endpoints   = "backend/awsclient/endpoints.go"
	transport   = "backend/awsclient/transport.go"
)
