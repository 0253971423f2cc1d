package crashtest

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// The fixture of an account: what the engine is given, not what it makes.
const (
	RootUser   = "vault-root"
	StaticUser = "application" // without keys
	Group      = "team"

	MayEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}`
	mayAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}]}`
)

// Account is an AWS of its own with the fixture in it.
type Account struct {
	Sim      *awssim.Sim
	Endpoint string
	Root     awssim.Credentials // of RootUser
	Policy   string             // ARN of a customer managed policy

	off atomic.Int64 // nanoseconds by which AWS's clock is ahead
}

// NewAccount starts a simulator, until the test ends.
func NewAccount(t testing.TB) *Account {
	a := &Account{}
	sim, endpoint := simtest.Start(t, awssim.Options{Clock: a.now})
	id := sim.Admin().Account
	a.Sim, a.Endpoint = sim, endpoint
	a.Root, a.Policy = sim.PutUser(id, RootUser, mayAll), sim.PutPolicy(id, "base", MayEC2)
	sim.PutGroup(id, Group, MayEC2)
	key := sim.PutUser(id, StaticUser, "").AccessKey
	if _, err := sim.Interfere(awssim.Interference{User: StaticUser, Act: awssim.ActDeleteKey, Value: key}); err != nil {
		t.Fatal(err)
	}
	return a
}

// now is AWS's time.
func (a *Account) now() time.Time {
	return time.Now().Add(time.Duration(a.off.Load())) //nolint:forbidigo // the clock that is off is off from the real one
}

// SetAhead puts AWS's clock ahead of everybody else's, or behind.
func (a *Account) SetAhead(off time.Duration) { a.off.Store(int64(off)) }

// RootConfig is what config/root is told.
func (a *Account) RootConfig() map[string]any {
	return map[string]any{
		"access_key": a.Root.AccessKey, "secret_key": a.Root.SecretKey, "region": "us-east-1",
		"iam_endpoint": a.Endpoint, "sts_endpoint": a.Endpoint,
	}
}

// Role is a role of IAM users with one of each part.
func (a *Account) Role() map[string]any {
	return map[string]any{
		"credential_type": "iam_user", "policy_document": MayEC2, "policy_arns": []string{a.Policy}, "iam_groups": []string{Group},
	}
}

// Tried is a key and whether AWS knows it.
func (a *Account) Tried(ctx context.Context, pair KeyPair) Key {
	config := simtest.Session(a.Endpoint, pair.AccessKey, pair.SecretKey, "")
	_, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return Key{KeyPair: pair, Works: err == nil}
}

// FaultsMet are the calls that a fault was applied to.
func (a *Account) FaultsMet() []awssim.Call {
	var met []awssim.Call
	for _, c := range a.Sim.Journal() {
		if c.Fault != "" {
			met = append(met, c)
		}
	}
	return met
}
