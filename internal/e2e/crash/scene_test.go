package crash

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/crashtest"
	"vault-plugin-secrets-aws/internal/devstack"
)

// engine is one of the two that the matrix is run with.
type engine struct {
	name    string
	version string // that a mount is pinned to; "" is the registered plugin's
}

var (
	ours    = engine{name: "ours"}
	builtin = engine{name: "built-in", version: "v1.21.1+builtin.vault"}
)

// scene is a mount on an AWS of its own.
type scene struct {
	*lab
	*crashtest.Account
	engine engine
	mount  string // path, without a slash; it changes when the mount moves
	uuid   string // of its storage

	unmounted bool // nothing of the mount is there any more

	lease  string                       // the last credential's
	given  map[string]crashtest.KeyPair // what clients got, by lease: a renewal makes Vault forget it
	spared []string                     // keys that were in force before the operation: nobody's fault if they stay
	ending bool                         // the end of the leases was asked for: their keys need not work
}

// newScene starts the AWS of a scene. Nothing is mounted yet.
func newScene(t *testing.T, l *lab, e engine, mount string) *scene {
	return &scene{lab: l, Account: crashtest.NewAccount(t), engine: e, mount: mount, given: map[string]crashtest.KeyPair{}}
}

// furnished mounts the engine and writes its root config and a role.
func (s *scene) furnished() error {
	err := errors.Join(
		s.write("sys/mounts/"+s.mount, fields{"type": "aws", "config": fields{"plugin_version": s.engine.version}}),
		s.write(s.mount+"/config/root", s.RootConfig()),
		s.write(s.mount+"/roles/deploy", s.Role()),
	)
	if err != nil {
		return err
	}
	all, err := s.mounts()
	s.uuid = all[s.mount]
	return err
}

// mounts tells the storage of each mount by its path.
func (l *lab) mounts() (map[string]string, error) {
	var answer struct {
		Data map[string]struct{ UUID string }
	}
	err := l.read("sys/mounts", &answer)
	all := map[string]string{}
	for path, m := range answer.Data {
		all[strings.TrimSuffix(path, "/")] = m.UUID
	}
	return all, err
}

// locate finds the mount again: a move that was cut off may have come to its end
// or not.
func (s *scene) locate() error {
	all, err := s.mounts()
	if err != nil {
		return err
	}
	for path, uuid := range all {
		if uuid == s.uuid {
			s.mount = path
			return nil
		}
	}
	return fmt.Errorf("no mount has the storage of %s", s.mount)
}

// moveTo moves the mount. Its leases are of the old path.
func (s *scene) moveTo(mount string) error {
	if err := s.move(s.mount, mount); err != nil {
		return err
	}
	s.mount = mount
	return nil
}

// issue reads a credential with a token and keeps its lease.
func (s *scene) issue(token string) error {
	var answer struct {
		LeaseID string            `json:"lease_id"`
		Data    crashtest.KeyPair `json:"data"`
	}
	err := s.call(token, http.MethodGet, s.mount+"/creds/deploy", nil, &answer)
	if err == nil {
		s.lease, s.given[answer.LeaseID] = answer.LeaseID, answer.Data
	}
	return err
}

func (s *scene) issueAsRoot() error { return s.issue(devstack.RootToken) }
