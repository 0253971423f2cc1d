package awssim

import (
	"fmt"
	"regexp"
	"time"
)

// administrator is the name of each account's bootstrap administrator.
const administrator = "admin"

// Credentials are an access key that somebody got at set-up.
type Credentials struct {
	Account   string `json:"account"`
	UserName  string `json:"user_name"` // "" for the root user
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

var accountPattern = regexp.MustCompile(`^\d{12}$`)

// Admin returns the credentials of the bootstrap administrator. They stay the
// same through Reset.
func (s *Sim) Admin() Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bootstrap
}

// AddAccount adds an account in the partition of Options.Region and returns
// its administrator. It panics on a bad or known account id.
func (s *Sim) AddAccount(id string) Credentials {
	return s.AddAccountIn(s.options.Region, id)
}

// AddAccountIn is AddAccount in the partition of a Region.
func (s *Sim) AddAccountIn(region, id string) Credentials {
	out, err := s.newAccount(region, id)
	must(err)
	return out
}

func (s *Sim) newAccount(region, id string) (Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.world.accounts[id] != nil {
		return Credentials{}, fmt.Errorf("account %s exists", id)
	}
	if err := checkAccount(region, id); err != nil {
		return Credentials{}, err
	}
	return s.addAccount(region, id, s.ids.longTermKey()), nil
}

func checkAccount(region, id string) error {
	if !accountPattern.MatchString(id) {
		return fmt.Errorf("account %q is not twelve digits", id)
	}
	_, err := partitionOf(region)
	return err
}

// emptyAccount is an account with a root user and nothing else.
func emptyAccount(region, id string, created time.Time) (*account, error) {
	partition, err := partitionOf(region)
	if err != nil {
		return nil, err
	}
	a := &account{
		id: id, partition: partition, admin: administrator,
		users: map[string]*user{}, groups: map[string]*group{}, roles: map[string]*role{},
		policies: map[string]*managedPolicy{}, devices: map[string]*mfaDevice{}, providers: map[string]*oidcProvider{},
		awsOwned: awsPolicies(partition, created),
	}
	a.root = &user{entity: entity{kind: "user", account: a, id: id, created: created}}
	return a, nil
}

// addAccount makes an account with its root user and its administrator, whose
// key is given. It panics on arguments that checkAccount refuses.
func (s *Sim) addAccount(region, id string, key secretKey) Credentials {
	must(checkAccount(region, id))
	a, err := emptyAccount(region, id, s.now())
	must(err)
	s.world.accounts[id] = a
	u := s.makeUser(a, administrator, "/")
	u.attached = append(u.attached, a.awsOwned[a.awsARN("AdministratorAccess")])
	s.addKey(u, key)
	return credentials(u, key)
}

func credentials(u *user, key secretKey) Credentials {
	return Credentials{Account: u.account.id, UserName: u.name, AccessKey: key.id, SecretKey: key.secret}
}

// must stops a test whose set-up makes no sense.
func must(err error) {
	if err != nil {
		panic("awssim: " + err.Error())
	}
}

// in returns an account that must exist.
func (s *Sim) in(account string) *account {
	a := s.world.accounts[account]
	if a == nil {
		panic("awssim: no account " + account)
	}
	return a
}

// RootKey makes an access key of an account's root user.
func (s *Sim) RootKey(account string) Credentials {
	out, err := s.newRootKey(account)
	must(err)
	return out
}

func (s *Sim) newRootKey(account string) (Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.world.accounts[account]
	if a == nil {
		return Credentials{}, fmt.Errorf("no account %q", account)
	}
	if len(a.root.keys) >= maxKeys {
		return Credentials{}, fmt.Errorf("the root user of %s has %d access keys", account, maxKeys)
	}
	key := s.ids.longTermKey()
	s.addKey(a.root, key)
	return credentials(a.root, key), nil
}

// PutUser makes a user, or finds it, gives it an inline policy named "inline"
// ("": none) and a new access key. Like all Put functions it panics on what
// AWS would refuse, and asks nobody's permission.
func (s *Sim) PutUser(account, name, policyJSON string) Credentials {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.in(account)
	u := a.users[fold(name)]
	if u == nil {
		u = s.makeUser(a, name, "/")
	}
	u.putInline(policyJSON)
	if len(u.keys) >= maxKeys {
		panic("awssim: user " + name + " has two access keys")
	}
	key := s.ids.longTermKey()
	s.addKey(u, key)
	return credentials(u, key)
}

// PutGroup makes a group, or finds it, and gives it an inline policy.
func (s *Sim) PutGroup(account, name, policyJSON string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.in(account)
	g := a.groups[fold(name)]
	if g == nil {
		g = s.makeGroup(a, name, "/")
	}
	g.putInline(policyJSON)
}

// PutRole makes a role, or finds it, sets its trust policy, gives it an
// inline policy ("": none) and returns its ARN. The maximum session duration
// of a new one is an hour.
func (s *Sim) PutRole(account, name, trustJSON, policyJSON string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.in(account)
	r := a.roles[fold(name)]
	if r == nil {
		r = s.makeRole(a, name, "/")
	}
	must(s.setTrust(r, trustJSON))
	r.putInline(policyJSON)
	return r.arn()
}

// PutPolicy makes a customer managed policy, or replaces its document, and
// returns its ARN.
func (s *Sim) PutPolicy(account, name, policyJSON string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.in(account)
	text, err := parseIdentityPolicy(policyJSON)
	must(err)
	arn := a.arn(serviceIAM, "policy/"+name)
	if p := a.policies[arn]; p != nil {
		p.standard.text = text
		return arn
	}
	p := &managedPolicy{arn: arn, name: name, path: "/", id: s.ids.entity(prefixPolicy), created: s.now()}
	p.firstVersion(text, p.created)
	a.policies[arn] = p
	return arn
}

// putInline sets the policy named "inline", or removes it.
func (e *entity) putInline(policyJSON string) {
	if policyJSON == "" {
		delete(e.inline, "inline")
		return
	}
	text, err := parseIdentityPolicy(policyJSON)
	must(err)
	e.inline["inline"] = text
}
