package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// HASpec says how the leaders of a cluster change.
type HASpec struct {
	Binaries devstack.Binaries
	Changes  int       // of the leader, a step-down and a SIGKILL in turn
	Out      io.Writer // takes a line per change
}

// HAReport is what became of the credentials and the rotations meanwhile.
type HAReport struct {
	Changes, Issued, Leaked  int
	Rotations, Doubled, Lost int
	LeakedUsers, Refusals    []string // of refusals the first of each kind
	LostRotations            error
}

// String is the closing line.
func (r HAReport) String() string {
	return fmt.Sprintf("ha: %d leader changes, %d issued, %d leaked, %d rotations, %d doubled, %d lost",
		r.Changes, r.Issued, r.Leaked, r.Rotations, r.Doubled, r.Lost)
}

const (
	haNodes   = 3
	haClients = 6
	haStatic  = 3

	// issuedBetween is how many credentials a leader issues before it goes.
	issuedBetween = 30
)

// HA changes the leader of a cluster under load: clients issue and revoke, the
// root key and the keys of static roles are rotated by the clock. Every third
// change comes while a rotation is under way.
func HA(ctx context.Context, spec HASpec) (HAReport, error) {
	cluster, err := devstack.StartCluster(ctx, devstack.Spec{Binaries: spec.Binaries}, haNodes)
	if err != nil {
		return HAReport{}, err
	}
	run := &haRun{HASpec: spec, cluster: cluster, account: newAccount(cluster.Sim), vault: vaultOf(cluster)}
	report, err := run.run(ctx)
	return report, errors.Join(err, cluster.Stop())
}

func vaultOf(cluster *devstack.Cluster) *vault {
	var addrs []string
	for _, n := range cluster.Nodes {
		addrs = append(addrs, n.Addr)
	}
	return newVault(addrs...)
}

// haRun is one run of HA.
type haRun struct {
	HASpec
	cluster   *devstack.Cluster
	account   account
	vault     *vault
	rotations *rotations
	load      clients
}

func (r *haRun) run(ctx context.Context) (HAReport, error) {
	if err := r.prepare(ctx); err != nil {
		return HAReport{}, err
	}
	if err := r.changeLeaders(ctx); err != nil {
		return HAReport{}, err
	}
	return r.report(ctx)
}

func (r *haRun) prepare(ctx context.Context) (err error) {
	if err := mountPlugin(ctx, r.cluster, r.vault); err != nil {
		return err
	}
	if err := r.account.configure(ctx, r.vault); err != nil {
		return err
	}
	r.rotations, err = schedule(ctx, r.account, r.vault, haStatic)
	return err
}

// changeLeaders has the clients at work while one leader after the other goes.
func (r *haRun) changeLeaders(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel()
	busy.Go(func() { r.rotations.watch(ctx) })
	r.load.start(ctx, &busy, r.vault, haClients)
	for i := range r.Changes {
		if err := r.change(ctx, i); err != nil {
			return fmt.Errorf("leader change %d: %w", i+1, err)
		}
	}
	return r.load.more(ctx, issuedBetween)
}

// change waits until the leader has issued for a while and has it go.
func (r *haRun) change(ctx context.Context, i int) error {
	if err := r.load.more(ctx, issuedBetween); err != nil {
		return err
	}
	if i%3 == 2 {
		if err := r.rotating(ctx); err != nil {
			return err
		}
	}
	leader, err := r.cluster.Leader(ctx)
	if err != nil {
		return err
	}
	if i%2 == 0 {
		fmt.Fprintf(r.Out, "%d: step-down, %d issued\n", i+1, r.load.issued.Load())
		return r.succeeded(ctx, leader, leader.StepDown(ctx))
	}
	fmt.Fprintf(r.Out, "%d: SIGKILL, %d issued\n", i+1, r.load.issued.Load())
	leader.Kill()
	if err := r.succeeded(ctx, leader, nil); err != nil {
		return err
	}
	return leader.Start(ctx)
}

// rotating waits until AWS is asked for a new root key.
func (r *haRun) rotating(ctx context.Context) error {
	made := func() (count int, err error) {
		calls, err := r.account.sim.Calls(ctx)
		for _, c := range calls {
			if c.Action == "iam:CreateAccessKey" && c.Target == engine {
				count++
			}
		}
		return count, err
	}
	before, err := made()
	if err != nil {
		return err
	}
	return await(ctx, func() error {
		count, err := made()
		if err == nil && count == before {
			err = errors.New("no rotation of the root key")
		}
		return err
	})
}

// succeeded waits until another node leads than the one that left.
func (r *haRun) succeeded(ctx context.Context, left *devstack.Node, err error) error {
	if err != nil {
		return err
	}
	return await(ctx, func() error {
		leader, err := r.cluster.Leader(ctx)
		if err == nil && leader == left {
			err = errors.New("the leader is the one that was to go")
		}
		return err
	})
}

// report ends everything and counts.
func (r *haRun) report(ctx context.Context) (out HAReport, err error) {
	out.Lost, out.LostRotations = r.rotations.lost(ctx)
	counted, err := r.rotations.count(ctx)
	if err != nil {
		return out, err
	}
	out.LeakedUsers, err = r.account.leaked(ctx, r.vault)
	out.Changes, out.Issued, out.Leaked = r.Changes, int(r.load.issued.Load()), len(out.LeakedUsers)
	out.Rotations, out.Doubled = counted.rotations, counted.doubled
	out.Refusals = r.load.refusals.texts()
	return out, err
}

// mountPlugin registers the plugin and mounts it.
func mountPlugin(ctx context.Context, cluster *devstack.Cluster, v *vault) error {
	if err := cluster.Register(ctx, "aws"); err != nil {
		return err
	}
	return v.insist(ctx, "POST", "sys/mounts/"+mount, map[string]string{"type": "aws"}, nil)
}

// clients issue and revoke.
type clients struct {
	issued   atomic.Int64
	refusals refusals
}

// start has so many clients at work until ctx ends.
func (c *clients) start(ctx context.Context, busy *sync.WaitGroup, v *vault, count int) {
	for range count {
		busy.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				c.one(ctx, v, i)
			}
		})
	}
}

// one issues a credential. Every third stays until the end, when all leases are
// revoked; so does one whose revoking fails.
func (c *clients) one(ctx context.Context, v *vault, i int) {
	lease, answer, err := v.issue(ctx, "iam_user")
	if lease == "" {
		c.refusals.add("issue", answer, err)
		_ = pause(ctx, 50*time.Millisecond)
		return
	}
	c.issued.Add(1)
	if i%3 == 2 {
		return
	}
	if answer, err := v.revoke(ctx, lease); err != nil || !answer.OK() {
		c.refusals.add("revoke", answer, err)
	}
}

// more waits until so many more credentials are issued.
func (c *clients) more(ctx context.Context, count int64) error {
	target := c.issued.Load() + count
	return await(ctx, func() error {
		if issued := c.issued.Load(); issued < target {
			return fmt.Errorf("%d issued, %d expected; %s", issued, target, strings.Join(c.refusals.texts(), "; "))
		}
		return nil
	})
}
