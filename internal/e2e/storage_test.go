package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// record is one entry of Vault's storage that holds JSON, decoded. Numbers keep
// their digits.
type record map[string]any

// mountStorage is where Vault keeps what a mount stores.
func (s *script) mountStorage(mount string) (string, error) {
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
	return "/v1/sys/raw/logical/" + m.UUID + "/", nil
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

// rewrite changes one record in Vault's storage behind the engine's back.
// Fields that change does not touch stay as they are.
func (s *script) rewrite(path string, change func(record) error) error {
	var answer struct{ Data struct{ Value string } }
	if err := s.get(path, &answer); err != nil {
		return err
	}
	var r record
	decoder := json.NewDecoder(strings.NewReader(answer.Data.Value))
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		return err
	}
	if err := change(r); err != nil {
		return err
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.rawPut(path, value)
}

func (s *script) rawPut(path string, value []byte) error {
	body, err := json.Marshal(map[string]string{"value": string(bytes.TrimSpace(value))})
	if err != nil {
		return err
	}
	status, text, err := s.request(http.MethodPost, path, body)
	if err == nil && status != http.StatusNoContent {
		err = fmt.Errorf("write %s: %d %s", path, status, text)
	}
	return err
}

// setBack sets a time of the record, if it has one, back.
func (r record) setBack(field string, by time.Duration) error {
	text, ok := r[field].(string)
	if !ok {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	r[field] = at.Add(-by)
	return err
}

// ageStatic sets the stored key of a static role back in time, as if it had been
// made that much earlier.
func ageStatic(s *script, args []string) error {
	if len(args) != 3 {
		return errUsage
	}
	by, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	storage, err := s.mountStorage(args[0])
	if err != nil {
		return err
	}
	return s.rewrite(storage+"static-creds/"+args[1], func(r record) error {
		for _, field := range []string{"expiration", "last_vault_rotation", "previous_valid_until"} {
			if err := r.setBack(field, by); err != nil {
				return err
			}
		}
		return nil
	})
}

// showStored prints what lies under a key of a mount's storage, as it is.
func showStored(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	storage, err := s.mountStorage(args[0])
	if err != nil {
		return err
	}
	var answer struct{ Data struct{ Value string } }
	err = s.get(storage+args[1], &answer)
	fmt.Fprintln(&s.stdout, answer.Data.Value)
	return err
}
