package lifecycle

import (
	"context"
	"time"
)

// Reserver admits requests to AWS, at the rate that it takes.
type Reserver interface {
	// Reserve waits until so many calls of IAM may be made, and returns a context
	// in which they are made without waiting. Where that would take longer than
	// patience, or than ctx lasts, it is awserr.Throttled at once. release gives
	// back what was not used.
	Reserve(ctx context.Context, calls int, patience time.Duration) (reserved context.Context, release func(), err error)
}

// UserMaker is the part of IAM that making one user needs. Errors are
// awserr.Error values. No method repeats a call whose outcome is unknown; all
// but CreateUser and CreateAccessKey can be repeated by the caller at will.
type UserMaker interface {
	// CreateUser makes the user with its path, boundary and tags in one call
	// and tells the account it is in, "" if AWS's answer does not show it.
	CreateUser(ctx context.Context, spec UserSpec) (account string, err error)
	AttachPolicy(ctx context.Context, user, policyARN string) error
	PutInlinePolicy(ctx context.Context, user string, policy InlinePolicy) error
	JoinGroup(ctx context.Context, user, group string) error
	CreateAccessKey(ctx context.Context, user string) (AccessKey, error)
}

// UserRemover is the part of IAM that destroying one user needs. Lists are
// complete (pages are followed); what is not there is awserr.NotFound.
type UserRemover interface {
	ListAccessKeys(ctx context.Context, user string) (ids []string, err error)
	ListAttachedPolicies(ctx context.Context, user string) (arns []string, err error)
	ListInlinePolicies(ctx context.Context, user string) (names []string, err error)
	ListGroups(ctx context.Context, user string) (names []string, err error)

	DeleteAccessKey(ctx context.Context, user, id string) error
	DetachPolicy(ctx context.Context, user, policyARN string) error
	DeleteInlinePolicy(ctx context.Context, user, name string) error
	LeaveGroup(ctx context.Context, user, group string) error
	DeleteUser(ctx context.Context, user string) error

	// ListSideCredentials returns the ids of the user's credentials of a kind.
	// A login profile has none: its list is one empty id, profile or not.
	ListSideCredentials(ctx context.Context, user string, kind SideCredential) (ids []string, err error)
	DeleteSideCredential(ctx context.Context, user string, kind SideCredential, id string) error
}

// UserInspector answers whose user one is.
type UserInspector interface {
	// CreatedAt tells when the user was made. It needs iam:GetUser, which is
	// not among the minimal permissions.
	CreatedAt(ctx context.Context, user string) (time.Time, error)
	// Account is the AWS account that the root credentials act in. AWS is
	// asked once for the life of the client.
	Account(ctx context.Context) (string, error)
	// KnownAccount is Account without asking AWS; "" if it is not known yet.
	KnownAccount() string
}

// Users is IAM as dynamic users need it: one account, one set of root
// credentials.
type Users interface {
	Reserver
	UserMaker
	UserRemover
	UserInspector
}

// Sessions is STS as the session credential types need it. The calls make
// nothing that has to be removed, so they may be repeated.
type Sessions interface {
	AssumeRole(ctx context.Context, spec AssumeRoleSpec) (Session, error)
	FederationToken(ctx context.Context, spec FederationSpec) (Session, error)
	SessionToken(ctx context.Context, spec SessionTokenSpec) (Session, error)
}

// EntryID names a journal entry.
type EntryID string

// Journal is where a user's name is written down before AWS hears of it.
type Journal interface {
	// Record makes the intent durable. On error the entry may exist.
	Record(ctx context.Context, intent UserIntent) (EntryID, error)
	// Strike removes the entry; one that is not there counts as struck.
	Strike(ctx context.Context, id EntryID) error
	// Entries lists the ids of all entries, of whatever kind.
	Entries(ctx context.Context) ([]EntryID, error)
	// Load reads an entry. It returns ErrNotOurs for one of another kind and
	// ErrNoEntry for one that is gone.
	Load(ctx context.Context, id EntryID) (Entry, error)
	// Reassert writes the entry again, unchanged. It fails on a node that may
	// no longer write, so a deposed leader never acts on what it has read.
	Reassert(ctx context.Context, e Entry) error
}

// UserIntent is the journal entry that announces an IAM user.
//
// It is written before AWS is called, so it may name a user that was never
// made. Kind and the name of the first field equal those of Vault's built-in
// engine, so either engine can roll back what the other recorded; the other
// fields are ours and optional.
type UserIntent struct {
	UserName string `json:"UserName"`
	// NameUnique says that the name carries at least 60 bits of our own
	// randomness, so that a user of this name can only be ours.
	NameUnique bool      `json:"name_unique,omitempty"`
	IssuedAt   time.Time `json:"issued_at,omitzero"` // zero in entries of the built-in engine
	Account    string    `json:"account,omitempty"`  // "" if not known yet
	// Resent says that CreateUser was sent more than once, its answer being
	// lost. One of them may still be under way when the user is destroyed.
	Resent bool `json:"resent,omitempty"`
	// Process is the process that will hold the key of a user made ahead of time;
	// "" for one that somebody waits for.
	Process string `json:"pooled_by,omitempty"`
}

// UserIntentKind is the kind under which the entry is stored.
const UserIntentKind = "user"

// Entry is a journal entry as read back.
type Entry struct {
	ID         EntryID
	Intent     UserIntent
	RecordedAt time.Time // wall clock of the node that recorded it
}

// announcedAt is when the user was announced; entries of the built-in engine
// carry only the time at which they were recorded.
func (e Entry) announcedAt() time.Time {
	if e.Intent.IssuedAt.IsZero() {
		return e.RecordedAt
	}
	return e.Intent.IssuedAt
}
