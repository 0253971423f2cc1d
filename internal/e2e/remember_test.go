package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// answers are what reads of some paths said: the data of each.
type answers map[string]map[string]any

// remember keeps what some paths say under a name; a path that ends in a slash
// stands for everything listed below it.
func remember(s *script, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	said := answers{}
	for _, path := range args[1:] {
		if err := s.readInto(said, path); err != nil {
			return err
		}
	}
	s.remembered[args[0]] = said
	return nil
}

// unchanged reads the paths of a name again. Every field of then has to be there
// and to read as it did; fields may have come, and an empty list or map is as
// good as none.
func unchanged(s *script, args []string) error {
	if len(args) != 1 || s.remembered[args[0]] == nil {
		return errUsage
	}
	now := answers{}
	for path, before := range s.remembered[args[0]] {
		if err := s.readInto(now, path); err != nil {
			return err
		}
		for field, want := range before {
			if got, ok := now[path][field]; !ok || !sameValue(want, got) {
				fmt.Fprintf(&s.stderr, "%s: %s was %v, is %v\n", path, field, want, got)
			}
		}
	}
	if s.stderr.Len() > 0 {
		return refusef("not as remembered")
	}
	return nil
}

// sameValue compares two values of an answer.
func sameValue(a, b any) bool { return isEmpty(a) && isEmpty(b) || reflect.DeepEqual(a, b) }

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

// readInto adds what a path says, or what lies below it.
func (s *script) readInto(said answers, path string) error {
	if !strings.HasSuffix(path, "/") {
		data, err := s.data(http.MethodGet, path)
		said[path] = data
		return err
	}
	listed, err := s.data("LIST", path)
	if err != nil {
		return err
	}
	for _, key := range listed["keys"].([]any) {
		if err := s.readInto(said, path+key.(string)); err != nil {
			return err
		}
	}
	return nil
}

// data is the data of Vault's answer.
func (s *script) data(method, path string) (map[string]any, error) {
	status, body, err := s.request(method, "/v1/"+path, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, status, body)
	}
	var answer struct{ Data map[string]any }
	return answer.Data, json.Unmarshal(body, &answer)
}
