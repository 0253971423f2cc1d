// Package diagnose finds out what is wrong with a mount before its users do:
// who it is in AWS, what it reaches, whether what its roles name exists, and
// which permissions are missing.
//
// [Run] asks AWS what there is to ask, changing nothing and within a bounded
// time, then puts what it knows to the rows of a table: checks.go. A row
// judges; it never calls AWS. What could not be found out is reported as not
// checked, with the reason. Rows that need no AWS at all are in rules.go; they
// also run when roles and config/root are written.
//
// Reading order: diagnose.go, ports.go, gather.go, checks.go.
package diagnose

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/store"
)

// Severity is how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // something configured does not work
	Warning Severity = "warning" // it works, and will surprise somebody
)

// Finding is one thing that is wrong.
type Finding struct {
	Severity Severity
	Check    string // the row that found it
	Subject  string // what it is about, as a path of the mount: "roles/deploy"
	Problem  string
	Remedy   string // what a person can do about it
}

// String is problem and remedy in one piece, as warnings have it.
func (f Finding) String() string {
	if f.Remedy == "" {
		return f.Problem
	}
	return f.Problem + ": " + f.Remedy
}

// Unchecked is something that could not be found out.
type Unchecked struct{ Check, Subject, Reason string }

// Mount is what is configured. It holds no secret but those of Config, which
// never reach a report.
type Mount struct {
	Config      *store.RootConfig
	Written     bool  // there is a config/root
	Unusable    error // why no client could be made of it
	Permissions *permissions.Mount
	Roles       []Role // those to look at
	RolesLeft   int    // how many more there are
	Statics     []StaticRole
	StaticsLeft int
	State       State
	MaxTTL      time.Duration // of the mount's leases
	Now         time.Time
	Assume      bool // prove trust policies by AssumeRole
}

// Role is a role of the mount.
type Role struct {
	Name string
	*store.Role
}

// StaticRole is a static role of the mount, and what is known of its key.
type StaticRole struct {
	Name string
	*store.StaticRole
	AccessKey  string // "" if none is stored
	Expiration *time.Time
	LastError  string
}

// State is how the mount's own work stands.
type State struct {
	RotationError string    // of the last rotation of the root key
	NextRotation  time.Time // zero: none is due
	Draining      bool
	Restored      string // why storage seems to have been restored
	Held          string // why nobody is destroyed by deadline
	Condemned     int    // users that AWS has not let us delete yet
}

// Report is what was found out.
type Report struct {
	Time      time.Time
	Identity  Identity
	Endpoints []Endpoint
	Findings  []Finding
	More      int // findings that are not listed
	Unchecked []Unchecked
	Roles     int // how many were looked at
	RolesLeft int
}

// Identity is who the mount is in AWS.
type Identity struct {
	Account, ARN, Partition string
	Kind                    string // "IAM user", "assumed role", …; "" if AWS does not tell
	Source                  string // where the credentials come from
	Temporary               bool
	AccessKey               string // id, of config/root
	KeyCreated              time.Time
}

// Chained reports whether AWS takes assuming an IAM role for role chaining.
func (i Identity) Chained() bool { return i.Temporary }

// Endpoint is one of the endpoints that the mount uses.
type Endpoint struct {
	Service, Region, Host string
	Reached               bool
	Latency, Skew         time.Duration
	Problem               string // why no answer came
}

// Limits of a run, ours: an answer that a person waits for.
const (
	budget      = 20 * time.Second // of all calls
	callTimeout = 5 * time.Second  // of one
	maxLookups  = 400              // of policies, groups, IAM roles and users
	maxFindings = 500
	// MaxRoles is how many roles and static roles a run looks at.
	MaxRoles = 1000
)

// Run finds out what is wrong. It changes nothing in AWS; with Assume it makes
// sessions that may do nothing, and forgets them.
func Run(ctx context.Context, aws AWS, m Mount) Report {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	q := &inquiry{Mount: m, facts: gather(ctx, aws, m)}
	q.report = Report{Time: m.Now, Identity: q.identityShown(), Endpoints: q.endpointsShown(), Roles: len(m.Roles), RolesLeft: m.RolesLeft}
	for _, c := range checks {
		q.check = c.name
		c.run(q)
	}
	return q.report.sorted()
}

// inquiry is a run: what is configured, what was found out, and what is made of
// it.
type inquiry struct {
	Mount
	*facts
	report Report
	check  string // the row under way
}

// find adds a finding. The remedy names what to do; an empty one is a mistake of
// the row.
func (q *inquiry) find(s Severity, subject, remedy, format string, args ...any) {
	q.add(Finding{Severity: s, Subject: subject, Problem: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (q *inquiry) add(f Finding) {
	f.Check = q.check
	if len(q.report.Findings) == maxFindings {
		q.report.More++
		return
	}
	q.report.Findings = append(q.report.Findings, f)
}

// skip tells that something was not checked.
func (q *inquiry) skip(subject, format string, args ...any) {
	row := Unchecked{q.check, subject, fmt.Sprintf(format, args...)}
	if len(q.report.Unchecked) < maxFindings && !slices.Contains(q.report.Unchecked, row) {
		q.report.Unchecked = append(q.report.Unchecked, row)
	}
}

// sorted has errors first, in the order of the table.
func (r Report) sorted() Report {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	return r
}

// Errors is how many findings are errors.
func (r Report) Errors() (n int) {
	for _, f := range r.Findings {
		if f.Severity == Error {
			n++
		}
	}
	return n
}
