package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// age sets the journal entries of a mount back in time, as if they had been
// written that much earlier.
func age(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	by, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	folder, err := s.journal(args[0])
	if err != nil {
		return err
	}
	ids, err := s.rawList(folder)
	for _, id := range ids {
		err = errors.Join(err, s.rewrite(folder+id, func(r record) error { return r.ageEntry(by) }))
		fmt.Fprintln(&s.stdout, id)
	}
	if len(ids) == 0 && err == nil {
		err = refusef("no journal entries in %s", args[0])
	}
	return err
}

// listJournal lists the journal entries of a mount.
func listJournal(s *script, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	folder, err := s.journal(args[0])
	if err != nil {
		return err
	}
	ids, err := s.rawList(folder)
	for _, id := range ids {
		fmt.Fprintln(&s.stdout, id)
	}
	if len(ids) == 0 && err == nil {
		err = refusef("no journal entries in %s", args[0])
	}
	return err
}

// journal is where Vault keeps the write-ahead log of a mount.
func (s *script) journal(mount string) (string, error) {
	storage, err := s.mountStorage(mount)
	return storage + "wal/", err
}

// ageEntry sets a journal entry back in time: the hour Vault has noted, and the
// one that the intent in it carries.
func (r record) ageEntry(by time.Duration) error {
	created, err := r["created_at"].(json.Number).Int64()
	if err != nil {
		return err
	}
	r["created_at"] = created - int64(by.Seconds())
	if data, ok := r["data"].(map[string]any); ok {
		return record(data).setBack("issued_at", by)
	}
	return nil
}
