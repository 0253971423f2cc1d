package crash

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/crashtest"
	"vault-plugin-secrets-aws/internal/devstack"
)

// events are what happens on Vault's side; an error is a failure of the test.
var events = []operation{
	{name: "token revoked during the read", run: (*scene).revokeTokenDuringRead},
	{name: "token with one use", run: (*scene).oneUse},
	{name: "batch token that ends", run: (*scene).batchToken},
	{name: "lease that Vault lost", run: (*scene).loseLease},
	{name: "lease revoke -force -prefix while AWS refuses", run: (*scene).forceRevoke},
	{name: "lowered max-lease-ttl", run: (*scene).lowerTTL},
	{name: "secrets disable", run: (*scene).disable},
	{name: "secrets disable after its leases were revoked", run: (*scene).disableDrained},
	{name: "secrets disable while AWS refuses, and again", run: (*scene).disableTwice},
	{name: "secrets disable after a read that failed, without drain", run: (*scene).disableYoung},
	{name: "drain and secrets disable after a read that failed", run: (*scene).drainYoung, not: []engine{builtin}},
	{name: "secrets move with a live lease", run: (*scene).moveWithLease},
	{name: "secrets move during the read", run: (*scene).moveDuringRead},
	{name: "plugin reload during the read", run: (*scene).reloadDuringRead},
	{name: "version switch during the read, and back", run: (*scene).switchDuringRead},
	{name: "clock an hour ahead of AWS's", run: func(s *scene) error { return s.clockOff(-time.Hour) }},
	{name: "clock an hour behind AWS's", run: func(s *scene) error { return s.clockOff(time.Hour) }},
	{name: "snapshot restored", run: (*scene).restore},
	{name: "snapshot restored that is older than a user", run: (*scene).restoreOlder},
	{name: "snapshot restored that is older than a user and two starts", run: (*scene).restoreMuchOlder, not: []engine{builtin}},
	{name: "revoke that fails, and the worker is faster than the next", run: (*scene).workerFirst, long: true, not: []engine{builtin}},
	{name: "revoke that fails until Vault gives up", run: (*scene).giveUp, long: true},
}

// TestEvents lets the events of Vault's side happen, each on a server of its own:
// a reload ends the process of all mounts.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		for _, op := range events {
			if op.long && !*full {
				continue
			}
			t.Run(e.name+"/"+op.name, func(t *testing.T) {
				if slices.Contains(op.not, e) {
					notPossible(t, e, "Vault's side", op.name)
					return
				}
				t.Parallel()
				runEvent(t, e, op)
			})
		}
		for _, op := range secondCluster {
			if slices.Contains(op.not, e) {
				notPossible(t, e, "Vault's side", op.name)
				continue
			}
			t.Run(e.name+"/"+op.name, func(t *testing.T) {
				t.Parallel()
				second := newLab(t)
				runEvent(t, e, operation{name: op.name, run: func(s *scene) error { return op.run(s, second) }})
			})
		}
	}
}

func runEvent(t *testing.T, e engine, op operation) {
	b := newBatch(t, e, mishap{name: op.name})
	op.name = "Vault's side"
	b.add(op, site{})
	b.run()
}

// slowly makes AWS slow and does something while a credential is being read.
func (s *scene) slowly(token string, meanwhile func() error) (read error, err error) {
	s.Sim.Configure(func(to *awssim.Settings) { to.Latency = 500 * time.Millisecond })
	defer s.Sim.Configure(func(to *awssim.Settings) { to.Latency = 0 })
	begun, done := len(s.Sim.Journal()), make(chan error, 1)
	go func() { done <- s.issue(token) }()
	err = s.await("CreateUser", func() (bool, error) {
		made := func(c awssim.Call) bool { return c.Action == "iam:CreateUser" }
		return slices.ContainsFunc(s.Sim.Journal()[begun:], made), nil
	})
	if err == nil {
		err = meanwhile()
	}
	return <-done, err
}

// token makes a token that may read credentials.
func (s *scene) token(settings fields) (string, error) {
	policy := fields{"policy": fmt.Sprintf(`path "%s/*" { capabilities = ["read"] }`, s.mount)}
	if err := s.write("sys/policies/acl/reader-"+s.mount, policy); err != nil {
		return "", err
	}
	settings["policies"] = []string{"reader-" + s.mount}
	var answer struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	err := s.call(devstack.RootToken, http.MethodPost, "auth/token/create", settings, &answer)
	return answer.Auth.Token, err
}

// revokeTokenDuringRead revokes the token that reads. Whether Vault ends the lease
// with it or keeps it is Vault's business.
func (s *scene) revokeTokenDuringRead() error {
	token, err := s.token(fields{"ttl": "1h"})
	if err != nil {
		return err
	}
	_, err = s.slowly(token, func() error { return s.write("auth/token/revoke", fields{"token": token}) })
	return err
}

// loseLease has Vault lose a lease, as when it could not register it and its one
// try to revoke failed.
func (s *scene) loseLease() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	err := s.remove("sys/raw/sys/expire/id/" + s.lease)
	s.KillAll()
	return errors.Join(err, s.restart())
}

// oneUse reads with a token whose one use that is: Vault revokes the lease at
// once and answers no credential.
func (s *scene) oneUse() error {
	token, err := s.token(fields{"num_uses": 1})
	if err != nil {
		return err
	}
	s.ending = true
	_ = s.issue(token)
	return s.await("end of the lease", s.noLeases)
}

func (s *scene) batchToken() error {
	token, err := s.token(fields{"type": "batch", "ttl": "3s"})
	if err != nil {
		return err
	}
	if err := s.issue(token); err != nil {
		return err
	}
	s.ending = true
	return s.await("end of the lease", s.noLeases)
}

func (s *scene) noLeases() (bool, error) {
	paths, err := s.leasePaths()
	return len(paths) == 0, err
}

// refusing does something while AWS deletes nothing.
func (s *scene) refusing(do func() error) error {
	s.Sim.Inject(awssim.Fault{Action: "iam:Delete*", Kind: awssim.FaultError, Status: http.StatusForbidden, Code: "AccessDenied"})
	defer s.Sim.ClearFaults()
	return do()
}

// forceRevoke makes Vault forget a lease that it could not revoke.
func (s *scene) forceRevoke() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	return s.refusing(func() error { return s.write("sys/leases/revoke-force/"+s.mount, nil) })
}

// lowerTTL lets a lease end early.
func (s *scene) lowerTTL() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	if err := s.write("sys/mounts/"+s.mount+"/tune", fields{"max_lease_ttl": "4s", "default_lease_ttl": "4s"}); err != nil {
		return err
	}
	if err := s.renew(); err != nil {
		return err
	}
	s.ending = true
	return s.await("end of the lease", s.noLeases)
}

// disable removes the mount, its leases and its storage.
func (s *scene) disable() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	return s.unmount()
}

func (s *scene) unmount() error {
	err := s.remove("sys/mounts/" + s.mount)
	s.unmounted = err == nil
	return err
}

func (s *scene) disableDrained() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	return errors.Join(s.write("sys/leases/revoke-prefix/"+s.mount, fields{"sync": true}), s.unmount())
}

func (s *scene) disableTwice() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	err := s.refusing(s.unmount)
	if err == nil {
		return errors.New("the mount was disabled although AWS refused")
	}
	return s.await("disabling", func() (bool, error) { return s.unmount() == nil, nil })
}

// failRead reads a credential that AWS refuses to complete and to clean up: an
// entry in the journal is left, too young to be rolled back.
func (s *scene) failRead() error {
	s.Sim.Inject(
		awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: http.StatusForbidden, Code: "AccessDenied"},
		awssim.Fault{Action: "iam:Delete*", Kind: awssim.FaultReset},
	)
	defer s.Sim.ClearFaults()
	if s.issueAsRoot() == nil {
		return errors.New("AWS refuses and the read succeeds")
	}
	return nil
}

func (s *scene) disableYoung() error { return errors.Join(s.failRead(), s.unmount()) }

// drainYoung has the mount finish what it owes first.
func (s *scene) drainYoung() error {
	if err := errors.Join(s.failRead(), s.write(s.mount+"/tidy", fields{"drain": true})); err != nil {
		return err
	}
	err := s.await("drain", func() (bool, error) {
		var status struct{ Data struct{ Drained bool } }
		err := s.read(s.mount+"/tidy-status", &status)
		return status.Data.Drained, err
	})
	return errors.Join(err, s.unmount())
}

// moveWithLease moves the mount, at which Vault revokes its leases.
func (s *scene) moveWithLease() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	return s.moveTo(s.mount + "-moved")
}

// moveDuringRead takes the path from under a read: Vault has no mount to register
// the lease with, answers an error and revokes nothing.
func (s *scene) moveDuringRead() error {
	s.ending = true
	_, err := s.slowly(devstack.RootToken, func() error { return s.moveTo(s.mount + "-moved") })
	return err
}

func (s *scene) reloadDuringRead() error {
	_, err := s.slowly(devstack.RootToken, func() error { return s.reload(s.mount) })
	return err
}

// switchDuringRead hands the mount to the other engine and back.
func (s *scene) switchDuringRead() error {
	other := builtin
	if s.engine == builtin {
		other = ours
	}
	_, err := s.slowly(devstack.RootToken, func() error { return s.switchTo(other) })
	if err != nil {
		return err
	}
	return s.switchTo(s.engine)
}

func (s *scene) switchTo(e engine) error {
	version := cmp.Or(e.version, s.version)
	return errors.Join(s.write("sys/mounts/"+s.mount+"/tune", fields{"plugin_version": version}), s.reload(s.mount))
}

// clockOff has AWS refuse what is signed by a clock that is off from its own,
// and puts the clock right again.
func (s *scene) clockOff(ahead time.Duration) error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.SetAhead(ahead)
	defer s.SetAhead(0)
	first := s.lease
	if s.issueAsRoot() == nil {
		return errors.New("AWS takes signatures of another hour")
	}
	return s.write("sys/leases/renew", fields{"lease_id": first, "increment": 3600})
}

// workerFirst has the engine's worker destroy the user of a lease whose revoke
// failed: the next revoke is told that the young user is not there, and believes
// it.
func (s *scene) workerFirst() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	if s.refusing(s.revoke) == nil {
		return errors.New("AWS refuses and the revoke succeeds")
	}
	return errors.Join(s.workDone(crashtest.Work...), s.revoke())
}

// giveUp lets a lease end while AWS refuses, until Vault gives it up.
func (s *scene) giveUp() error {
	if err := s.write(s.mount+"/config/lease", fields{"lease": "2s", "lease_max": "2s"}); err != nil {
		return err
	}
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	s.ending = true
	return s.refusing(func() error {
		return s.awaitFor(15*time.Minute, "giving up", func() (bool, error) {
			var entry struct {
				Error string `json:"revokeErr"`
			}
			_, err := s.loadRaw("sys/expire/id/"+s.lease, &entry)
			return entry.Error != "", err
		})
	})
}

// left is the evidence of a mount that is no more: its account.
func (s *scene) left() crashtest.Evidence {
	account := s.Sim.State().Accounts[s.Root.Account]
	delete(account.Users, s.Sim.Admin().UserName)
	root := crashtest.KeyPair{AccessKey: s.Root.AccessKey, SecretKey: s.Root.SecretKey}
	return crashtest.Evidence{Users: account.Users, Root: s.Tried(s.ctx, root)}
}
