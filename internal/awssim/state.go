package awssim

import (
	"crypto"
	"slices"
	"strings"
	"time"
)

// world is everything that AWS stores.
type world struct {
	accounts map[string]*account         // by id
	keys     map[string]*accessKey       // by id, of all accounts
	deadKeys map[string]*accessKey       // deleted ones that may go on working
	sessions map[string]*session         // by access key id, of all accounts
	issuers  map[string]crypto.PublicKey // of OIDC providers, by URL without scheme
	logins   map[string]*signinToken     // by sign-in token
}

func newWorld() world {
	return world{map[string]*account{}, map[string]*accessKey{}, map[string]*accessKey{}, map[string]*session{}, map[string]crypto.PublicKey{}, map[string]*signinToken{}}
}

// account is one AWS account. Names are unique ignoring case, so maps by name
// are keyed by [fold].
type account struct {
	id        string
	partition *partition
	root      *user // has keys, and nothing else of a user
	admin     string
	users     map[string]*user
	groups    map[string]*group
	roles     map[string]*role
	policies  map[string]*managedPolicy // by ARN; AWS's own are in awsPolicies
	devices   map[string]*mfaDevice     // by serial number
	awsOwned  map[string]*managedPolicy // AWS's own policies, by ARN
	providers map[string]*oidcProvider  // by URL without scheme; case matters
	past      []past                    // entries as they were before late changes
}

// fold makes names equal that AWS holds to be the same.
func fold(name string) string { return strings.ToLower(name) }

type tag struct{ key, value string }

// entity is what users, groups and roles have in common: a name, policies.
type entity struct {
	kind     string // "user", "group", "role"
	account  *account
	name     string
	path     string
	id       string
	created  time.Time
	inline   map[string]*policyText // by name
	attached []*managedPolicy
	boundary *managedPolicy // of users and roles
	old      []oldView      // what is in force although it has been changed, oldest first
}

func (e *entity) arn() string { return e.account.arn(serviceIAM, e.kind+e.path+e.name) }

// user is an IAM user. The account's root user is one too, but in no map.
type user struct {
	entity
	tags     []tag
	keys     []*accessKey
	groups   []*group
	login    *loginProfile
	devices  []*mfaDevice
	sideKeys []*sideKey
	gone     bool // deleted: its sessions are dead
}

func (u *user) isRoot() bool { return u == u.account.root }

// arn of the root user has neither path nor name.
func (u *user) arn() string {
	if u.isRoot() {
		return u.account.arn(serviceIAM, "root")
	}
	return u.entity.arn()
}

type group struct {
	entity
}

type role struct {
	entity
	tags        []tag
	trust       *policyText
	trusted     map[string]string // principal ARNs of the trust policy, and the ids they stood for when it was written
	maxSession  int               // seconds
	description string
	lastUsed    *keyUse
	gone        bool
}

type accessKey struct {
	lag     keyLag
	deleted bool
	secretKey
	owner    *user
	active   bool
	created  time.Time
	lastUsed *keyUse
}

type keyUse struct {
	at              time.Time
	service, region string
}

type loginProfile struct {
	created       time.Time
	resetRequired bool
}

// mfaDevice is a virtual MFA device.
type mfaDevice struct {
	serial   string
	path     string
	name     string
	seed     []byte
	tags     []tag
	owner    *user // nil: not enabled
	enabled  time.Time
	lastStep int64 // the TOTP time step that was used last: codes work once
}

// policyText is a policy document as it was written, and what it says.
type policyText struct {
	raw string
	doc policyDocument
}

// managedPolicy is a policy with an ARN of its own, in up to five versions.
type managedPolicy struct {
	arn         string
	name        string
	path        string
	id          string
	description string
	created     time.Time
	versions    []*policyVersion
	standard    *policyVersion // the default version, which is the one that counts
	lastVersion int            // numbers are never given twice
	tags        []tag
	aws         bool
}

// user finds a user by name; to AWS, names that differ in case only are the
// same name.
func (a *account) user(name string) (*user, error) {
	if u := a.users[fold(name)]; u != nil {
		return u, nil
	}
	return nil, cannotFind("user", name)
}

func (a *account) group(name string) (*group, error) {
	if g := a.groups[fold(name)]; g != nil {
		return g, nil
	}
	return nil, cannotFind("group", name)
}

func (a *account) role(name string) (*role, error) {
	if r := a.roles[fold(name)]; r != nil {
		return r, nil
	}
	return nil, cannotFind("role", name)
}

// policy finds a managed policy, the account's own or one of AWS's.
func (a *account) policy(arn string) *managedPolicy {
	if p := a.policies[arn]; p != nil {
		return p
	}
	return a.awsOwned[arn]
}

// entities lists all that policies can be attached to.
func (a *account) entities() []*entity {
	var out []*entity
	for _, u := range a.users {
		out = append(out, &u.entity)
	}
	for _, g := range a.groups {
		out = append(out, &g.entity)
	}
	for _, r := range a.roles {
		out = append(out, &r.entity)
	}
	return out
}

// boundaries lists the policies that bound somebody, with repetitions.
func (a *account) boundaries() []*managedPolicy {
	var out []*managedPolicy
	for _, u := range a.users {
		out = append(out, u.boundary)
	}
	for _, r := range a.roles {
		out = append(out, r.boundary)
	}
	return slices.DeleteFunc(out, func(p *managedPolicy) bool { return p == nil })
}

// attachments counts the users, groups and roles that a policy is attached to.
func (a *account) attachments(p *managedPolicy) int {
	n := 0
	for _, e := range a.entities() {
		if slices.Contains(e.attached, p) {
			n++
		}
	}
	return n
}

// boundaryUses counts the users and roles that a policy bounds.
func (a *account) boundaryUses(p *managedPolicy) int {
	n := 0
	for _, bound := range a.boundaries() {
		if bound == p {
			n++
		}
	}
	return n
}
