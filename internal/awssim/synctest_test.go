package awssim_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// inBubble is a simulator without sockets, and its administrator.
func inBubble(t *testing.T, options awssim.Options) (*awssim.Sim, actor, *http.Client) {
	t.Helper()
	sim, client := simtest.InMemory(t, options)
	return sim, actorOf(simtest.Through(simtest.Config(simtest.Endpoint, sim.Admin()), client)), client
}

// TestMonth calls once a minute for a month of fake time. Only a simulator
// whose every wait is a timer or a pipe gets through this at once.
func TestMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, admin, client := inBubble(t, awssim.Options{Seed: 1, Settings: must(awssim.Preset("realistic"))})
		for start := time.Now(); time.Since(start) < month; time.Sleep(time.Minute) {
			callOnce(t, client, admin)
		}
	})
}

// callOnce asks who it is, by hand: the SDK's client takes most of a month.
func callOnce(t *testing.T, client *http.Client, a actor) {
	t.Helper()
	req := form(t, simtest.Endpoint, "Action=GetCallerIdentity&Version=2011-06-15")
	sign(t, req, a.cfg, signing{service: "sts"})
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

// TestSeededOrder: the order of effects of concurrent calls, the ids they get
// and the fate they meet follow from the seed.
func TestSeededOrder(t *testing.T) {
	run := func(seed uint64) (calls []awssim.Call) {
		synctest.Test(t, func(t *testing.T) {
			settings := must(awssim.Preset("hostile"))
			settings.CloseIdle = 0 // which connection a call takes is not the simulator's to say
			sim, admin, _ := inBubble(t, awssim.Options{Seed: seed, Settings: settings})
			var workers sync.WaitGroup
			for i := range 8 {
				workers.Go(func() { liveAndDie(t.Context(), admin, fmt.Sprint("user", i)) })
			}
			workers.Wait()
			calls = sim.Journal()
		})
		return calls
	}
	ignore := cmpopts.IgnoreFields(awssim.Call{}, "Invocation")
	first, again, other := run(7), run(7), run(8)
	if diff := cmp.Diff(first, again, ignore); diff != "" {
		t.Errorf("the same seed, another journal: %s", diff)
	}
	if len(first) == 0 || cmp.Equal(first, other, ignore) {
		t.Errorf("another seed, the same journal of %d calls", len(first))
	}
}

// liveAndDie makes a user and removes it, as far as the calls succeed.
func liveAndDie(ctx context.Context, a actor, name string) {
	_, _ = a.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
	for range 3 {
		key, err := a.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
		_, _ = a.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: aws.String(allow("*", "*"))})
		_, _ = a.iam.ListUsers(ctx, &iam.ListUsersInput{})
		if err == nil {
			_, _ = a.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: key.AccessKey.AccessKeyId})
		}
		_, _ = a.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: aws.String("p")})
	}
	_, _ = a.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	_, _ = a.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
}
