package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
)

// unsealKey is what a server in dev mode prints at its start.
var unsealKey = regexp.MustCompile(`Unseal Key: (\S+)`)

// unseal gives the server its key.
func unseal(s *script, _ []string) error {
	match := unsealKey.FindStringSubmatch(s.stack.VaultLog())
	if match == nil {
		return errors.New("the server has printed no unseal key")
	}
	status, answer, err := s.request(http.MethodPut, "/v1/sys/unseal", fmt.Appendf(nil, `{"key":%q}`, match[1]))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("unseal: %d %s", status, answer)
	}
	return err
}
