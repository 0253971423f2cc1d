package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// operation is what a mishap happens to.
type operation struct {
	name    string
	prepare func(s *scene) error // what has to be there before
	run     func(s *scene) error // an error is the mishap's doing
}

var operations = []operation{
	{name: "issue", run: (*scene).issueAsRoot},
	{name: "renew", prepare: (*scene).issueAsRoot, run: (*scene).renew},
	{name: "revoke", prepare: (*scene).issueAsRoot, run: (*scene).revoke},
	{name: "rotate-root", run: (*scene).rotateRoot},
	{name: "static role creation", run: (*scene).createStatic},
	{name: "static rotation", prepare: (*scene).createStatic, run: (*scene).rotateStatic},
}

func (s *scene) renew() error {
	return s.write("sys/leases/renew", fields{"lease_id": s.lease, "increment": 3600})
}

func (s *scene) revoke() error {
	s.ending = true
	return s.write("sys/leases/revoke", fields{"lease_id": s.lease, "sync": true})
}

func (s *scene) rotateRoot() error { return s.write(s.mount+"/config/rotate-root", nil) }

func (s *scene) createStatic() error {
	if err := s.write(s.mount+"/static-roles/app", fields{"username": staticUser, "rotation_period": "24h"}); err != nil {
		return err
	}
	var now keyPair
	_, err := s.raw(s.entry("static-creds/app"), &now)
	s.spared = append(s.spared, now.AccessKey)
	return err
}

// rotateStatic rotates the key of the static role. The built-in engine has no
// request for it: its rotation falls due by an expiration in the past, is loaded
// with the mount and carried out by the periodic function, which a move calls.
func (s *scene) rotateStatic() error {
	if s.engine == ours {
		return s.write(s.mount+"/rotate-role/app", nil)
	}
	return errors.Join(
		s.age(25*time.Hour, "static-creds/"),
		s.reload(s.mount),
		s.moveTo(s.mount+"-rotated"),
		s.await("rotation", s.rotated),
	)
}

func (s *scene) rotated() (bool, error) {
	var now keyPair
	_, err := s.raw(s.entry("static-creds/app"), &now)
	return now.AccessKey != s.spared[len(s.spared)-1] || len(s.faultsMet()) > 0, err
}

// entry is the path of an entry of the mount in Vault's storage.
func (s *scene) entry(key string) string { return "logical/" + s.uuid + "/" + key }

// Folders of a mount's storage in which work is written down that is not done.
var (
	journals    = []string{"wal/", "journal/root-key/", "journal/static-key/"}
	workFolders = append([]string{"users/"}, journals...)
)

// pending lists the work that is written down in some folders.
func (s *scene) pending(folders ...string) ([]string, error) {
	var all []string
	for _, folder := range folders {
		paths, err := s.rawTree(s.entry(folder))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			all = append(all, strings.TrimPrefix(path, s.entry("")))
		}
	}
	return all, nil
}

// age sets entries back in time, as if they had been written that much earlier.
func (s *scene) age(by time.Duration, folders ...string) error {
	keys, err := s.pending(folders...)
	for _, key := range keys {
		err = errors.Join(err, s.ageEntry(s.entry(key), by))
	}
	return err
}

func (s *scene) ageEntry(path string, by time.Duration) error {
	var entry map[string]any
	found, err := s.raw(path, &entry)
	if err != nil || !found {
		return err // it was done meanwhile
	}
	text, err := json.Marshal(aged(entry, by))
	if err != nil {
		return err
	}
	return s.write("sys/raw/"+path, fields{"value": string(text)})
}

// aged sets every time in a decoded entry back: those that Go writes, and the
// second at which Vault's journal was written.
func aged(value any, by time.Duration) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if seconds, ok := inner.(float64); ok && name == "created_at" {
				v[name] = int64(seconds) - int64(by.Seconds())
				continue
			}
			v[name] = aged(inner, by)
		}
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil && at.Year() > 1 {
			return at.Add(-by)
		}
	}
	return value
}

// workDone waits until nothing is written down in the folders.
func (s *scene) workDone(folders ...string) error {
	var left []string
	err := s.await("work that is written down", func() (bool, error) {
		var err error
		left, err = s.pending(folders...)
		return len(left) == 0, err
	})
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.Join(left, ", "))
	}
	return err
}
