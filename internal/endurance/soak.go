package endurance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// SoakSpec says how many lifecycles there are.
type SoakSpec struct {
	Binaries   devstack.Binaries
	Lifecycles int       // issued and revoked, a quarter of each type
	Out        io.Writer // takes a line now and then
}

// SoakReport is what became of them.
type SoakReport struct {
	Lifecycles, Leaked, Unexpected int
	LeakedUsers                    []string
	Errors, Expected               []string // by kind
	Early, Late                    vitals   // at 25 % and at 100 % of the half without kills
}

// String is the closing line.
func (r SoakReport) String() string {
	return fmt.Sprintf("soak: %d lifecycles, %d leaked, %d unexpected errors", r.Lifecycles, r.Leaked, r.Unexpected)
}

// Details are the kinds of errors that clients met, and the plugin's vitals.
func (r SoakReport) Details() []string {
	lines := []string{
		fmt.Sprintf("plugin at 25 %% of the half without kills: %v", r.Early),
		fmt.Sprintf("plugin at 100 %%: %v", r.Late),
	}
	for _, text := range r.Expected {
		lines = append(lines, "expected: "+text)
	}
	for _, text := range r.Errors {
		lines = append(lines, "unexpected: "+text)
	}
	return lines
}

// Err is what went wrong, if anything did.
func (r SoakReport) Err() error {
	var err error
	if r.Leaked > 0 {
		err = fmt.Errorf("leaked: %v", r.LeakedUsers)
	}
	if r.Unexpected > 0 {
		err = errors.Join(err, fmt.Errorf("%d unexpected errors", r.Unexpected))
	}
	if !r.Early.steady(r.Late) {
		err = errors.Join(err, fmt.Errorf("the plugin had %v, in the end %v:\n%s\nbefore:\n%s", r.Early, r.Late, r.Late.Stacks, r.Early.Stacks))
	}
	return err
}

const (
	soakClients = 64
	// soakEvery makes 20,000 lifecycles of 18 minutes, where AWS keeps up. Waiting
	// for the plugin to be at rest takes some more.
	soakEvery = 55 * time.Millisecond
	// killEvery is how often the plugin is killed in the first half.
	killEvery = 4 * time.Second
	// deathFelt is how long after a kill a request may end in an error for it.
	deathFelt = 2 * time.Second
)

// Soak runs lifecycles on a hostile AWS: the first half while the plugin is
// killed every few seconds, the second while it is left alone and watched.
func Soak(ctx context.Context, spec SoakSpec) (SoakReport, error) {
	folder, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return SoakReport{}, err
	}
	defer os.RemoveAll(folder)
	binaries, err := buildWithVitals(ctx, spec.Binaries, folder)
	if err != nil {
		return SoakReport{}, err
	}
	run, err := startSoak(ctx, devstack.Spec{Binaries: binaries, VaultEnv: []string{"VITALS=" + folder}})
	if err != nil {
		return SoakReport{}, err
	}
	run.SoakSpec, run.folder = spec, folder
	report, err := run.run(ctx)
	return report, errors.Join(err, run.stack.Stop())
}

// soakRun is one run of Soak.
type soakRun struct {
	SoakSpec
	folder  string // of the vitals
	stack   *devstack.Stack
	account account
	vault   *vault

	killed               atomic.Int64 // when the plugin was killed last, in Unix nanoseconds
	finished             atomic.Int64 // lifecycles
	unexpected, expected refusals
}

// startSoak starts a server whose mount is configured.
func startSoak(ctx context.Context, spec devstack.Spec) (*soakRun, error) {
	stack, err := devstack.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	run := &soakRun{stack: stack, account: newAccount(stack.Sim), vault: newVault(stack.VaultAddr)}
	if err := run.mount(ctx); err != nil {
		return nil, errors.Join(err, stack.Stop())
	}
	return run, nil
}

func (r *soakRun) mount(ctx context.Context) error {
	args, err := r.stack.Binaries.RegisterArgs("aws")
	if err != nil {
		return err
	}
	for _, cmd := range []*exec.Cmd{r.stack.Command(ctx, args...), r.stack.Command(ctx, "secrets", "enable", "-path="+mount, "aws")} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", cmd.Args, err, out)
		}
	}
	return r.account.configure(ctx, r.vault)
}

// preset has AWS behave by one of the simulator's presets.
func (r *soakRun) preset(ctx context.Context, name string) error {
	_, err := r.stack.Sim.Control(ctx, http.MethodPost, "preset", fmt.Appendf(nil, `{"preset":%q}`, name))
	return err
}

// hostile makes AWS hostile, but for the rate.
func (r *soakRun) hostile(ctx context.Context) error {
	if err := r.preset(ctx, "hostile"); err != nil {
		return err
	}
	_, err := r.stack.Sim.Control(ctx, http.MethodPost, "settings", []byte(`{"throttle":{"rate":500,"burst":500}}`))
	return err
}

func (r *soakRun) run(ctx context.Context) (out SoakReport, err error) {
	defer func() {
		out.Lifecycles, out.Unexpected = int(r.finished.Load()), r.unexpected.count()
		out.Errors, out.Expected = r.unexpected.texts(), r.expected.texts()
	}()
	if err := r.hostile(ctx); err != nil {
		return out, err
	}
	if err := r.underFire(ctx, r.Lifecycles/2); err != nil {
		return out, err
	}
	rest := r.Lifecycles - r.Lifecycles/2
	if out.Early, err = r.watched(ctx, rest/4); err != nil {
		return out, err
	}
	if out.Late, err = r.watched(ctx, rest-rest/4); err != nil {
		return out, err
	}
	if err := r.preset(ctx, "ideal"); err != nil { // what is left goes sooner so
		return out, err
	}
	out.LeakedUsers, err = r.account.leaked(ctx, r.vault)
	out.Leaked = len(out.LeakedUsers)
	return out, err
}

// underFire runs lifecycles while the plugin is killed again and again.
func (r *soakRun) underFire(ctx context.Context, count int) error {
	killing, cancel := context.WithCancel(ctx)
	var killer sync.WaitGroup
	defer killer.Wait()
	defer cancel()
	killer.Go(func() {
		for pause(killing, killEvery) == nil {
			r.killed.Store(now().UnixNano())
			_, _ = devstack.KillPlugins(r.stack.VaultPID()) // there may be none at the moment
		}
	})
	return r.lifecycles(ctx, count)
}

// watched runs lifecycles and takes the plugin's vitals when they are over.
func (r *soakRun) watched(ctx context.Context, count int) (v vitals, err error) {
	if err := r.lifecycles(ctx, count); err != nil {
		return v, err
	}
	v, err = takeVitals(ctx, r.stack.VaultPID(), r.folder)
	fmt.Fprintf(r.Out, "%d lifecycles, plugin: %v\n", r.finished.Load(), v)
	return v, err
}

// lifecycles runs so many, at most one each soakEvery, and waits for the last.
func (r *soakRun) lifecycles(ctx context.Context, count int) error {
	work := make(chan string)
	var busy sync.WaitGroup
	for range soakClients {
		busy.Go(func() {
			for role := range work {
				if ctx.Err() == nil {
					r.lifecycle(ctx, role)
				}
			}
		})
	}
	for i := range count {
		work <- roles[i%len(roles)]
		if i%500 == 499 {
			fmt.Fprintf(r.Out, "%d lifecycles, %d unexpected errors %v\n", r.finished.Load(), r.unexpected.count(), r.unexpected.texts())
		}
		_ = pause(ctx, soakEvery)
	}
	close(work)
	busy.Wait()
	return ctx.Err()
}

// lifecycle issues a credential, however often it takes, and gives it up. Vault
// revokes it then, and repeats what fails.
func (r *soakRun) lifecycle(ctx context.Context, role string) {
	var lease string
	err := await(ctx, func() error {
		got, answer, err := r.vault.issue(ctx, role)
		lease = got
		return r.judge("issue "+role, answer, err)
	})
	if err == nil {
		err = await(ctx, func() error {
			answer, err := r.vault.giveUp(ctx, lease)
			return r.judge("revoke "+role, answer, err)
		})
	}
	if err == nil {
		r.finished.Add(1)
	}
}

// judge files an answer that is no success.
func (r *soakRun) judge(what string, answer devstack.Answer, err error) error {
	if err == nil && answer.OK() {
		return nil
	}
	if err == nil && r.isExpected(answer) {
		r.expected.add(what, answer, nil)
	} else {
		r.unexpected.add(what, answer, err)
	}
	return errors.Join(err, answer.Into(nil))
}

// isExpected: AWS throttles or fails, or the plugin has just died.
func (r *soakRun) isExpected(a devstack.Answer) bool {
	switch a.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		return true
	case http.StatusInternalServerError:
		return saysDead(string(a.Body)) && now().Sub(time.Unix(0, r.killed.Load())) <= deathFelt
	}
	return false
}

// saysDead: what Vault answers where the plugin's process died under a request.
// It passes on what gRPC says, always with the code Unavailable: "EOF", or that
// the connection was reset or refused. A request that comes a moment later finds
// the plugin shut down.
func saysDead(body string) bool {
	return strings.Contains(body, "rpc error: code = Unavailable") || strings.Contains(body, "plugin is shut down")
}
