package lifecycle_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// world is what the code under test acts on: one AWS account, one journal, one
// set of records, one clock, all in memory. The plugin runs in it as one process after the other.
//
// Invariants are checked at every call; what breaks them is kept in broken. The
// tests run in testing/synctest bubbles, where time passes at once.
type world struct {
	clock    *clock
	log      *logs
	seed     uint64 // other timings of calls side by side
	instant  bool   // calls take no time: for worlds outside of a bubble
	brittle  bool   // a process that dies takes its calls under way with it
	crowded  error  // what every request is told that asks for its turn
	limit    *limit // of the account's calls a second; nil: none
	requests atomic.Uint32

	mu        sync.Mutex // guards everything below
	account   string
	users     map[string]*user
	missing   map[string]bool // policies and groups that AWS does not have
	lag       int             // so many calls after CreateUser find no such user
	entries   map[lifecycle.EntryID]lifecycle.Entry
	recorded  int
	records   map[string]lifecycle.UserRecord
	state     lifecycle.MountState
	keysMade  int
	reserved  []int // calls, by request
	faults    []*fault
	calls     []call
	deadlines map[string]time.Time            // of the last call of each operation
	skew      time.Duration                   // by which new entries look older than they are
	sent      map[call]int                    // how often
	underWay  map[call]int                    // late requests
	landing   bool                            // the effect that is applied is that of a late request
	issued    map[string]lifecycle.IssuedUser // handed out, and not revoked
	taken     map[string]bool                 // keys that were handed out of a pool
	ordered   int                             // users for a pool
	onCall    map[string]func()               // what happens behind our back when an operation takes effect
	broken    []string
}

func newWorld() *world {
	return &world{
		clock:     &clock{},
		log:       &logs{},
		account:   ourAccount,
		users:     map[string]*user{},
		missing:   map[string]bool{},
		entries:   map[lifecycle.EntryID]lifecycle.Entry{},
		records:   map[string]lifecycle.UserRecord{},
		deadlines: map[string]time.Time{},
		sent:      map[call]int{},
		underWay:  map[call]int{},
		issued:    map[string]lifecycle.IssuedUser{},
		taken:     map[string]bool{},
		onCall:    map[string]func(){},
	}
}

// inWorld runs a test in a world and a bubble of its own.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		test(t, w)
		w.mustHold(t)
	})
}

// process is one life of the plugin.
type process struct {
	world   *world
	manager *lifecycle.Manager

	pools atomic.Pointer[lifecycle.Pools] // nil: none

	// Guarded by world.mu.
	account string // what it has learned of AWS
	dead    bool
}

func (w *world) start() *process {
	p := &process{world: w}
	written := lifecycle.Storage{Journal: journal{p}, Records: records{p}, States: records{p}}
	p.manager = lifecycle.NewManager(written, w.clock, w.log.logger())
	return p
}

// die ends the process.
func (p *process) die() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.dead = true
}

// issue makes a user as a request would.
func (p *process) issue(ctx context.Context, spec lifecycle.UserSpec) (lifecycle.IssuedUser, error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	ctx = context.WithValue(ctx, clientKey{}, leave)
	var out lifecycle.IssuedUser
	err := lifecycle.Recovered(func() (err error) {
		out, err = p.manager.IssueUser(ctx, iam{p}, spec)
		return err
	})
	p.end(spec, out, err)
	return out, err
}

// end hands the user out, or nothing, and checks that it is what was asked for.
func (p *process) end(spec lifecycle.UserSpec, out lifecycle.IssuedUser, err error) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if p.dead {
		return
	}
	if err == nil {
		w.issued[spec.Name] = out
		w.checkComplete(spec, out)
	} else if diff := cmp.Diff(lifecycle.IssuedUser{}, out); diff != "" {
		w.breach("IssueUser returned an error and handed something out:\n%s", diff)
	}
	w.checkNames(call{op: "return of IssueUser", user: spec.Name})
}

// revoke ends the lease of an issued user. known is what the lease knows.
func (p *process) revoke(ctx context.Context, known lifecycle.UserRecord) error {
	err := p.manager.RevokeUser(ctx, p.connect, known)
	return p.ended(err, known.UserName, "RevokeUser")
}

// destroy destroys a user that only a lease names.
func (p *process) destroy(ctx context.Context, u lifecycle.Doomed) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return p.ended(p.manager.DestroyUser(ctx, iam{p}, u), u.Name, "DestroyUser")
}

// ended notes that a user nobody may use any more is gone.
func (p *process) ended(err error, user, by string) error {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && !p.dead {
		delete(w.issued, user)
		w.checkNames(call{op: "return of " + by, user: user})
	}
	return err
}

// work runs a worker until stop is called.
func (p *process) work(ctx context.Context) (worker *lifecycle.Worker, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	worker = lifecycle.NewWorker(p.manager, p.connect)
	worker.Add(p.manager.PoolDuties(p.connect, p.wanted)...)
	worker.Start(ctx)
	return worker, func() {
		cancel()
		worker.Wait(context.WithoutCancel(ctx))
	}
}

func (p *process) connect(context.Context) (lifecycle.Users, error) { return iam{p}, nil }

// settleTime is more than it takes until an announced user is believed to be
// gone (30 min) and an item that failed is tried again (15 min).
const settleTime = 50 * time.Minute

// settle lets time pass in which nothing goes wrong and a worker runs, until
// there is nothing left to settle.
func (w *world) settle(ctx context.Context) {
	w.heal()
	_, stop := w.start().work(ctx)
	for end := time.Now().Add(settleTime + w.clock.back); time.Now().Before(end) && w.pending(); {
		time.Sleep(time.Minute)
	}
	stop()
}

// pending reports entries, requests under way, condemned users and users nobody
// holds.
func (w *world) pending() bool {
	return len(w.journalled()) != 0 || w.expectsAny() || len(w.inState(lifecycle.Condemned)) != 0 || !slices.Equal(w.heldNames(), w.ourUsers())
}

// expire lets more time pass than any lease lives, and then settles: in the end
// nothing is owned for ever, whoever was never told of it.
func (w *world) expire(ctx context.Context) {
	w.locked(func() { w.state.ClockJump = "" }) // an operator has confirmed the deadlines
	time.Sleep(leaseTTL + 2*time.Hour)
	_, stop := w.start().work(ctx)
	for end := time.Now().Add(settleTime); time.Now().Before(end) && w.anyRecord(); {
		time.Sleep(time.Minute)
	}
	stop()
}

// called returns the calls so far, without those of the worker's looking.
func (w *world) called() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ops := []string{}
	for _, c := range w.calls {
		if !w.looking(c) {
			ops = append(ops, c.op)
		}
	}
	return ops
}

// count is how often an operation was called.
func (w *world) count(op string) int {
	n := 0
	for _, called := range w.called() {
		if called == op {
			n++
		}
	}
	return n
}

func (w *world) anyRecord() bool {
	_, records := w.left()
	return records != 0
}

// looking reports whether a call is only one of those that begin each pass, or
// every process.
func (w *world) looking(c call) bool {
	switch c.op {
	case "journal:Entries", "journal:Load", "records:RecordNames", "records:Record", "records:MountState", "records:PutMountState":
		return true
	}
	return false
}

// leaseTTL is longer than any test that does not wait for its end.
const leaseTTL = 24 * time.Hour

// The specs that the tests issue.

func plainSpec(name string) lifecycle.UserSpec {
	return lifecycle.UserSpec{
		Name: name, NameUnique: true, TTL: leaseTTL,
		InlinePolicies: []lifecycle.InlinePolicy{{Name: "role", Document: "{}"}},
	}
}

func richSpec(name string) lifecycle.UserSpec {
	return lifecycle.UserSpec{
		Name: name, NameUnique: true, TTL: leaseTTL,
		Path:           "/vault/",
		Boundary:       "arn:aws:iam::aws:policy/Boundary",
		Tags:           map[string]string{"team": "a", "cost": "1"},
		PolicyARNs:     []string{"arn:aws:iam::aws:policy/One", "arn:aws:iam::aws:policy/Two"},
		InlinePolicies: []lifecycle.InlinePolicy{{Name: "role", Document: `{"Effect":"Deny"}`}},
		Groups:         []string{"staff"},
		KeyLast:        true,
	}
}

// commonSpec has a name that anybody could have chosen.
func commonSpec(name string) lifecycle.UserSpec {
	spec := plainSpec(name)
	spec.NameUnique = false
	return spec
}

// counts is how often each operation was called.
func (w *world) counts() map[string]int {
	counts := map[string]int{}
	for _, op := range w.called() {
		counts[op]++
	}
	return counts
}

// mustHaveKeys compares the keys of a user.
func (w *world) mustHaveKeys(t *testing.T, name string, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[name]
	if u == nil {
		t.Fatalf("no user %q", name)
	}
	if diff := cmp.Diff(want, u.parts().AccessKeys); diff != "" {
		t.Errorf("keys of %q (-want +has):\n%s", name, diff)
	}
}

// accountsInJournal are the accounts that the entries name, by user.
func (w *world) accountsInJournal() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	accounts := map[string]string{}
	for _, e := range w.entries {
		accounts[e.Intent.UserName] = e.Intent.Account
	}
	return accounts
}
