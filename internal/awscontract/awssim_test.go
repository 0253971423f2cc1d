package awscontract_test

import (
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awscontract"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// otherAccount is a second account of the simulator.
const otherAccount = "210987654321"

// TestAWSSim holds the simulator to every belief: it has no deviations, and
// nothing that a case needs is missing. What it answers on the way is held to
// the service model.
func TestAWSSim(t *testing.T) {
	b, seen := simulator(t), map[awscontract.Call]bool{}
	b.Observe = func(c awscontract.Call) { seen[c] = true }
	if score := awscontract.Run(t, b); score.Deviated+score.Skipped > 0 {
		t.Errorf("not every belief was held: %+v", score)
	}
	t.Run("errors of the service model", func(t *testing.T) { compareErrors(t, seen) })
}

// simulator is a new simulator that has all that cases need.
func simulator(t *testing.T) awscontract.Backend {
	t.Helper()
	sim, endpoint := simtest.Start(t)
	admin := sim.Admin()
	other := keyOf(sim.AddAccount(otherAccount))
	rootUser := keyOf(sim.RootKey(admin.Account))
	return awscontract.Backend{
		Name: "awssim", Endpoint: endpoint, Region: "us-east-1", Account: admin.Account,
		Admin: keyOf(admin), Root: &rootUser, Other: &other,
		Advance: func(d time.Duration) { advance(sim, d) },
	}
}

func keyOf(c awssim.Credentials) awscontract.Key {
	return awscontract.Key{ID: c.AccessKey, Secret: c.SecretKey}
}

// advance moves the simulator's clock and lets the clients' stay behind.
func advance(sim *awssim.Sim, d time.Duration) {
	sim.Advance(d)
	skew := 5 * time.Minute
	if d > 0 {
		skew = 24 * time.Hour
	}
	sim.Configure(func(s *awssim.Settings) { s.MaxSkew = skew })
}
