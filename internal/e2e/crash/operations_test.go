package crash

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/crashtest"
)

// operation is what a mishap happens to.
type operation struct {
	name    string
	prepare func(s *scene) error // what has to be there before
	run     func(s *scene) error // an error is the mishap's doing
	long    bool                 // it takes minutes: for -full only
	not     []engine             // the engines that have no such thing
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
	if err := s.write(s.mount+"/static-roles/app", fields{"username": crashtest.StaticUser, "rotation_period": "24h"}); err != nil {
		return err
	}
	var now crashtest.KeyPair
	_, err := s.Load("static-creds/app", &now)
	s.spared = append(s.spared, now.AccessKey)
	return err
}

// rotateStatic rotates the key of the static role. The built-in engine has no
// request for it: its rotation falls due by an expiration in the past, is loaded
// with the mount and carried out by the periodic function, within a minute.
func (s *scene) rotateStatic() error {
	if s.engine == ours {
		return s.write(s.mount+"/rotate-role/app", nil)
	}
	return errors.Join(
		crashtest.Age(s, 25*time.Hour, "static-creds/"),
		s.reload(s.mount),
		s.await("rotation", s.rotated),
	)
}

func (s *scene) rotated() (bool, error) {
	var now crashtest.KeyPair
	_, err := s.Load("static-creds/app", &now)
	return now.AccessKey != s.spared[len(s.spared)-1] || len(s.FaultsMet()) > 0, err
}

// workDone waits until nothing is written down in the folders.
func (s *scene) workDone(folders ...string) error {
	var left []string
	err := s.await("work that is written down", func() (bool, error) {
		var err error
		left, err = crashtest.Pending(s, folders...)
		return len(left) == 0, err
	})
	if err != nil {
		err = fmt.Errorf("%w: %s", err, strings.Join(left, ", "))
	}
	return err
}
