package awssim_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestConcurrent has many clients at once, and somebody who looks on; the
// race detector judges.
func TestConcurrent(t *testing.T) {
	sim, endpoint, _ := started(t)
	sim.PutUser(account, "shared", "")
	var clients sync.WaitGroup
	for i := range 8 {
		admin := as(endpoint, sim.Admin())
		clients.Go(func() {
			name := fmt.Sprint("u", i)
			for range 5 {
				_, err := admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
				wantOutcome(t, "CreateUser", err, "ok")
				_, err = admin.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: &name})
				wantOutcome(t, "DeleteUser", err, "ok")
			}
			_, _ = admin.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("shared")}) // most are refused
		})
	}
	clients.Go(func() {
		for range 50 {
			sim.State()
			sim.Journal()
			sim.Inject(awssim.Fault{Action: "iam:Nothing", Kind: awssim.FaultReset})
			sim.Configure(func(s *awssim.Settings) { s.PageSize++ })
			sim.ClearFaults()
		}
	})
	clients.Wait()
	shared := sim.State().Accounts[account].Users["shared"]
	if got := sim.Users(account); len(got) != 1 || len(shared.Keys) != 2 {
		t.Errorf("users left: %v; keys: %v", got, shared.Keys)
	}
	for i, c := range sim.Journal() {
		if c.Sequence != int64(i+1) {
			t.Fatalf("call %d has number %d", i+1, c.Sequence)
		}
	}
}
