package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
)

// world is what the code under test acts on: one AWS account, one journal, one
// clock, all in memory. The plugin runs in it as one process after the other.
//
// Invariants are checked at every call; what breaks them is kept in broken. The
// tests run in testing/synctest bubbles, where time passes at once.
type world struct {
	clock    *clock
	log      *logs
	seed     uint64 // other timings of calls side by side
	instant  bool   // calls take no time: for worlds outside of a bubble
	brittle  bool   // a process that dies takes its calls under way with it
	requests atomic.Uint32

	mu        sync.Mutex // guards everything below
	account   string
	users     map[string]*user
	missing   map[string]bool // policies and groups that AWS does not have
	lag       int             // so many calls after CreateUser find no such user
	entries   map[lifecycle.EntryID]lifecycle.Entry
	recorded  int
	keysMade  int
	faults    []*fault
	calls     []call
	deadlines map[string]time.Time // of the last call of each operation
	skew      time.Duration        // by which new entries look older than they are
	sent      map[call]int         // how often
	underWay  map[call]int         // late requests
	landing   bool                 // the effect that is applied is that of a late request
	issued    map[string]lifecycle.IssuedUser
	committed map[string]*process // struck, and not yet returned by IssueUser
	excused   map[string]string   // users that only records would save, and why
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
		deadlines: map[string]time.Time{},
		sent:      map[call]int{},
		underWay:  map[call]int{},
		issued:    map[string]lifecycle.IssuedUser{},
		committed: map[string]*process{},
		excused:   map[string]string{},
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

	// Guarded by world.mu.
	account string // what it has learned of AWS
	issuing map[string]bool
	dead    bool
}

func (w *world) start() *process {
	p := &process{world: w, issuing: map[string]bool{}}
	p.manager = lifecycle.NewManager(journal{p}, w.clock, w.log.logger())
	return p
}

// die ends the process. What it committed and did not return is up to Vault's
// lease, which may not exist: the gap that records will close.
func (p *process) die() {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.dead = true
	p.world.excuseCommitted(p)
}

func (w *world) excuseCommitted(p *process) {
	for name, by := range w.committed {
		if by == p {
			w.excused[name] = "committed, and the process died before it answered"
		}
	}
}

// issue makes a user as a request would.
func (p *process) issue(ctx context.Context, spec lifecycle.UserSpec) (lifecycle.IssuedUser, error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	ctx = context.WithValue(ctx, clientKey{}, leave)
	p.begin(spec.Name)
	var out lifecycle.IssuedUser
	err := lifecycle.Recovered(func() (err error) {
		out, err = p.manager.IssueUser(ctx, iam{p}, spec)
		return err
	})
	p.end(spec, out, err)
	return out, err
}

func (p *process) begin(name string) {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.issuing[name] = true
}

// end hands the user out, or nothing, and checks that it is what was asked for.
func (p *process) end(spec lifecycle.UserSpec, out lifecycle.IssuedUser, err error) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(p.issuing, spec.Name)
	delete(w.committed, spec.Name)
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

// revoke ends the lease of an issued user. knowing is what the lease knows.
func (p *process) revoke(ctx context.Context, u lifecycle.Doomed) error {
	err := p.manager.RevokeUser(ctx, iam{p}, u)
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && !p.dead {
		delete(w.issued, u.Name)
		w.checkNames(call{op: "return of RevokeUser", user: u.Name})
	}
	return err
}

// work runs a worker until stop is called.
func (p *process) work(ctx context.Context) (worker *lifecycle.Worker, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	worker = lifecycle.NewWorker(p.manager, p.connect)
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

// pending reports entries, requests under way and users nobody holds.
func (w *world) pending() bool {
	return len(w.journalled()) != 0 || w.expectsAny() || !slices.Equal(w.issuedNames(), w.ourUsers())
}

// mustBeSettled reports users of ours that nobody holds, and entries left over.
func (w *world) mustBeSettled(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(w.issuedNames(), w.ourUsers()); diff != "" {
		t.Errorf("users (-issued +in AWS):\n%s", diff)
	}
	if diff := cmp.Diff([]lifecycle.EntryID{}, w.journalled()); diff != "" {
		t.Errorf("journal entries left:\n%s", diff)
	}
}

// mustHold reports the invariants that were broken on the way.
func (w *world) mustHold(t *testing.T) {
	t.Helper()
	for _, breach := range w.breaches() {
		t.Error(breach)
	}
}

func (w *world) breaches() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

func (w *world) breach(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// check is what must hold when the code under test calls AWS: the name it acts
// on is written down (L1, L2). The caller holds w.mu.
func (p *process) check(c call) {
	w := p.world
	if !c.onJournal() && c.user != "" {
		delete(w.committed, c.user) // the commit is being undone
		if _, issued := w.issued[c.user]; !issued && !w.inJournal(c.user) && w.excused[c.user] == "" {
			w.breach("L1, L2: %s acts on %q, whose name is written down nowhere", c.op, c.user)
		}
	}
	w.checkNames(c)
}

// checkNames is L2: each user of ours is named by the journal, or handed out.
func (w *world) checkNames(at call) {
	for name, u := range w.users {
		_, issued := w.issued[name]
		if u.foreign || issued || w.committed[name] != nil || w.inJournal(name) || w.excused[name] != "" || u.reported {
			continue
		}
		u.reported = true
		w.breach("L2: at %s of %q, user %q exists and its name is written down nowhere", at.op, at.user, name)
	}
}

// checkKeysFirst is L4. A key that appears behind the back of those who list or
// know the keys is none of their fault.
func (w *world) checkKeysFirst(u *user, c call) {
	for id, state := range u.keys {
		if state == plainKey {
			w.breach("L4: %s on %q while key %s lives", c.op, c.user, id)
		}
	}
}

// checkKeyLast: no key may work without what restricts it.
func (w *world) checkKeyLast(u *user, c call) {
	has, want := u.parts(), u.spec.Parts(lifecycle.AccessKey{})
	has.AccessKeys, want.AccessKeys = nil, nil
	if diff := cmp.Diff(sorted(want), has); u.spec.KeyLast && diff != "" {
		w.breach("KeyLast: %s on %q before everything else (-want +has):\n%s", c.op, c.user, diff)
	}
}

// checkComplete: what is handed out is what was asked for, and has one key.
func (w *world) checkComplete(spec lifecycle.UserSpec, out lifecycle.IssuedUser) {
	u := w.users[spec.Name]
	if u == nil {
		w.breach("issued user %q does not exist", spec.Name)
		return
	}
	has := u.parts()
	has.AccessKeys = slices.DeleteFunc(has.AccessKeys, func(id string) bool { return u.keys[id] == lateKey })
	if diff := cmp.Diff(sorted(spec.Parts(out.Key)), has); diff != "" {
		w.breach("issued user %q (-want +has):\n%s", spec.Name, diff)
	}
	if got, want := out.Key.Secret.Reveal(), "secret of "+out.Key.ID; got != want {
		w.breach("issued secret %q, want %q", got, want)
	}
}

// lostTwice excuses a user whose strike was lost after its effect and whose
// entry could not be written again: only records can save its name.
func (w *world) lostTwice(name string) {
	if !w.inJournal(name) {
		w.excused[name] = "storage lost the entry, and refused it again"
	}
}

func sorted(p lifecycle.Parts) lifecycle.Parts {
	for _, names := range []*[]string{&p.AccessKeys, &p.PolicyARNs, &p.InlinePolicies, &p.Groups} {
		*names = slices.Sorted(slices.Values(*names))
	}
	return p
}

func (w *world) issuedNames() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, slices.Sorted(maps.Keys(w.issued))...)
}

// ourUsers are the users that exist, but for other people's and the excused.
func (w *world) ourUsers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for name, u := range w.users {
		if !u.foreign && w.excused[name] == "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// called returns the calls so far, without those of the worker's looking.
func (w *world) called() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ops := []string{}
	for _, c := range w.calls {
		if c.op != "journal:Entries" && c.op != "journal:Load" {
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

// logs keeps log lines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// line is one log line.
type line struct {
	Level   string `json:"@level"`
	Message string `json:"@message"`
	User    string `json:"user"`
	Error   string `json:"error"`
}

func (l *logs) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Output: l, JSONFormat: true, Level: hclog.Trace})
}

// Write implements io.Writer.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines returns the lines at a level.
func (l *logs) lines(t *testing.T, level string) []line {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	out := []line{}
	for text := range strings.Lines(l.text.String()) {
		var one line
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if one.Level == level {
			out = append(out, one)
		}
	}
	return out
}

// The specs that the tests issue.

func plainSpec(name string) lifecycle.UserSpec {
	return lifecycle.UserSpec{
		Name: name, NameUnique: true,
		InlinePolicies: []lifecycle.InlinePolicy{{Name: "role", Document: "{}"}},
	}
}

func richSpec(name string) lifecycle.UserSpec {
	return lifecycle.UserSpec{
		Name: name, NameUnique: true,
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
