package backend_test

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/crashtest"

	"github.com/hashicorp/vault/sdk/logical"
)

var (
	fullMatrix   = flag.Bool("full", false, "every cell of the crash matrix, those that wait for deadlines too")
	crashResults = &crashtest.File{}
)

func init() {
	flag.StringVar(&crashResults.Path, "results", "", "file that the outcomes of the crash matrix are appended to")
}

// storageMishap is what happens at a write to storage.
type storageMishap struct {
	name string
	full bool // it waits for a deadline
	fate fate
}

var storageMishaps = []storageMishap{
	{name: "storage error before the write", fate: fate{fails: true}},
	{name: "storage error after the write", fate: fate{fails: true, written: true}},
	{name: "storage hangs, no write", fate: fate{hangs: true}, full: true},
	{name: "storage hangs after the write", fate: fate{hangs: true, written: true}, full: true},
	{name: "death before the write", fate: fate{dies: true}},
	{name: "death after the write", fate: fate{dies: true, written: true}},
}

// TestCrashStorage lets every operation meet every mishap at every write to
// storage, across the plugin boundary; internal/e2e/crash has the AWS calls. No
// real Vault fails its storage on demand, so the built-in engine has no part in
// it.
func TestCrashStorage(t *testing.T) {
	t.Parallel()
	for _, op := range crashOperations {
		t.Run(op.name, func(t *testing.T) {
			t.Parallel()
			for n, site := range undisturbedWrites(t, op) {
				for _, m := range storageMishaps {
					if m.full && !*fullMatrix {
						continue
					}
					t.Run(site+"/"+m.name, func(t *testing.T) {
						t.Parallel()
						c := newCrash(t)
						c.happen(op, n+1, m.fate)
						c.report(crashtest.Result{Engine: "ours", Operation: op.name, Mishap: m.name, Site: site})
					})
				}
			}
			for _, m := range storageMishaps {
				r := crashtest.Result{Engine: "built-in", Operation: op.name, Mishap: m.name, Verdict: crashtest.NotPossible}
				if err := crashResults.Add(r); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// undisturbedWrites are the writes of an operation that meets no mishap.
func undisturbedWrites(t *testing.T, op crashOperation) []string {
	c := newCrash(t)
	c.happen(op, 0, fate{})
	c.report(crashtest.Result{Engine: "ours", Operation: op.name, Mishap: "none"})
	return c.writes
}

// crashOperation is what a mishap happens to.
type crashOperation struct {
	name    string
	prepare func(c *crash) // what has to be there before
	run     func(c *crash)
}

var crashOperations = []crashOperation{
	{name: "issue", run: (*crash).issue},
	{name: "renew", prepare: (*crash).issue, run: (*crash).renewLeases},
	{name: "revoke", prepare: (*crash).issue, run: (*crash).revokeLeases},
	{name: "rotate-root", run: func(c *crash) { c.write("config/rotate-root", nil) }},
	{name: "static role creation", run: (*crash).createStatic},
	{name: "static rotation", prepare: (*crash).createStatic, run: func(c *crash) { c.write("rotate-role/app", nil) }},
}

// crash is a mount to which a mishap happens, and what its clients hold.
type crash struct {
	*mount
	account *crashtest.Account
	storage *crashStorage
	clock   *skippingClock
	leases  []crashtest.Lease
	secrets map[string]*logical.Secret // by lease
	revoked []string                   // users whose lease Vault forgot after it had asked for their end
	writes  []string                   // of the operation
	found   crashtest.Finding
}

func newCrash(t *testing.T) *crash {
	account := crashtest.NewAccount(t)
	storage := &crashStorage{Storage: &logical.InmemStorage{}}
	clock := &skippingClock{}
	options := backend.Options{Version: "v0.0.1", Clock: clock}
	c := &crash{
		mount: newMountOver(t, acrossGRPC, options, storage), account: account, storage: storage, clock: clock,
		secrets: map[string]*logical.Secret{},
	}
	config := account.RootConfig()
	config["max_retries"] = 0
	c.mustWrite("config/root", config)
	c.mustWrite("roles/deploy", account.Role())
	return c
}

// happen runs an operation, lets the nth of its writes meet its fate, and judges
// what has become of everything: at once, after the rollback and at the end.
func (c *crash) happen(op crashOperation, nth int, f fate) {
	c.Helper()
	if op.prepare != nil {
		op.prepare(c)
	}
	if f.dies {
		f.last = func() { c.account.Sim.Inject(awssim.Fault{Kind: awssim.FaultReset}) }
	}
	c.storage.arm(nth, f)
	op.run(c)
	c.restart()
	c.writes = c.storage.disarm()
	c.account.Sim.ClearFaults()
	if len(c.writes) < nth {
		c.Fatalf("write %d never came: %v", nth, c.writes)
	}
	c.reload()
	c.tick()
	c.judge("at once")
	c.pass(40*time.Minute, crashtest.Work...)
	c.judge("after rollback")
	c.judgeRevoked()
	c.end()
}

// judgeRevoked holds that users whose end was asked for are gone when AWS is well
// again, whatever became of their leases.
func (c *crash) judgeRevoked() {
	for _, user := range c.account.Sim.Users(c.account.Root.Account) {
		if slices.Contains(c.revoked, user) {
			c.found.Leaked = append(c.found.Leaked, "user "+user+", which was revoked")
		}
	}
}

// restart ends the process of the mount: it answers nobody any more.
func (c *crash) restart() { c.backend.Cleanup(context.WithoutCancel(c.Context())) }

// pass sets what is written down back in time, and has the worker of a new
// process attend to it until it is done.
func (c *crash) pass(by time.Duration, folders ...string) {
	c.Helper()
	c.restart()
	c.must(crashtest.Age(crashStore{c.storage}, by, folders...))
	for _, secret := range c.secrets {
		secret.IssueTime = secret.IssueTime.Add(-by)
	}
	c.reload()
	for range 3 { // the first may be the one that the start began
		c.tick()
	}
}

func (c *crash) judge(when string) {
	c.Helper()
	e, err := crashtest.Gather(c.Context(), c.account, crashStore{c.storage}, c.tried(), c.spared())
	c.must(err)
	c.found.Add(when, e.Judge())
}

// tried is the leases with their keys tried anew.
func (c *crash) tried() []crashtest.Lease {
	for i, lease := range c.leases {
		c.leases[i].Key = c.account.Tried(c.Context(), lease.Key.KeyPair)
	}
	return slices.Clone(c.leases)
}

// spared are the keys of the static role's user that need no owner: none, since
// the engine notes the previous one.
func (c *crash) spared() []string { return nil }

// end revokes everything, lets time pass and judges what is left.
func (c *crash) end() {
	c.Helper()
	c.revokeLeases()
	if len(c.leases) > 0 {
		c.found.Leaked = append(c.found.Leaked, "a lease that cannot be revoked")
	}
	if got := c.delete("static-roles/app"); got.status != http.StatusNoContent {
		c.Errorf("delete of the static role: %s", got.error)
	}
	c.pass(1000*time.Hour, crashtest.Work...)
	if left, _ := crashtest.Pending(crashStore{c.storage}, crashtest.Work...); len(left) > 0 {
		c.found.Leaked = append(c.found.Leaked, "written down for ever: "+strings.Join(left, ", "))
	}
	e, err := crashtest.Gather(c.Context(), c.account, crashStore{c.storage}, nil, nil)
	c.must(err)
	c.found.Add("at the end", e.Disowned().Judge())
}

// report writes the outcome down; anything but OK fails the test.
func (c *crash) report(r crashtest.Result) {
	c.Helper()
	r.Verdict, r.Details = c.found.Verdict(), slices.Concat(c.found.Dead, c.found.Leaked)
	c.must(crashResults.Add(r))
	if r.Verdict != crashtest.OK {
		c.Errorf("%s\nwrites: %v\n%s", r, c.writes, c.log)
	}
}

// issue reads a credential. One that is answered gets a lease, as Vault makes it.
func (c *crash) issue() {
	got := c.read("creds/deploy")
	if got.status != http.StatusOK {
		return
	}
	pair := crashtest.KeyPair{AccessKey: got.data["access_key"].(string), SecretKey: got.data["secret_key"].(string)}
	id := "lease of " + pair.AccessKey
	got.secret.IssueTime = time.Now()
	c.secrets[id] = got.secret
	c.leases = append(c.leases, crashtest.Lease{ID: id, User: got.secret.InternalData["username"].(string), Key: crashtest.Key{KeyPair: pair}})
}

// renewLeases renews every lease; one that is refused stays as it is.
func (c *crash) renewLeases() {
	for _, secret := range c.secrets {
		_, _ = c.renew(secret)
	}
}

// revokeLeases revokes every lease. One that is refused stays, and its key need
// not work.
func (c *crash) revokeLeases() {
	c.leases = slices.DeleteFunc(c.leases, func(l crashtest.Lease) bool {
		err := c.revoke(c.secrets[l.ID])
		if err == nil {
			delete(c.secrets, l.ID)
		}
		return err == nil
	})
	for i := range c.leases {
		c.leases[i].Ending = true
	}
}

func (c *crash) createStatic() {
	c.write("static-roles/app", map[string]any{"username": crashtest.StaticUser, "rotation_period": "24h"})
}

// errCut is what a process sees of its storage when it is dying.
var errCut = errors.New("storage is cut off")
