package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// step is one thing that happens. Steps are drawn before the world that they
// happen in exists, since rapid cannot draw inside of a bubble.
type step struct {
	what  string // issue, take, role, revoke, wake, wait, restart, fault, jump
	pick  int    // which spec, which user
	after time.Duration
	fault fault
}

// climate is what may go wrong in a world. Not everything at once: when our
// clock jumps by half an hour and a request of ours is that long under way, no
// journal can tell it from one that never was.
type climate struct {
	name  string
	specs []func(string) lifecycle.UserSpec
	jumps []time.Duration // of the wall clock; no effect comes late or shows late then
	hows  []mishap
	delay []time.Duration // of late and slow calls
}

var climates = []climate{
	{
		name:  "failures",
		specs: []func(string) lifecycle.UserSpec{plainSpec, richSpec, commonSpec},
		hows:  []mishap{refused, unavailable, lost, hang, hangAfter, cancelled, cancelledAfter, panics, panicsAfter, slow, dies, diesAfter},
		delay: []time.Duration{time.Second, 20 * time.Second},
	}, {
		name:  "late requests",
		specs: []func(string) lifecycle.UserSpec{plainSpec, richSpec, commonSpec},
		hows:  []mishap{refused, unavailable, lost, late, late, dies, diesAfter},
		delay: []time.Duration{10 * time.Millisecond, time.Second, time.Minute, 6 * time.Minute, 14 * time.Minute},
	}, {
		name:  "a wall clock that jumps",
		specs: []func(string) lifecycle.UserSpec{plainSpec, richSpec},
		hows:  []mishap{refused, lost, hang, slow, dies},
		jumps: []time.Duration{time.Minute, 6 * time.Minute, 31 * time.Minute, -10 * time.Minute},
		delay: []time.Duration{time.Second, 20 * time.Second},
	},
}

var allOps = append([]string{
	"", "journal:Record", "journal:Strike", "journal:Entries", "journal:Load",
	"iam:CreateUser", "iam:CreateUser", "iam:CreateAccessKey", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:AddUserToGroup", "iam:GetUser",
}, destroyingOps...)

// steps draws what happens in a climate.
func (c climate) steps() *rapid.Generator[[]step] {
	whats := []string{"issue", "issue", "issue", "revoke", "revoke", "wake", "wait", "wait", "take", "take", "role", "restart", "fault", "fault", "fault"}
	if c.jumps != nil {
		whats = append(whats, "jump", "jump")
	}
	pauses := []time.Duration{0, 3 * time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond, time.Second, 30 * time.Second, 4 * time.Minute, 16 * time.Minute}
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
		s := step{
			what:  rapid.SampledFrom(whats).Draw(rt, "what"),
			pick:  rapid.IntRange(0, 9).Draw(rt, "pick"),
			after: rapid.SampledFrom(pauses).Draw(rt, "after"),
		}
		switch s.what {
		case "fault":
			s.fault = c.fault(rt)
		case "jump":
			s.fault.delay = rapid.SampledFrom(c.jumps).Draw(rt, "jump")
		}
		return s
	}), 1, 30)
}

func (c climate) fault(rt *rapid.T) fault {
	return fault{
		op:    rapid.SampledFrom(allOps).Draw(rt, "op"),
		nth:   rapid.IntRange(0, 3).Draw(rt, "nth"),
		times: rapid.IntRange(1, 3).Draw(rt, "times"),
		how:   rapid.SampledFrom(c.hows).Draw(rt, "how"),
		delay: rapid.SampledFrom(c.delay).Draw(rt, "delay"),
	}
}

// TestStateMachine has users issued and revoked side by side while a worker
// runs, processes die and everything fails. The invariants are checked at every
// call, and in the end exactly the users that were handed out are left.
func TestStateMachine(t *testing.T) {
	for _, c := range climates {
		t.Run(c.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				seed := rapid.Uint64().Draw(rt, "seed")
				lag := rapid.IntRange(0, 6).Draw(rt, "lag")
				steps := c.steps().Draw(rt, "steps")
				var broken []string
				synctest.Test(t, func(t *testing.T) {
					m := &machine{world: newWorld(), specs: c.specs, revoking: map[string]bool{}}
					m.world.seed, m.world.lag = seed, lag
					if c.jumps != nil {
						m.world.brittle, m.world.lag = true, 0
					}
					broken = m.run(t.Context(), steps)
				})
				for _, breach := range broken {
					rt.Error(breach)
				}
			})
		})
	}
}

// machine is a world, the process that runs in it, and what it is asked for.
type machine struct {
	world    *world
	specs    []func(string) lifecycle.UserSpec
	process  *process
	stop     func()
	worker   *lifecycle.Worker
	asked    []lifecycle.UserSpec
	written  atomic.Int32 // how often the role with a pool was
	revoking map[string]bool
	requests sync.WaitGroup
}

func (m *machine) run(ctx context.Context, steps []step) []string {
	m.restart(ctx)
	for _, s := range steps {
		m.do(ctx, s)
		time.Sleep(s.after)
		if m.process.isDead() {
			m.restart(ctx)
		}
		if broken := m.world.breaches(); len(broken) != 0 {
			break
		}
	}
	m.world.heal()
	m.requests.Wait()
	m.stop()
	m.world.settle(ctx)
	m.finishRevoking(ctx)
	m.world.settle(ctx) // a user whose CreateUser was sent twice is watched for half an hour
	m.world.final(m.asked)
	return m.world.afterwards(ctx)
}

func (m *machine) do(ctx context.Context, s step) {
	switch s.what {
	case "issue":
		m.issue(ctx, s.pick)
	case "revoke":
		m.revoke(ctx, s.pick)
	case "take":
		p, of := m.process, m.role()
		m.requests.Go(func() { _, _, _ = p.take(ctx, taker("deploy", of)) })
	case "role":
		m.written.Add(1)
		m.process.manager.StirPools()
	case "wake":
		m.worker.Wake(ctx)
	case "restart":
		m.process.die()
		m.restart(ctx)
	case "fault":
		m.world.inject(s.fault)
	case "jump":
		m.world.clock.jump(s.fault.delay)
	}
}

// restart ends the process, if there is one, and starts another. Requests of the
// old one go on in their goroutines, but reach nothing.
func (m *machine) restart(ctx context.Context) {
	if m.stop != nil {
		m.stop()
	}
	p := m.world.start()
	m.process = p.keepsWhat(func(context.Context) ([]lifecycle.Pool, error) {
		return []lifecycle.Pool{p.pool("deploy", m.role(), 2)}, nil
	})
	m.worker, m.stop = m.process.work(ctx)
}

// role is what the users of the role with a pool are made of now.
func (m *machine) role() string { return fmt.Sprint(m.written.Load()) }

func (m *machine) issue(ctx context.Context, pick int) {
	spec := m.specs[pick%len(m.specs)](fmt.Sprintf("vault-%d", len(m.asked)))
	m.asked = append(m.asked, spec)
	p := m.process
	m.requests.Go(func() { _, _ = p.issue(ctx, spec) })
}

// revoke ends a lease, whatever is still under way.
func (m *machine) revoke(ctx context.Context, pick int) {
	names := m.world.issuedNames()
	if len(names) == 0 {
		return
	}
	name := names[pick%len(names)]
	if m.revoking[name] {
		return
	}
	m.revoking[name] = true
	p, u := m.process, m.world.leased(name)
	m.requests.Go(func() { _ = lifecycle.Recovered(func() error { return p.revoke(ctx, u) }) })
}

// leased is what the lease of a user knows, if the built-in engine made it.
func (w *world) leased(name string) lifecycle.UserRecord {
	return lifecycle.UserRecord{UserName: name, Account: ourAccount, Issued: w.clock.Now().Add(-2 * time.Hour)}
}

// finishRevoking is Vault's patience: a lease that could not be revoked is tried
// again. By now nothing goes wrong any more.
func (m *machine) finishRevoking(ctx context.Context) {
	for name := range m.revoking {
		if !slices.Contains(m.world.issuedNames(), name) {
			continue
		}
		if err := m.world.start().revoke(ctx, m.world.leased(name)); err != nil {
			m.world.breach("in a healthy world RevokeUser says %v", err)
		}
	}
}

// final is what is wrong when all is over.
func (w *world) final(asked []lifecycle.UserSpec) {
	if diff := cmp.Diff(w.heldNames(), w.ourUsers()); diff != "" {
		w.breach("users (-held +in AWS):\n%s", diff)
	}
	if left := w.inState(lifecycle.Condemned); len(left) != 0 {
		w.breach("condemned users left: %v; log:\n%s", left, w.log.text.String())
	}
	if left := w.journalled(); len(left) != 0 {
		w.breach("journal entries left: %v; log:\n%s", left, w.log.text.String())
	}
	for _, spec := range asked {
		if out, issued := w.issued[spec.Name]; issued {
			w.checkComplete(spec, out)
		}
	}
}

// afterwards lets all leases run out: nothing is owned for ever.
func (w *world) afterwards(ctx context.Context) []string {
	w.expire(ctx)
	if left := w.ourUsers(); len(left) != 0 {
		w.breach("users left when all leases have run out: %v; log:\n%s", left, w.log.text.String())
	}
	if len(w.records) != 0 {
		w.breach("records left when all leases have run out: %v", w.records)
	}
	return w.breaches()
}

func (p *process) isDead() bool {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	return p.dead
}
