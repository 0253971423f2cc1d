package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
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

// Details are the kinds of refusals that clients met.
func (r HAReport) Details() []string { return r.Refusals }

// Err is what went wrong, if anything did.
func (r HAReport) Err() error {
	var err error
	if r.Leaked > 0 {
		err = fmt.Errorf("leaked: %v", r.LeakedUsers)
	}
	if r.Doubled > 0 {
		err = errors.Join(err, fmt.Errorf("%d rotations too many", r.Doubled))
	}
	return errors.Join(err, r.LostRotations)
}

const (
	haNodes   = 3
	haClients = 6
	haStatic  = 3

	// issuedBetween is how many credentials a leader issues before it goes.
	issuedBetween = 30
)

// HA changes the leader of a cluster under load: clients issue and revoke, the
// root key and the keys of static roles are rotated by the clock. Some leaders go
// while they rotate.
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
	mark      int64 // the last call of AWS before the latest leader came
}

func (r *haRun) run(ctx context.Context) (out HAReport, err error) {
	if err := r.prepare(ctx); err != nil {
		return out, err
	}
	if err := r.changeLeaders(ctx, &out); err != nil {
		return out, err
	}
	return out, r.count(ctx, &out)
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

// changeLeaders has the clients at work while one leader after the other goes,
// and the last makes up for the rotations that are due.
func (r *haRun) changeLeaders(ctx context.Context, out *HAReport) error {
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
	out.Lost, out.LostRotations = r.rotations.lost(ctx)
	return r.load.more(ctx, issuedBetween)
}

// leave is how a leader goes, and when.
type leave struct {
	how  func(ctx context.Context, r *haRun, leader *devstack.Node) error
	when func(ctx context.Context, r *haRun) error
}

// leaves come one after the other, again and again. A leader that rotates has
// come into office by a step-down: the node that was killed takes its time.
var leaves = []leave{
	{stepDown, afterWork}, {kill, whileRotating}, {kill, afterWork}, {stepDown, afterWork}, {stepDown, whileRotating},
}

// stepDown has a leader give its office up.
func stepDown(ctx context.Context, r *haRun, leader *devstack.Node) error {
	if err := leader.StepDown(ctx); err != nil {
		return err
	}
	return r.succeeded(ctx, leader)
}

// kill ends a leader by SIGKILL and starts it again when another node leads.
func kill(ctx context.Context, r *haRun, leader *devstack.Node) error {
	leader.Kill()
	if err := r.succeeded(ctx, leader); err != nil {
		return err
	}
	return leader.Start(ctx)
}

// afterWork waits until the leader has issued for a while and has rotated the root
// key if it was due, and until it is due again: the next leader finds something to
// do.
func afterWork(ctx context.Context, r *haRun) error {
	return errors.Join(r.load.more(ctx, issuedBetween), r.rotations.rootFresh(ctx), r.rotations.rootDue(ctx))
}

// whileRotating waits until the leader has asked AWS for a new root key; it
// proves it for seconds then.
func whileRotating(ctx context.Context, r *haRun) error {
	return await(ctx, func() error {
		calls, err := r.account.callsSince(ctx, r.mark)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(calls, func(c awssim.Call) bool { return c.Action == "iam:CreateAccessKey" && c.Target == engine }) {
			return errors.New("no rotation of the root key")
		}
		return nil
	})
}

// change has the leader go.
func (r *haRun) change(ctx context.Context, i int) error {
	next := leaves[i%len(leaves)]
	if err := next.when(ctx, r); err != nil {
		return err
	}
	leader, err := r.cluster.Leader(ctx)
	if err != nil {
		return err
	}
	if r.mark, err = r.account.lastCall(ctx, r.mark); err != nil {
		return err
	}
	if err := next.how(ctx, r, leader); err != nil {
		return err
	}
	fmt.Fprintf(r.Out, "leader change %d, %d issued\n", i+1, r.load.issued.Load())
	return nil
}

// succeeded waits until another node leads than the one that left.
func (r *haRun) succeeded(ctx context.Context, left *devstack.Node) error {
	return await(ctx, func() error {
		leader, err := r.cluster.Leader(ctx)
		if err == nil && leader == left {
			err = errors.New("the leader is the one that was to go")
		}
		return err
	})
}

// count sums up, after the load.
func (r *haRun) count(ctx context.Context, out *HAReport) error {
	counted, err := r.rotations.count(ctx)
	if err != nil {
		return err
	}
	out.Rotations, out.Doubled = counted.rotations, counted.doubled
	out.LeakedUsers, err = r.account.leaked(ctx, r.vault)
	out.Changes, out.Issued, out.Leaked = r.Changes, int(r.load.issued.Load()), len(out.LeakedUsers)
	out.Refusals = r.load.refusals.texts()
	return err
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
	kept     atomic.Int64
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

// mostKept is well below IAM's 5,000 users of an account.
const mostKept = 2000

// one issues a credential. Every third stays until the end, when all leases are
// revoked, up to so many; so does one whose revoking fails.
func (c *clients) one(ctx context.Context, v *vault, i int) {
	lease, answer, err := v.issue(ctx, "iam_user")
	if lease == "" && ctx.Err() == nil {
		c.refusals.add("issue", answer, err)
		_ = pause(ctx, 50*time.Millisecond)
	}
	if lease == "" {
		return
	}
	c.issued.Add(1)
	if i%3 == 2 && c.kept.Add(1) <= mostKept {
		return
	}
	if answer, err := v.revoke(ctx, lease); ctx.Err() == nil && (err != nil || !answer.OK()) {
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
