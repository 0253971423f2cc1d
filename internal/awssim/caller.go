package awssim

import (
	"net/http"
	"slices"
	"time"
)

// callerKind is the kind of credentials a call was signed with.
type callerKind string

const (
	callerRoot         callerKind = "root"
	callerUser         callerKind = "user"
	callerRole         callerKind = "assumed role"
	callerFederated    callerKind = "federated user"
	callerSessionToken callerKind = "session token" // of a user or of root
)

// caller is who signed a call.
type caller struct {
	kind    callerKind
	account *account
	user    *user    // of root, a user, a federated user, a session token
	role    *role    // of an assumed role
	session *session // of temporary credentials
	arn     string
	id      string    // aws:userid
	now     time.Time // when it called: decides which policies are in force
}

// session is a set of temporary credentials.
type session struct {
	secretKey
	token          string
	kind           callerKind
	account        *account
	user           *user
	role           *role
	name           string // role session name, federated user's name
	issued         time.Time
	expires        time.Time
	limited        bool // session policies were given
	policies       []*policyText
	tags           []tag
	transitive     []string
	sourceIdentity string
	mfa            bool
	chained        bool // its role was assumed with temporary credentials
}

// authenticate finds out who signed a call, or refuses.
func (s *Sim) authenticate(c *call) error {
	sig := &c.req.signed
	if !sig.present {
		if c.op != nil && c.op.unsigned {
			return nil
		}
		return c.unsigned()
	}
	if sig.fault != nil {
		return sig.fault
	}
	if sig.service != c.service {
		return refuse("SignatureDoesNotMatch", http.StatusBadRequest, "Credential should be scoped to correct service: '%s'.", c.service)
	}
	if err := sig.checkForm(); err != nil {
		return err
	}
	who, secret, err := s.world.find(sig, c)
	if err != nil {
		return err
	}
	if !who.account.partition.scopes(sig.service, sig.region) {
		return signatureMismatch("Credential should be scoped to a valid region. ")
	}
	if err := s.checkSignature(c, secret); err != nil {
		return err
	}
	who.now = c.now
	c.caller, c.account = who, who.account
	return s.admit(c)
}

// checkSignature judges time and value of a signature, unless the simulator was
// told to believe whatever access key a request names.
func (s *Sim) checkSignature(c *call, secret string) error {
	sig := &c.req.signed
	if s.options.Signatures == SignaturesBelieved {
		return nil
	}
	if err := sig.checkTime(c.now, s.settings.MaxSkew); err != nil {
		return err
	}
	if err := sig.checkValue(c.req, secret); err != nil {
		return err
	}
	return nil
}

// unsigned refuses a call without a signature, or with one that is not of
// AWS Signature Version 4.
func (c *call) unsigned() error {
	message := "Request is missing Authentication Token"
	if c.req.query.Has("X-Amz-Algorithm") {
		message = "Missing Authentication Token"
	}
	return refuse("MissingAuthenticationToken", http.StatusForbidden, "%s", message)
}

// find looks the access key up, long-term or temporary. A wrong session token
// looks like an unknown key.
func (w *world) find(sig *signature, c *call) (*caller, string, error) {
	key := w.key(sig.accessKey)
	if key != nil && key.deleted && c.operationName() == "CreateAccessKey" {
		key = nil // AWS closed that door first (OFFENSAI 2025)
	}
	if key != nil {
		if !key.works(c.now) || sig.token != "" {
			return nil, "", invalidToken()
		}
		return key.owner.caller(), key.secret, nil
	}
	if sess := w.sessions[sig.accessKey]; sess != nil {
		if sig.token != sess.token || sess.orphaned() {
			return nil, "", invalidToken()
		}
		return sess.caller(), sess.secret, nil
	}
	return nil, "", invalidToken()
}

// orphaned reports whether the user or role behind a session was deleted.
func (s *session) orphaned() bool {
	return s.user != nil && s.user.gone || s.role != nil && s.role.gone
}

func (u *user) caller() *caller {
	who := &caller{kind: callerUser, account: u.account, user: u, arn: u.arn(), id: u.id}
	if u.isRoot() {
		who.kind = callerRoot
	}
	return who
}

// caller is the identity of temporary credentials.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func (s *session) caller() *caller {
	who := &caller{kind: s.kind, account: s.account, user: s.user, role: s.role, session: s}
	switch s.kind {
	case callerRole:
		who.arn = s.account.arn(serviceSTS, "assumed-role/"+s.role.name+"/"+s.name)
		who.id = s.role.id + ":" + s.name
	case callerFederated:
		who.arn = s.account.arn(serviceSTS, "federated-user/"+s.name)
		who.id = s.account.id + ":" + s.name
	default:
		who.arn, who.id = s.user.arn(), s.user.id
	}
	return who
}

// admit refuses expired credentials and what a kind of credentials may never
// call, and notes that a key was used.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
func (s *Sim) admit(c *call) error {
	if key := s.world.key(c.accessKey()); key != nil {
		key.lastUsed = &keyUse{c.now, c.service, c.req.signed.region}
		return nil
	}
	sess := c.caller.session
	if sess.role != nil {
		sess.role.lastUsed = &keyUse{c.now, c.service, c.req.signed.region}
	}
	if !c.now.Before(sess.expires) {
		return refuse("ExpiredToken", http.StatusForbidden, "The security token included in the request is expired")
	}
	switch c.service {
	case serviceIAM:
		if sess.kind == callerFederated || sess.kind == callerSessionToken && !sess.mfa {
			return invalidToken()
		}
	case serviceSTS:
		return sess.admitSTS(c)
	}
	return nil
}

// admitSTS holds what temporary credentials may call of STS.
func (s *session) admitSTS(c *call) error {
	name := c.operationName()
	if name == "GetFederationToken" || name == "GetSessionToken" {
		return accessDenied("Cannot call %s with session credentials", name)
	}
	allowed := map[callerKind][]string{
		callerFederated:    {"GetCallerIdentity"},
		callerSessionToken: {"GetCallerIdentity", "AssumeRole"},
	}[s.kind]
	if allowed == nil || slices.Contains(allowed, name) || c.op == nil {
		return nil
	}
	return accessDenied("User: %s is not authorized to perform: %s", c.caller.arn, c.action())
}
