package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
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
		err = errors.Join(err, s.ageEntry(folder+id, by))
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
	var answer struct {
		Data map[string]struct{ UUID string }
	}
	if err := s.get("/v1/sys/mounts", &answer); err != nil {
		return "", err
	}
	m, ok := answer.Data[strings.TrimSuffix(mount, "/")+"/"]
	if !ok {
		return "", fmt.Errorf("no mount %s", mount)
	}
	return "/v1/sys/raw/logical/" + m.UUID + "/wal/", nil
}

// rawList lists a folder of Vault's storage.
func (s *script) rawList(folder string) ([]string, error) {
	var answer struct{ Data struct{ Keys []string } }
	status, body, err := s.request("LIST", folder, nil)
	if err != nil || status == http.StatusNotFound {
		return nil, err
	}
	return answer.Data.Keys, json.Unmarshal(body, &answer)
}

// ageEntry sets one journal entry back in time: the hour Vault has noted, and
// the one that the intent in it carries.
func (s *script) ageEntry(path string, by time.Duration) error {
	var answer struct{ Data struct{ Value string } }
	if err := s.get(path, &answer); err != nil {
		return err
	}
	value, err := agedEntry([]byte(answer.Data.Value), by)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"value": string(value)})
	if err != nil {
		return err
	}
	status, text, err := s.request(http.MethodPost, path, body)
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("write %s: %d %s", path, status, text)
	}
	return err
}

// agedEntry is a journal entry with its times set back. Fields that it does
// not know stay as they are.
func agedEntry(entry []byte, by time.Duration) ([]byte, error) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(entry))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	created, err := fields["created_at"].(json.Number).Int64()
	if err != nil {
		return nil, err
	}
	fields["created_at"] = created - int64(by.Seconds())
	if data, ok := fields["data"].(map[string]any); ok && data["issued_at"] != nil {
		issued, err := time.Parse(time.RFC3339Nano, data["issued_at"].(string))
		if err != nil {
			return nil, err
		}
		data["issued_at"] = issued.Add(-by)
	}
	return json.Marshal(fields)
}
