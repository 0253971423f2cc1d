package lifecycle

import (
	"context"
	"time"
)

// Session is temporary credentials. AWS ends them; nothing revokes them.
type Session struct {
	AccessKey    string // ASIA…
	SecretKey    Secret
	SessionToken Secret
	ARN          string // of the assumed-role user; "" for the other types

	SourceIdentity string // that AWS set; "" for none
	Expires        time.Time
}

// AssumeRoleSpec is one session of an IAM role.
type AssumeRoleSpec struct {
	RoleARN     string
	SessionName string // 2 to 64 of [\w+=,.@-]
	ExternalID  string
	Policy      string // session policy; "" for none
	PolicyARNs  []string
	Tags        map[string]string
	TTL         time.Duration

	TransitiveTags []string // keys of Tags that go on to sessions of roles assumed with this one
	SourceIdentity string   // 2 to 64 of [\w+=,.@-]; "" for none
}

// FederationSpec is one federation token of the root user's.
type FederationSpec struct {
	Name       string // 2 to 32 of [\w+=,.@-]
	Policy     string
	PolicyARNs []string
	TTL        time.Duration
}

// SessionTokenSpec is one session of the root user itself.
type SessionTokenSpec struct {
	MFASerial string // "" for none
	MFACode   string
	TTL       time.Duration
}

// Mint makes one session under the deadline of a request. Nothing is journalled:
// a session whose answer is lost reaches nobody and ends by itself.
func Mint(ctx context.Context, mint func(context.Context) (Session, error)) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionDeadline)
	defer cancel()
	return mint(ctx)
}
