package lifecycle

import (
	"sync"

	"github.com/hashicorp/go-hclog"
)

// What is what happened to a credential, as the log and the metrics name it.
type What string

// What happens to credentials.
const (
	WasIssued     What = "issued"      // handed out
	WasRefused    What = "refused"     // asked for and not handed out
	WasRevoked    What = "revoked"     // its lease ended, and its user is gone
	WasCondemned  What = "condemned"   // its user is to go, whatever happens from here on
	WasDeferred   What = "deferred"    // destroying its user failed: the worker goes on
	WasOverdue    What = "overdue"     // its user outlived its lease by the grace
	WasDestroyed  What = "destroyed"   // its user, which no lease's end asked for, is gone
	WasRolledBack What = "rolled_back" // its user, which was announced and never handed out, is gone
	WasTidied     What = "tidied"      // tidy, or an operator's word, ended or forgot its user
	WasRotated    What = "rotated"     // a key was replaced
	WasNotRotated What = "not_rotated" // a key was to be replaced and is not
)

// What credentials are, besides the types of roles.
const (
	TypeUser      = "iam_user"
	TypeRootKey   = "root_key"
	TypeStaticKey = "static_key"
)

// telling is how an event is told: what requests do at debug, since a mount does
// thousands and Vault's audit log has each; what the mount does by itself at info;
// what somebody may have to see to at warn.
type telling struct {
	level   hclog.Level // NoLevel: it is counted only, since the error goes to a caller who tells
	message string
}

// tellings are all events.
var tellings = map[What]telling{
	WasIssued:     {hclog.Debug, "issued a credential"},
	WasRefused:    {hclog.Debug, "refused a credential"},
	WasRevoked:    {hclog.Debug, "revoked a user"},
	WasCondemned:  {hclog.Debug, "condemned a user"},
	WasDeferred:   {hclog.Warn, "a user is left to the worker"},
	WasOverdue:    {hclog.Warn, "a user outlived its lease and is destroyed"},
	WasDestroyed:  {hclog.Info, "destroyed a user"},
	WasRolledBack: {hclog.Info, "rolled back a user whose issuing did not finish"},
	WasTidied:     {hclog.Info, "tidied up a user"},
	WasRotated:    {hclog.Info, "rotated a key"},
	WasNotRotated: {hclog.NoLevel, ""},
}

// Event is something that happened to a credential. It holds no secret.
type Event struct {
	What What
	Type string // a credential type, or one of the constants above
	Bearer
	User      string // in AWS; of a session, its name
	AccessKey string
	Reason    string // one of a few fixed texts: it is counted by
	Err       error
}

// fields are the log's, in a fixed order and under fixed names; what is empty is
// left out.
func (e Event) fields() (args []any) {
	cause := ""
	if e.Err != nil {
		cause = e.Err.Error()
	}
	for _, field := range [][2]string{
		{"event", string(e.What)},
		{"type", e.Type},
		{"role", e.Role},
		{"entity_id", e.EntityID},
		{"user", e.User},
		{"access_key_id", e.AccessKey},
		{"request_id", e.RequestID},
		{"reason", e.Reason},
		{"error", cause},
	} {
		if field[1] != "" {
			args = append(args, field[0], field[1])
		}
	}
	return args
}

// Counted is what events are counted by. All of it comes from tables.
type Counted struct {
	What   What
	Type   string
	Reason string
}

// tally counts events since the start. The zero value is ready to use.
type tally struct {
	mu     sync.Mutex
	counts map[Counted]uint64
}

func (t *tally) add(c Counted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = make(map[Counted]uint64)
	}
	t.counts[c]++
}

// Tell logs and counts an event: the one place that does.
func (m *Manager) Tell(e Event) {
	m.tally.add(Counted{What: e.What, Type: e.Type, Reason: e.Reason})
	if how := tellings[e.What]; how.level != hclog.NoLevel {
		m.log.Log(how.level, how.message, e.fields()...)
	}
}

// tellOf tells what happened to the user of a record.
func (m *Manager) tellOf(what What, r UserRecord, err error) {
	m.Tell(Event{What: what, Type: TypeUser, Bearer: r.Bearer, User: r.UserName, AccessKey: r.AccessKey, Reason: r.Reason, Err: err})
}

// Happened is how often the events happened that a condition holds for, since the
// start of this process.
func (m *Manager) Happened(which func(Counted) bool) (n uint64) {
	m.tally.mu.Lock()
	defer m.tally.mu.Unlock()
	for c, count := range m.tally.counts {
		if which(c) {
			n += count
		}
	}
	return n
}
