package e2e

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// addSecret takes in a secret of the script, besides its credentials.
func addSecret(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	s.secrets.Add(args[0], args[1])
	return nil
}

// noSecrets looks for every secret of the script in what it may not be in: all
// that Vault and the plugin have logged, the answers of refused commands, the
// lists and the configuration of the mounts, and their records but for those
// that are seal-wrapped. The secrets in these are looked for, too. It prints how
// much it has looked at.
func noSecrets(s *script, mounts []string) error {
	texts := map[string]string{"the server's log": s.stack.VaultLog()}
	for i, answer := range s.refusals {
		texts[fmt.Sprintf("refusal %d", i+1)] = answer
	}
	for _, mount := range mounts {
		if err := errors.Join(s.collectAnswers(mount, texts), s.collectRecords(mount, texts)); err != nil {
			return err
		}
	}
	found := 0
	for where, text := range texts {
		for _, leak := range s.secrets.In(text) {
			fmt.Fprintf(&s.stderr, "%s, in %s\n", leak, where)
			found++
		}
	}
	fmt.Fprintf(&s.stdout, "%d secrets, %d texts, %d trace lines\n", len(s.secrets), len(texts), strings.Count(texts["the server's log"], "[TRACE]"))
	if found > 0 {
		return refusef("%d secrets found", found)
	}
	return nil
}

// told are the paths that anybody may read who may look at a mount, or any
// operator.
var told = [][2]string{
	{"LIST", "roles"},
	{"LIST", "static-roles"},
	{"LIST", "users"},
	{http.MethodGet, "config/root"},
	{http.MethodGet, "roles/user"},
	{http.MethodGet, "tidy-status"},
	{http.MethodGet, "metrics"},
	{http.MethodGet, "metrics?format=prometheus"},
}

// collectAnswers asks a mount for what it tells, and for each of its users.
func (s *script) collectAnswers(mount string, texts map[string]string) error {
	asks := slices.Clone(told)
	for i := 0; i < len(asks); i++ {
		method, path := asks[i][0], "/v1/"+mount+"/"+asks[i][1]
		status, body, err := s.request(method, path, nil)
		if err != nil || status == http.StatusInternalServerError {
			return fmt.Errorf("%s %s: %d %s %w", method, path, status, body, err)
		}
		texts[method+" "+path] = string(body)
		if asks[i][1] == "users" {
			asks = append(asks, usersIn(body)...)
		}
	}
	return nil
}

// usersIn are the reads of the users that a list shows, if it shows any.
func usersIn(body []byte) (reads [][2]string) {
	var list struct{ Data struct{ Keys []string } }
	_ = json.Unmarshal(body, &list) // a mount without such a path says so
	for _, user := range list.Data.Keys {
		reads = append(reads, [2]string{http.MethodGet, "users/" + user})
	}
	return reads
}

// collectRecords reads the storage of a mount.
func (s *script) collectRecords(mount string, texts map[string]string) error {
	wal, err := s.journal(mount)
	if err != nil {
		return err
	}
	folder := strings.TrimSuffix(wal, "wal/")
	keys, err := s.rawKeys(folder)
	if err != nil {
		return err
	}
	for _, key := range keys {
		value, err := s.rawValue(folder + key)
		if err != nil {
			return err
		}
		if key == "config/root" || strings.HasPrefix(key, "static-creds/") {
			err = s.rememberSealed(mount+"/"+key, value)
		} else {
			texts["record "+mount+"/"+key] = key + "\n" + string(value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rememberSealed takes in the secret key of a seal-wrapped record, if it has one.
func (s *script) rememberSealed(name string, value []byte) error {
	var record struct {
		SecretKey string `json:"secret_key"`
	}
	err := json.Unmarshal(value, &record)
	if record.SecretKey != "" {
		s.secrets.Add("the secret key in "+name, record.SecretKey)
	}
	return err
}

// rawKeys lists all keys below a folder of Vault's storage.
func (s *script) rawKeys(folder string) (keys []string, err error) {
	names, err := s.rawList(folder)
	for _, name := range names {
		if !strings.HasSuffix(name, "/") {
			keys = append(keys, name)
			continue
		}
		below, belowErr := s.rawKeys(folder + name)
		err = errors.Join(err, belowErr)
		for _, key := range below {
			keys = append(keys, name+key)
		}
	}
	return keys, err
}

func (s *script) rawValue(path string) ([]byte, error) {
	var answer struct{ Data struct{ Value string } }
	if err := s.get(path+"?encoding=base64", &answer); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(answer.Data.Value)
}
