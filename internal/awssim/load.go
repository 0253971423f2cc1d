package awssim

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Load puts what Save wrote in place of the simulator's state. Whatever lags,
// faults, settings and journal there are stay. On error nothing has changed.
func (s *Sim) Load(r io.Reader) error {
	var in saved
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	if in.Format != savedFormat {
		return fmt.Errorf("state of format %d; this is %d", in.Format, savedFormat)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := loader{newWorld()}
	for _, account := range in.Accounts {
		if err := l.account(account); err != nil {
			return fmt.Errorf("account %s: %w", account.ID, err)
		}
	}
	for _, session := range in.Sessions {
		if err := l.session(session); err != nil {
			return fmt.Errorf("session %s: %w", session.ID, err)
		}
	}
	for url, der := range in.Issuers {
		key, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return fmt.Errorf("key of issuer %s: %w", url, err)
		}
		l.world.issuers[url] = key
	}
	if err := s.ids.load(in.IDs); err != nil {
		return err
	}
	s.dropDelayed()
	s.world, s.bootstrap, s.offset = l.world, in.Bootstrap, time.Duration(in.Offset)
	s.rootKey = secretKey{in.Bootstrap.AccessKey, in.Bootstrap.SecretKey}
	return nil
}

// loader makes a world of what was saved.
type loader struct{ world world }

func (l *loader) account(in savedAccount) error {
	if err := checkAccount(in.Region, in.ID); err != nil {
		return err
	}
	a, err := emptyAccount(in.Region, in.ID, in.Created)
	if err != nil {
		return err
	}
	a.admin = in.Admin
	l.world.accounts[a.id] = a
	l.keys(a.root, in.RootKeys)
	for _, d := range in.Devices {
		a.devices[d.Serial] = &mfaDevice{
			serial: d.Serial, path: d.Path, name: d.Name, seed: d.Seed, enabled: d.Enabled, lastStep: d.LastStep, tags: loadTags(d.Tags),
		}
	}
	for _, p := range in.Providers {
		a.providers[p.URL] = &oidcProvider{a, p.URL, p.ClientIDs, p.Thumbprints, p.Created, loadTags(p.Tags)}
	}
	for _, p := range in.Policies {
		if err := a.loadPolicy(p); err != nil {
			return fmt.Errorf("policy %s: %w", p.ARN, err)
		}
	}
	return l.entities(a, in)
}

// entities come after the policies and devices that they refer to.
func (l *loader) entities(a *account, in savedAccount) error {
	for _, g := range in.Groups {
		e, err := a.loadEntity("group", g)
		if err != nil {
			return fmt.Errorf("group %s: %w", g.Name, err)
		}
		a.groups[fold(g.Name)] = &group{e}
	}
	for _, u := range in.Users {
		if err := l.user(a, u); err != nil {
			return fmt.Errorf("user %s: %w", u.Name, err)
		}
	}
	for _, r := range in.Roles {
		if err := a.loadRole(r); err != nil {
			return fmt.Errorf("role %s: %w", r.Name, err)
		}
	}
	return nil
}

func (a *account) loadPolicy(in savedPolicy) error {
	p := &managedPolicy{
		arn: in.ARN, name: in.Name, path: in.Path, id: in.ID, description: in.Description,
		created: in.Created, lastVersion: in.Last, tags: loadTags(in.Tags),
	}
	for _, v := range in.Versions {
		text, err := parseIdentityPolicy(v.Document)
		if err != nil {
			return err
		}
		version := &policyVersion{v.Number, text, v.Created}
		p.versions = append(p.versions, version)
		if v.Number == in.Default {
			p.standard = version
		}
	}
	if p.standard == nil {
		return fmt.Errorf("no default version %d", in.Default)
	}
	a.policies[in.ARN] = p
	return nil
}

func (a *account) loadEntity(kind string, in savedEntity) (entity, error) {
	e := entity{
		kind: kind, account: a, name: in.Name, path: in.Path, id: in.ID, created: in.Created, inline: map[string]*policyText{},
	}
	for name, document := range in.Inline {
		text, err := parseIdentityPolicy(document)
		if err != nil {
			return e, err
		}
		e.inline[name] = text
	}
	for _, arn := range in.Attached {
		p := a.policy(arn)
		if p == nil {
			return e, fmt.Errorf("no policy %s", arn)
		}
		e.attached = append(e.attached, p)
	}
	if in.Boundary != "" {
		if e.boundary = a.policy(in.Boundary); e.boundary == nil {
			return e, fmt.Errorf("no policy %s", in.Boundary)
		}
	}
	return e, nil
}

func (l *loader) user(a *account, in savedUser) error {
	e, err := a.loadEntity("user", in.savedEntity)
	if err != nil {
		return err
	}
	u := &user{entity: e, tags: loadTags(in.Tags)}
	l.keys(u, in.Keys)
	for _, name := range in.Groups {
		g, err := a.group(name)
		if err != nil {
			return err
		}
		u.groups = append(u.groups, g)
	}
	if in.Login != nil {
		u.login = &loginProfile{*in.Login, in.LoginIsReset}
	}
	for _, serial := range in.Devices {
		d := a.devices[serial]
		if d == nil {
			return fmt.Errorf("no device %s", serial)
		}
		d.owner = u
		u.devices = append(u.devices, d)
	}
	for _, k := range in.SideKeys {
		u.sideKeys = append(u.sideKeys, &sideKey{k.Kind, k.ID, k.Body, k.Service, k.Login, k.Password, k.Created})
	}
	a.users[fold(in.Name)] = u
	return nil
}

func (l *loader) keys(u *user, keys []savedKey) {
	for _, in := range keys {
		k := &accessKey{secretKey: secretKey{in.ID, in.Secret}, owner: u, active: in.Status == "Active", created: in.Created}
		if in.LastUsed != nil {
			k.lastUsed = &keyUse{*in.LastUsed, in.Service, in.Region}
		}
		u.keys = append(u.keys, k)
		l.world.keys[k.id] = k
	}
}

func (a *account) loadRole(in savedRole) error {
	e, err := a.loadEntity("role", in.savedEntity)
	if err != nil {
		return err
	}
	trust, err := parsePolicy(in.Trust, trustRules())
	if err != nil {
		return err
	}
	a.roles[fold(in.Name)] = &role{
		entity: e, tags: loadTags(in.Tags), trust: trust, trusted: in.Trusted, maxSession: in.MaxSession, description: in.Description,
	}
	return nil
}

func (l *loader) session(in savedSession) error {
	a := l.world.accounts[in.Account]
	if a == nil {
		return fmt.Errorf("no account %s", in.Account)
	}
	s := &session{
		secretKey: secretKey{in.ID, in.Secret}, token: in.Token, kind: in.Kind, account: a, name: in.Name,
		issued: in.Issued, expires: in.Expires, limited: in.Limited, tags: loadTags(in.Tags), transitive: in.Transitive,
		sourceIdentity: in.SourceIdentity, mfa: in.MFA, chained: in.Chained,
	}
	for _, document := range in.Policies {
		text, err := parsePolicy(document, sessionRules())
		if err != nil {
			return err
		}
		s.policies = append(s.policies, text)
	}
	s.user, s.role = a.owner(in.Owner)
	if s.user == nil && s.role == nil {
		return fmt.Errorf("no user or role %s", in.Owner)
	}
	l.world.sessions[s.id] = s
	return nil
}

// owner finds a user or role by unique id.
func (a *account) owner(id string) (*user, *role) {
	if id == a.root.id {
		return a.root, nil
	}
	for _, u := range a.users {
		if u.id == id {
			return u, nil
		}
	}
	for _, r := range a.roles {
		if r.id == id {
			return nil, r
		}
	}
	return nil, nil
}

func loadTags(tags []savedTag) []tag {
	var out []tag
	for _, t := range tags {
		out = append(out, tag{t.Key, t.Value})
	}
	return out
}
