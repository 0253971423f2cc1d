package backend_test

import (
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/crashtest"
)

// crashEvents are events of Vault's side that a real Vault does not bring about
// on demand.
var crashEvents = []crashOperation{
	{name: "answer lost before the lease is registered", run: (*crash).loseAnswer},
	{name: "lease registration fails", run: func(c *crash) { c.issue(); c.revokeLeases() }},
	{name: "lease registration fails, and so does Vault's one revoke", run: (*crash).failRegistration},
	{name: "our clock an hour ahead after a restart", run: func(c *crash) { c.issueAndJump(time.Hour) }},
	{name: "our clock an hour behind after a restart", run: func(c *crash) { c.issueAndJump(-time.Hour) }},
}

// TestCrashEvents lets events of Vault's side happen.
func TestCrashEvents(t *testing.T) {
	t.Parallel()
	for _, event := range crashEvents {
		t.Run(event.name, func(t *testing.T) {
			t.Parallel()
			c := newCrash(t)
			c.happen(event, 0, fate{})
			c.report(crashtest.Result{Engine: "ours", Operation: "Vault's side", Mishap: event.name})
			not := crashtest.Result{Engine: "built-in", Operation: "Vault's side", Mishap: event.name, Verdict: crashtest.NotPossible}
			if err := crashResults.Add(not); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// loseAnswer issues a user of which Vault never hears.
func (c *crash) loseAnswer() {
	c.issue()
	c.leases = nil
	clear(c.secrets)
}

// failRegistration issues a user whose lease Vault cannot register: it tries to
// revoke once, and forgets it.
func (c *crash) failRegistration() {
	c.issue()
	c.account.Sim.Inject(awssim.Fault{Action: "iam:Delete*", Kind: awssim.FaultReset})
	c.revokeLeases()
	if len(c.leases) != 1 {
		c.Fatal("the revoke succeeded although AWS is out of reach")
	}
	c.revoked = append(c.revoked, c.leases[0].User)
	c.leases = nil
	clear(c.secrets)
}

// issueAndJump issues a user and lets the clock be wrong from the restart on.
func (c *crash) issueAndJump(by time.Duration) {
	c.issue()
	c.clock.advance(by)
}
