package awssim_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// TestHostileIsSurvivable: whoever does not give up gets everything made,
// used and removed, in finite fake time, with the simulator's state as proof.
func TestHostileIsSurvivable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, admin, client := inBubble(t, awssim.Options{Seed: 11, Settings: must(awssim.Preset("hostile"))})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var workers sync.WaitGroup
		for i := range 4 {
			workers.Go(func() {
				s := stubborn{t, ctx}
				name := fmt.Sprint("user", i)
				s.until("created", func() error {
					_, err := admin.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: &name})
					return unless(err, "409 EntityAlreadyExists")
				})
				s.until("keyed", func() error {
					out, err := admin.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
					if err != nil {
						return unless(err, "409 LimitExceeded")
					}
					key := awssim.Credentials{AccessKey: *out.AccessKey.AccessKeyId, SecretKey: *out.AccessKey.SecretAccessKey}
					s.until("usable", func() error {
						_, err := whoami(ctx, actorOf(simtest.Through(simtest.Config(simtest.Endpoint, key), client)))
						return err
					})
					return nil
				})
				s.until("removed", func() error { return sweepUser(ctx, admin, name) })
			})
		}
		workers.Wait()
		if left := sim.Users(account); len(left) != 0 {
			t.Errorf("users left: %v", left)
		}
	})
}

// stubborn tries again until it works.
type stubborn struct {
	t   *testing.T
	ctx context.Context
}

func (s stubborn) until(what string, try func() error) {
	for {
		err := try()
		if err == nil {
			return
		}
		if s.ctx.Err() != nil {
			s.t.Errorf("never %s: %v", what, err)
			return
		}
		time.Sleep(time.Second)
	}
}

// unless forgives one outcome.
func unless(err error, fine string) error {
	if outcome(err) == fine {
		return nil
	}
	return err
}

// sweepUser removes a user with all its keys. That it is not found means
// that it is gone only if it was not found a while ago either: hostile reads
// are stale for 10 seconds at most.
func sweepUser(ctx context.Context, a actor, name string) error {
	pages := iam.NewListAccessKeysPaginator(a.iam, &iam.ListAccessKeysInput{UserName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			break // DeleteUser will tell
		}
		for _, key := range page.AccessKeyMetadata {
			_, _ = a.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: key.AccessKeyId}) // likewise
		}
	}
	_, err := a.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	if outcome(err) != "404 NoSuchEntity" {
		return err
	}
	time.Sleep(15 * time.Second)
	_, err = a.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &name})
	return unless(err, "404 NoSuchEntity")
}
