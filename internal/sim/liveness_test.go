package sim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/vault/sdk/logical"
)

const (
	// owedWithin is how long after everything is well everything that is owed has
	// to be done: a CreateUser whose answer was lost may be under way for 30
	// minutes, and what failed is tried again after 15 at the latest. What was
	// written by a clock that was ahead is not old before the true time gets there.
	owedWithin = 50 * time.Minute
	// goneWithin is how long after the last lease has ended users may live whose
	// lease was lost: the longest lease, and the grace of an hour.
	goneWithin = 4*time.Hour + 30*time.Minute
)

// heal ends all trouble, and people take away what stops a rotation.
func (w *world) heal() {
	w.mu.Lock()
	w.agenda = slices.DeleteFunc(w.agenda, func(e event) bool { return e.optional })
	w.mu.Unlock()
	w.note("healed")
	w.easeFaults()
	w.sim.Configure(func(s *awssim.Settings) { *s = calm() })
	w.confirmClock()
	w.undrain()
	w.tidyRoot()
	for _, user := range w.apps() {
		w.tidyStatic(user)
	}
}

// live is liveness mode.
func (w *world) live() {
	w.heal()
	w.run(w.clock.caughtUp().Add(owedWithin))
	for _, stage := range []func(){
		w.wantNothingOwed,
		func() { w.begin(w.wantService); w.run(time.Now().Add(time.Minute)) },
		func() { w.begin(w.endPools); w.vault.endAll(); w.run(time.Now().Add(goneWithin)) },
		w.wantNothingLeft,
	} {
		if len(w.violations()) == 0 {
			stage()
		}
	}
}

// wantNothingOwed: no intent is open, nobody is condemned, no rotation is late.
func (w *world) wantNothingOwed() {
	for _, id := range slices.Sorted(maps.Keys(under[json.RawMessage](w.store, walPrefix))) {
		w.violate("liveness: journal entry %s is still there", id)
	}
	for id, e := range w.keyIntents() {
		w.violate("liveness: journal entry %s of a key of %q is still there", id, e.UserName)
	}
	for name, r := range under[lifecycle.UserRecord](w.store, recordPrefix) {
		if r.State == lifecycle.Condemned {
			w.violate("liveness: user %q is condemned since %s and still there: %s", name, r.Since, r.LastError)
		}
	}
	now := w.world.seen()
	for _, l := range w.vault.ending() {
		if _, there := now.Users[l.user]; there {
			w.violate("liveness: %s was revoked and its user is still there", l)
		}
	}
	for name, creds := range under[store.StaticCreds](w.store, store.StaticCredsKeys) {
		if creds.Expiration != nil && creds.Expiration.Before(time.Now().Add(-5*time.Minute)) {
			w.violate("liveness: static role %s was to be rotated at %s: %s", name, creds.Expiration, creds.LastError)
		}
	}
}

// wantService: credentials are issued, and stored keys work.
func (w *world) wantService() {
	for i, fields := range roles {
		w.request(logical.UpdateOperation, role(i), fields, 0)
		a := w.request(logical.ReadOperation, fmt.Sprintf("creds/dynamic%d", i), nil, 0)
		if a.failed() {
			if a.status != 429 {
				w.violate("liveness: creds/dynamic%d: %d %s", i, a.status, firstLine(a))
			}
			continue
		}
		w.vault.register(a, registered)
	}
	root := read[store.RootConfig](w.store, store.RootConfigKey)
	w.wantWorking("the root key", root.AccessKey, root.SecretKey)
	for i := range staticApps {
		name := fmt.Sprintf("static%d", i)
		creds := read[store.StaticCreds](w.store, store.StaticCredsKeys+name)
		if creds.AccessKey != "" && !w.world.isSpoilt(creds.AccessKey) {
			w.wantWorking("the key of static role "+name, creds.AccessKey, creds.SecretKey)
		}
	}
}

// wantWorking asks STS whose a key is, over the process's way to AWS.
func (w *world) wantWorking(what, id, secret string) {
	client := sts.New(sts.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://aws.test"), HTTPClient: through{w.process()},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""), RetryMaxAttempts: 1,
	})
	if _, err := client.GetCallerIdentity(w.t.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		w.violate("liveness: %s %s does not work: %v", what, id, err)
	}
}

// wantNothingLeft: after the last lease no user of ours is left, and no record.
func (w *world) wantNothingLeft() {
	if left := w.world.ours(w.world.seen()); len(left) > 0 {
		w.violate("liveness: users are left: %v", left)
	}
	if left := slices.Sorted(maps.Keys(under[json.RawMessage](w.store, recordPrefix))); len(left) > 0 {
		w.violate("liveness: records are left: %v", left)
	}
}

// text is everything that happened, for comparison.
func (w *world) text() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(bytes.Clone(w.journal.Bytes()), w.calls()...)
}
