package crash

import (
	"errors"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/internal/awssim"
)

// evidence is what the judge looks at: the scene's account, and whatever may own
// something in it.
type evidence struct {
	users    map[string]awssim.User // without the simulator's administrator
	policies []string               // ARNs of customer managed ones, without the fixture's

	announced  []string // names in the journal
	recorded   []string // names in records
	keyEntries []keyEntry
	leases     []lease

	root       keyPair
	rootWorks  bool
	static     *staticKey // nil: no static role
	staticKeys []string   // keys of the static role's user before the operation
}

// keyEntry is an entry of the journal of keys.
type keyEntry struct {
	UserName string   `json:"user_name"`
	Seen     []string `json:"seen"`
	Old      string   `json:"old"`
	New      string   `json:"new"` // "": not known yet, so the entry owns any
}

// lease is an entry of Vault's expiration manager.
type lease struct {
	id, user, key string
	ending        bool // its end was asked for
	works         bool
}

// staticKey is the key of a static role.
type staticKey struct {
	keyPair
	Previous string `json:"previous_key"`

	works bool
}

// gather collects the evidence. Owners are read before what they own, so that
// work which ends meanwhile cannot look like a leak.
func (s *scene) gather() (evidence, error) {
	e := evidence{staticKeys: s.spared}
	err := errors.Join(s.gatherNames(&e), s.gatherKeyEntries(&e), s.gatherLeases(&e), s.gatherKeys(&e))
	account := s.sim.State().Accounts[s.account]
	e.users = account.Users
	delete(e.users, s.sim.Admin().UserName)
	for arn := range account.Policies {
		if arn != s.policy {
			e.policies = append(e.policies, arn)
		}
	}
	return e, err
}

func (s *scene) gatherNames(e *evidence) error {
	keys, err := s.pending("wal/", "users/")
	if err != nil {
		return err
	}
	for _, key := range keys {
		if name, ok := strings.CutPrefix(key, "users/"); ok {
			e.recorded = append(e.recorded, name)
			continue
		}
		var entry struct{ Data struct{ UserName string } }
		if _, err := s.raw(s.entry(key), &entry); err != nil {
			return err
		}
		e.announced = append(e.announced, entry.Data.UserName)
	}
	return nil
}

func (s *scene) gatherKeyEntries(e *evidence) error {
	keys, err := s.pending("journal/root-key/", "journal/static-key/")
	for _, key := range keys {
		var entry keyEntry
		_, readErr := s.raw(s.entry(key), &entry)
		err = errors.Join(err, readErr)
		e.keyEntries = append(e.keyEntries, entry)
	}
	return err
}

// gatherLeases reads the leases of the mount, whatever its path was when they
// began, and tries their keys.
func (s *scene) gatherLeases(e *evidence) error {
	paths, err := s.leasePaths()
	if err != nil {
		return err
	}
	for _, path := range paths {
		var entry struct {
			LeaseID string `json:"lease_id"`
			Data    keyPair
			Secret  struct {
				InternalData struct {
					Username string `json:"username"`
				} `json:"internal_data"`
			}
		}
		found, err := s.raw(path, &entry)
		if err != nil {
			return err
		}
		if found {
			e.leases = append(e.leases, lease{
				id: entry.LeaseID, user: entry.Secret.InternalData.Username, key: entry.Data.AccessKey,
				ending: s.ending, works: s.works(entry.Data),
			})
		}
	}
	return nil
}

// leasePaths are the entries of the mount's leases in Vault's storage.
func (s *scene) leasePaths() ([]string, error) {
	var all []string
	for _, mount := range slices.Compact([]string{s.firstMount(), s.mount}) {
		paths, err := s.rawTree("sys/expire/id/" + mount + "/")
		if err != nil {
			return nil, err
		}
		all = append(all, paths...)
	}
	return all, nil
}

// firstMount is the path that the mount had before it moved.
func (s *scene) firstMount() string { return strings.Split(s.mount, "-")[0] }

func (s *scene) gatherKeys(e *evidence) error {
	_, err := s.raw(s.entry("config/root"), &e.root)
	e.rootWorks = s.works(e.root)
	var static staticKey
	found, staticErr := s.raw(s.entry("static-creds/app"), &static)
	if found {
		static.works = s.works(static.keyPair)
		e.static = &static
	}
	return errors.Join(err, staticErr)
}
