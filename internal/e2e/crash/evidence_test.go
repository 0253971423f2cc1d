package crash

import (
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/crashtest"
)

// Keys implements crashtest.Store.
func (s *scene) Keys(folder string) ([]string, error) {
	paths, err := s.rawTree(s.entry(folder))
	for i, path := range paths {
		paths[i] = strings.TrimPrefix(path, s.entry(""))
	}
	return paths, err
}

// Load implements crashtest.Store.
func (s *scene) Load(key string, into any) (found bool, err error) {
	return s.loadRaw(s.entry(key), into)
}

// Save implements crashtest.Store.
func (s *scene) Save(key string, value any) error { return s.saveRaw(s.entry(key), value) }

// entry is the path of an entry of the mount in Vault's storage.
func (s *scene) entry(key string) string { return "logical/" + s.uuid + "/" + key }

// gather collects what the judge looks at.
func (s *scene) gather() (crashtest.Evidence, error) {
	if s.unmounted {
		return s.left(), nil
	}
	leases, err := s.leases()
	if err != nil {
		return crashtest.Evidence{}, err
	}
	return crashtest.Gather(s.ctx, s.Account, s, leases, s.spared)
}

// leases reads the leases of the mount, and tries their keys.
func (s *scene) leases() ([]crashtest.Lease, error) {
	paths, err := s.leasePaths()
	if err != nil {
		return nil, err
	}
	var all []crashtest.Lease
	for _, path := range paths {
		var entry struct {
			ID     string            `json:"lease_id"`
			Data   crashtest.KeyPair `json:"data"`
			Secret struct {
				InternalData struct {
					Username string `json:"username"`
				} `json:"internal_data"`
			}
		}
		found, err := s.loadRaw(path, &entry)
		if err != nil {
			return nil, err
		}
		if given, ok := s.given[entry.ID]; ok {
			entry.Data = given
		}
		if found {
			key := s.Tried(s.ctx, entry.Data)
			all = append(all, crashtest.Lease{ID: entry.ID, User: entry.Secret.InternalData.Username, Key: key, Ending: s.ending})
		}
	}
	return all, nil
}

// leasePaths are the entries of the mount's leases in Vault's storage, whatever
// the mount's path was when they began.
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

// ageLeases sets the leases back in time: of a young user the engine does not
// believe that it is gone.
func (s *scene) ageLeases(by time.Duration) error {
	paths, err := s.leasePaths()
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := crashtest.AgeEntry(rawStore{s.lab}, path, by); err != nil {
			return err
		}
	}
	return nil
}

// rawStore is all of Vault's storage.
type rawStore struct{ *lab }

// Keys implements crashtest.Store.
func (s rawStore) Keys(folder string) ([]string, error) { return s.rawTree(folder) }

// Load implements crashtest.Store.
func (s rawStore) Load(key string, into any) (bool, error) { return s.loadRaw(key, into) }

// Save implements crashtest.Store.
func (s rawStore) Save(key string, value any) error { return s.saveRaw(key, value) }
