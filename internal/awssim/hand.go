package awssim

import (
	"fmt"
	"maps"
	"slices"
)

// Act is what somebody else does to a user behind the engine's back.
type Act string

// The acts. None asks for permission; none lags; what AWS's rules make
// impossible (a third access key) is an error.
const (
	ActAddKey        Act = "add-key"         // the answer has the key
	ActDeleteKey     Act = "delete-key"      // Value: the key's id
	ActDeactivateKey Act = "deactivate-key"  // Value: the key's id
	ActAddLogin      Act = "add-login"       // a console password
	ActAddMFA        Act = "add-mfa"         // Value: the device's name; "" is the user's
	ActAddSSHKey     Act = "add-ssh-key"     // for CodeCommit
	ActAddCert       Act = "add-certificate" // for signing
	ActAddServiceKey Act = "add-service-key" // Value: the service; "" is Bedrock
	ActPutPolicy     Act = "put-policy"      // Value: the document of an inline policy named "foreign"
	ActAttachPolicy  Act = "attach-policy"   // Value: the policy's ARN
	ActRename        Act = "rename"          // Value: the new name
	ActDelete        Act = "delete"          // the user, with whatever hangs on it
)

const (
	foreignPolicy  = "foreign"               // the name of ActPutPolicy's policy
	foreignService = "bedrock.amazonaws.com" // whose API keys outlive access keys
)

// Interference is an act on one user.
type Interference struct {
	Account string `json:"account"` // "" is the bootstrap account
	User    string `json:"user"`    // "" is the account's root user, for acts on keys
	Act     Act    `json:"act"`
	Value   string `json:"value"` // see the acts
}

// Interfere does what somebody else would. It returns the new key of
// ActAddKey.
func (s *Sim) Interfere(in Interference) (Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Account == "" {
		in.Account = s.bootstrap.Account
	}
	a := s.world.accounts[in.Account]
	if a == nil {
		return Credentials{}, fmt.Errorf("no account %q", in.Account)
	}
	u := a.users[fold(in.User)]
	if in.User == "" && slices.Contains([]Act{ActAddKey, ActDeleteKey, ActDeactivateKey}, in.Act) {
		u = a.root
	}
	if u == nil {
		return Credentials{}, fmt.Errorf("no user %q in %s", in.User, in.Account)
	}
	if in.Act == ActAddKey {
		return s.foreignKey(u)
	}
	act, known := s.acts()[in.Act]
	if !known {
		return Credentials{}, fmt.Errorf("act %q is none of add-key, %v", in.Act, slices.Sorted(maps.Keys(s.acts())))
	}
	return Credentials{}, act(u, in.Value)
}

func (s *Sim) acts() map[Act]func(u *user, value string) error {
	return map[Act]func(*user, string) error{
		ActDeleteKey:     s.foreignDelete,
		ActDeactivateKey: s.foreignDeactivate,
		ActAddLogin: func(u *user, _ string) error {
			u.login = &loginProfile{created: s.now()}
			return nil
		},
		ActAddMFA:        s.foreignMFA,
		ActAddSSHKey:     func(u *user, _ string) error { return s.foreignSideKey(u, kindSSHKey, "") },
		ActAddCert:       func(u *user, _ string) error { return s.foreignSideKey(u, kindCertificate, "") },
		ActAddServiceKey: func(u *user, service string) error { return s.foreignSideKey(u, kindServiceKey, service) },
		ActPutPolicy: func(u *user, document string) error {
			text, err := parseIdentityPolicy(document)
			if err == nil {
				u.inline[foreignPolicy] = text
			}
			return err
		},
		ActAttachPolicy: foreignAttach,
		ActRename:       foreignRename,
		ActDelete:       s.foreignRemoval,
	}
}

func (s *Sim) foreignKey(u *user) (Credentials, error) {
	if len(u.keys) >= maxKeys {
		return Credentials{}, fmt.Errorf("user %q has %d access keys", u.name, maxKeys)
	}
	key := s.ids.longTermKey()
	s.addKey(u, key)
	return credentials(u, key), nil
}

func (u *user) key(id string) (*accessKey, error) {
	i := slices.IndexFunc(u.keys, func(k *accessKey) bool { return k.id == id })
	if i < 0 {
		return nil, fmt.Errorf("user %q has no access key %q", u.name, id)
	}
	return u.keys[i], nil
}

func (s *Sim) foreignDelete(u *user, id string) error {
	k, err := u.key(id)
	if err != nil {
		return err
	}
	s.removeKey(k)
	return nil
}

func (s *Sim) foreignDeactivate(u *user, id string) error {
	k, err := u.key(id)
	if err == nil {
		k.active = false
	}
	return err
}

// removeKey takes a key from its owner and from all signers, at once.
func (s *Sim) removeKey(k *accessKey) {
	k.owner.keys = slices.DeleteFunc(k.owner.keys, func(other *accessKey) bool { return other == k })
	delete(s.world.keys, k.id)
}

func (s *Sim) foreignMFA(u *user, name string) error {
	if name == "" {
		name = u.name
	}
	d := &mfaDevice{
		serial: u.account.arn(serviceIAM, "mfa/"+name), path: "/", name: name,
		seed: s.ids.bytes(seedBytes), owner: u, enabled: s.now(),
	}
	if u.account.devices[d.serial] != nil {
		return fmt.Errorf("MFA device %s exists", d.serial)
	}
	u.account.devices[d.serial] = d
	u.devices = append(u.devices, d)
	return nil
}

func (s *Sim) foreignSideKey(u *user, kind, service string) error {
	if service == "" && kind == kindServiceKey {
		service = foreignService
	}
	for _, k := range sideKeyKinds() {
		if k.kind == kind {
			u.sideKeys = append(u.sideKeys, s.newSideKey(u, k, service))
		}
	}
	return nil
}

func foreignAttach(u *user, arn string) error {
	p := u.account.policy(arn)
	if p == nil {
		return fmt.Errorf("no policy %q", arn)
	}
	if !slices.Contains(u.attached, p) {
		u.attached = append(u.attached, p)
	}
	return nil
}

func foreignRename(u *user, name string) error {
	if other := u.account.users[fold(name)]; other != nil && other != u || !userNameType.accepts(name) {
		return fmt.Errorf("%q is taken, or no name of a user", name)
	}
	delete(u.account.users, fold(u.name))
	u.name = name
	u.account.users[fold(name)] = u
	return nil
}

func (s *Sim) foreignRemoval(u *user, _ string) error {
	for _, k := range slices.Clone(u.keys) {
		s.removeKey(k)
	}
	for _, d := range u.devices {
		delete(u.account.devices, d.serial)
	}
	u.groups, u.gone = nil, true
	delete(u.account.users, fold(u.name))
	return nil
}
