package awssim

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// savedFormat is the version of what Save writes. Load takes no other.
const savedFormat = 1

// saved is everything that outlives a simulator, secrets included: they open
// nothing but simulators. Faults, settings, the journal and what lags behind
// are not in it.
type saved struct {
	Format    int               `json:"format"`
	Bootstrap Credentials       `json:"bootstrap"`
	Offset    duration          `json:"offset"` // of the clock
	IDs       []byte            `json:"ids,omitempty"`
	Accounts  []savedAccount    `json:"accounts"`
	Sessions  []savedSession    `json:"sessions"`
	Issuers   map[string][]byte `json:"issuers,omitempty"` // public keys in DER
}

type savedAccount struct {
	ID        string
	Region    string // the partition's home
	Admin     string
	Created   time.Time
	RootKeys  []savedKey
	Policies  []savedPolicy
	Groups    []savedEntity
	Users     []savedUser
	Roles     []savedRole
	Devices   []savedDevice
	Providers []savedProvider
}

type savedEntity struct {
	Name, Path, ID string
	Created        time.Time
	Inline         map[string]string // documents
	Attached       []string          // ARNs
	Boundary       string            // ARN
	Tags           []savedTag
}

type savedUser struct {
	savedEntity
	Keys         []savedKey
	Groups       []string
	Login        *time.Time
	LoginIsReset bool
	Devices      []string // serial numbers
	SideKeys     []savedSideKey
}

type savedRole struct {
	savedEntity
	Trust       string
	Trusted     map[string]string
	MaxSession  int
	Description string
}

type savedKey struct {
	ID, Secret, Status string
	Created            time.Time
	LastUsed           *time.Time
	Service, Region    string // of the last use
}

type savedTag struct{ Key, Value string }

type savedPolicy struct {
	ARN, Name, Path, ID, Description string
	Created                          time.Time
	Default, Last                    int
	Versions                         []savedVersion
	Tags                             []savedTag
}

type savedVersion struct {
	Number   int
	Document string
	Created  time.Time
}

type savedDevice struct {
	Serial, Path, Name string
	Seed               []byte
	Enabled            time.Time
	LastStep           int64
	Tags               []savedTag
}

type savedSideKey struct {
	Kind, ID, Body, Service, Login, Password string
	Created                                  time.Time
}

type savedProvider struct {
	URL                    string
	ClientIDs, Thumbprints []string
	Created                time.Time
	Tags                   []savedTag
}

type savedSession struct {
	ID, Secret, Token string
	Kind              callerKind
	Account           string
	Owner             string // unique id of the user or role; of root the account's
	Name              string
	Issued, Expires   time.Time
	Limited           bool
	Policies          []string
	Tags              []savedTag
	Transitive        []string
	SourceIdentity    string
	MFA, Chained      bool
}

// Save writes the simulator's state for Load.
func (s *Sim) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids, err := s.ids.save()
	if err != nil {
		return err
	}
	out := saved{Format: savedFormat, Bootstrap: s.bootstrap, Offset: duration(s.offset), IDs: ids, Accounts: []savedAccount{}, Sessions: []savedSession{}}
	for _, id := range slices.Sorted(maps.Keys(s.world.accounts)) {
		out.Accounts = append(out.Accounts, s.world.accounts[id].save())
	}
	for _, id := range slices.Sorted(maps.Keys(s.world.sessions)) {
		if sess := s.world.sessions[id]; !sess.orphaned() {
			out.Sessions = append(out.Sessions, sess.save())
		}
	}
	if out.Issuers, err = saveIssuers(s.world.issuers); err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	return encoder.Encode(out)
}

func saveIssuers(issuers map[string]crypto.PublicKey) (map[string][]byte, error) {
	out := map[string][]byte{}
	for url, key := range issuers {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			return nil, fmt.Errorf("key of issuer %s: %w", url, err)
		}
		out[url] = der
	}
	return out, nil
}

func (a *account) save() savedAccount {
	out := savedAccount{ID: a.id, Region: a.partition.home, Admin: a.admin, Created: a.root.created, RootKeys: saveKeys(a.root.keys)}
	for _, p := range sorted(a.policies) {
		out.Policies = append(out.Policies, p.save())
	}
	for _, g := range sorted(a.groups) {
		out.Groups = append(out.Groups, g.save(nil))
	}
	for _, d := range sorted(a.devices) {
		out.Devices = append(out.Devices, savedDevice{d.serial, d.path, d.name, d.seed, d.enabled, d.lastStep, saveTags(d.tags)})
	}
	for _, u := range sorted(a.users) {
		out.Users = append(out.Users, u.save())
	}
	for _, r := range sorted(a.roles) {
		out.Roles = append(out.Roles, savedRole{r.save(r.tags), r.trust.raw, r.trusted, r.maxSession, r.description})
	}
	for _, p := range sorted(a.providers) {
		out.Providers = append(out.Providers, savedProvider{p.url, p.clientIDs, p.thumbprints, p.created, saveTags(p.tags)})
	}
	return out
}

// sorted are the values of a map in the order of their keys.
func sorted[K cmp.Ordered, V any](entries map[K]V) []V {
	var out []V
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		out = append(out, entries[key])
	}
	return out
}

func (e *entity) save(tags []tag) savedEntity {
	return savedEntity{
		Name: e.name, Path: e.path, ID: e.id, Created: e.created, Inline: e.inlineDocuments(),
		Attached: e.attachedARNs(), Boundary: e.boundary.arnOrNone(), Tags: saveTags(tags),
	}
}

func (u *user) save() savedUser {
	out := savedUser{savedEntity: u.entity.save(u.tags), Keys: saveKeys(u.keys)}
	for _, g := range u.groups {
		out.Groups = append(out.Groups, g.name)
	}
	if u.login != nil {
		out.Login, out.LoginIsReset = &u.login.created, u.login.resetRequired
	}
	for _, d := range u.devices {
		out.Devices = append(out.Devices, d.serial)
	}
	for _, k := range u.sideKeys {
		out.SideKeys = append(out.SideKeys, savedSideKey{k.kind, k.id, k.body, k.service, k.login, k.password, k.created})
	}
	return out
}

func (p *managedPolicy) save() savedPolicy {
	out := savedPolicy{
		ARN: p.arn, Name: p.name, Path: p.path, ID: p.id, Description: p.description, Created: p.created,
		Default: p.standard.number, Last: p.lastVersion, Tags: saveTags(p.tags),
	}
	for _, v := range p.versions {
		out.Versions = append(out.Versions, savedVersion{v.number, v.text.raw, v.created})
	}
	return out
}

func saveKeys(keys []*accessKey) []savedKey {
	var out []savedKey
	for _, k := range keys {
		key := savedKey{ID: k.id, Secret: k.secret, Status: k.status(), Created: k.created}
		if k.lastUsed != nil {
			key.LastUsed, key.Service, key.Region = &k.lastUsed.at, k.lastUsed.service, k.lastUsed.region
		}
		out = append(out, key)
	}
	return out
}

func saveTags(tags []tag) []savedTag {
	var out []savedTag
	for _, t := range tags {
		out = append(out, savedTag{t.key, t.value})
	}
	return out
}

func (s *session) save() savedSession {
	out := savedSession{
		ID: s.id, Secret: s.secret, Token: s.token, Kind: s.kind, Account: s.account.id, Owner: s.owner(), Name: s.name,
		Issued: s.issued, Expires: s.expires, Limited: s.limited, Tags: saveTags(s.tags), Transitive: s.transitive,
		SourceIdentity: s.sourceIdentity, MFA: s.mfa, Chained: s.chained,
	}
	for _, text := range s.policies {
		out.Policies = append(out.Policies, text.raw)
	}
	return out
}

// owner is the unique id of the user or role behind a session.
func (s *session) owner() string {
	if s.role != nil {
		return s.role.id
	}
	return s.user.id
}
