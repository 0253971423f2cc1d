package crashtest

import (
	"fmt"
	"maps"
	"slices"

	"vault-plugin-secrets-aws/internal/awssim"
)

// Evidence is what the judge looks at: an account, and whatever may own something
// in it.
type Evidence struct {
	Users    map[string]awssim.User // without the simulator's administrator
	Policies []string               // ARNs of customer managed ones, without the fixture's

	Announced  []string // names in the journal
	Recorded   []string // names in records
	KeyEntries []KeyEntry
	Leases     []Lease

	Root   Key
	Static *StaticKey // nil: no static role
	Spared []string   // keys of the static role's user that were in force before
}

// KeyPair is a key as records and leases hold it.
type KeyPair struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// Key is a stored key.
type Key struct {
	KeyPair
	Works bool `json:"-"`
}

// KeyEntry is an entry of the journal of keys.
type KeyEntry struct {
	UserName string   `json:"user_name"`
	Seen     []string `json:"seen"`
	Old      string   `json:"old"`
	New      string   `json:"new"` // "": not known yet, so the entry owns any
}

// Lease is a lease of Vault's on a user's key.
type Lease struct {
	ID     string
	User   string
	Key    Key
	Ending bool // its end was asked for, so the key need not work
}

// StaticKey is the key of a static role.
type StaticKey struct {
	Key
	Previous string `json:"previous_key"`
}

// Finding is what the judge found.
type Finding struct {
	Leaked []string // in AWS and owned by nothing
	Dead   []string // to work and does not
}

// Add adds what was found at another time.
func (f *Finding) Add(when string, g Finding) {
	for _, text := range g.Leaked {
		f.Leaked = append(f.Leaked, text+" "+when)
	}
	for _, text := range g.Dead {
		f.Dead = append(f.Dead, text+" "+when)
	}
}

// Verdict is the worst that was found.
func (f Finding) Verdict() Verdict {
	switch {
	case len(f.Dead) > 0:
		return Dead
	case len(f.Leaked) > 0:
		return Leaked
	}
	return OK
}

// Disowned is the evidence without owners, for the end: then nothing may be left
// but what the fixture made and the stored root key.
func (e Evidence) Disowned() Evidence {
	e.Announced, e.Recorded, e.KeyEntries, e.Leases, e.Spared = nil, nil, nil, nil, nil
	return e
}

// Judge holds the invariants: no user, key or policy in AWS that no lease,
// journal entry, record or static role owns; no live lease whose key does not
// work; the stored root key works, and so does a static role's.
func (e Evidence) Judge() Finding {
	var f Finding
	for _, arn := range e.Policies {
		f.Leaked = append(f.Leaked, "policy "+arn)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Users)) {
		f.Leaked = append(f.Leaked, e.unowned(e.Users[name])...)
	}
	for _, l := range e.Leases {
		if !l.Ending && !l.Key.Works {
			f.Dead = append(f.Dead, fmt.Sprintf("key %s of lease %s", l.Key.AccessKey, l.ID))
		}
	}
	if !e.Root.Works {
		f.Dead = append(f.Dead, "the stored root key "+e.Root.AccessKey)
	}
	if e.Static != nil && !e.Static.Works {
		f.Dead = append(f.Dead, "the static role's key "+e.Static.AccessKey)
	}
	return f
}

// unowned is what nothing owns of a user: the user, or some of its keys.
func (e Evidence) unowned(u awssim.User) (leaked []string) {
	if slices.Contains(e.Announced, u.Name) || slices.Contains(e.Recorded, u.Name) {
		return nil // it goes with whatever hangs on it
	}
	owned, mine := e.ownedKeys(u.Name)
	if !mine {
		return []string{"user " + u.Name}
	}
	for _, key := range u.Keys {
		if owned != nil && !slices.Contains(owned, key.ID) {
			leaked = append(leaked, fmt.Sprintf("key %s of user %s", key.ID, u.Name))
		}
	}
	return leaked
}

// ownedKeys are the keys of a user that something owns, nil for any, and
// whether something owns the user.
func (e Evidence) ownedKeys(user string) (keys []string, owned bool) {
	for _, entry := range e.KeyEntries {
		if entry.UserName != user {
			continue
		}
		if entry.New == "" {
			return nil, true
		}
		keys = append(append(keys, entry.Seen...), entry.Old, entry.New)
	}
	switch user {
	case RootUser:
		return append(keys, e.Root.AccessKey), true
	case StaticUser:
		if e.Static != nil {
			keys = append(keys, e.Static.AccessKey, e.Static.Previous)
		}
		return append(append(keys, e.Spared...), ""), true
	}
	for _, l := range e.Leases {
		if l.User == user {
			keys, owned = append(keys, l.Key.AccessKey), true
		}
	}
	return keys, owned
}
