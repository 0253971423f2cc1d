package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// RecordState says what is owed to a user.
type RecordState string

// The states of a record.
const (
	// Issued users may be used until their deadline.
	Issued RecordState = "issued"
	// Condemned users are destroyed as soon as AWS lets us, and never renewed.
	Condemned RecordState = "condemned"
)

// Bearer says for whom a user is made.
type Bearer struct {
	Role        string `json:"role,omitempty"`
	EntityID    string `json:"entity_id,omitempty"`
	DisplayName string `json:"display_name,omitempty"`
	RequestID   string `json:"request_id,omitempty"` // Vault's, which joins the audit log
}

// UserRecord is what a mount remembers of an IAM user from the moment its key
// exists until AWS confirmed its deletion. It holds no secret and no policy text.
type UserRecord struct {
	UserName string      `json:"user_name"`
	State    RecordState `json:"state"`
	Bearer

	NameUnique bool `json:"name_unique,omitempty"` // as in UserIntent
	Resent     bool `json:"resent,omitempty"`      // as in UserIntent

	Account    string   `json:"account,omitempty"` // "" if AWS did not tell
	AccessKey  string   `json:"access_key_id,omitempty"`
	PolicyARNs []string `json:"policy_arns,omitempty"`
	Policies   []string `json:"policy_names,omitempty"`
	Groups     []string `json:"groups,omitempty"`

	Issued   time.Time `json:"issued,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"` // the end of its lease; zero if it never had one that we know of

	// Entry is the journal entry that announces the user, if it was not struck: it
	// goes before the record.
	Entry EntryID `json:"journal_entry,omitempty"`

	// Of condemned users.
	Since      time.Time `json:"since,omitzero"`
	Reason     string    `json:"reason,omitempty"`
	Tries      int       `json:"tries,omitempty"`
	NextTry    time.Time `json:"next_try,omitzero"`
	LastError  string    `json:"last_error,omitempty"`
	KeyDeleted bool      `json:"key_deleted,omitempty"` // AWS confirmed it: what is left of the user is harmless
}

// Records is where users that were issued are remembered; local to the cluster.
type Records interface {
	PutRecord(ctx context.Context, r UserRecord) error
	// Record reads a record, or returns ErrNoRecord or ErrUnreadable.
	Record(ctx context.Context, user string) (UserRecord, error)
	DeleteRecord(ctx context.Context, user string) error
	RecordNames(ctx context.Context) ([]string, error)
}

// Why a user's record cannot be used.
var (
	// ErrNoRecord: there is none.
	ErrNoRecord = errors.New("no such record")
	// ErrUnreadable: it cannot be decoded.
	ErrUnreadable = errors.New("unreadable record")
	// ErrCondemned: the user is being destroyed.
	ErrCondemned = errors.New("the user is being destroyed")
)

// doomed is the user of a record.
func (r UserRecord) doomed() Doomed {
	u := Doomed{Name: r.UserName, Account: r.Account, Born: r.Issued, NameUnique: r.NameUnique}
	if r.AccessKey != "" {
		u.Known = &Parts{AccessKeys: []string{r.AccessKey}, PolicyARNs: r.PolicyARNs, InlinePolicies: r.Policies, Groups: r.Groups}
	}
	return u
}

// condemned is the record of a user that is to be destroyed, as of now.
func (r UserRecord) condemned(now time.Time, reason string) UserRecord {
	if r.State != Condemned {
		r.State, r.Since, r.Reason = Condemned, now.UTC(), reason
	}
	return r
}

// tried is the record with one more try. The second one may come at once, by the
// worker's next pass; then they come later and later.
func (r UserRecord) tried(now time.Time) UserRecord {
	wait := backoffLast
	switch {
	case r.Tries <= 0: // below 0 only if somebody else wrote it
		wait = 0
	case r.Tries < 10:
		wait = min(backoffFirst<<(r.Tries-1), backoffLast)
	}
	r.Tries++
	r.NextTry = now.Add(wait).UTC()
	return r
}

// writeRecord writes a record to storage, then to the index. The caller holds
// the user's lock.
func (m *Manager) writeRecord(ctx context.Context, r UserRecord) error {
	if err := m.records.PutRecord(ctx, r); err != nil {
		return fmt.Errorf("write record of user %q: %w", r.UserName, err)
	}
	m.index.put(r)
	return nil
}

// dropRecord forgets a user. The caller holds the user's lock.
func (m *Manager) dropRecord(ctx context.Context, user string) error {
	if err := m.records.DeleteRecord(ctx, user); err != nil {
		return fmt.Errorf("delete record of user %q: %w", user, err)
	}
	m.index.drop(user)
	return nil
}

// UserRecord reads a user's record, or returns ErrNoRecord.
func (m *Manager) UserRecord(ctx context.Context, user string) (UserRecord, error) {
	return m.records.Record(ctx, user)
}
