package endurance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// LoadSpec says how long the load lasts.
type LoadSpec struct {
	Binaries devstack.Binaries
	Duration time.Duration
}

// LoadReport is what became of the requests.
type LoadReport struct {
	Issued, Refused, Unclear, Leaked int
	Memory                           int64 // bytes, the plugin's peak
	LeakedUsers                      []string
	Refusals, UnclearTexts           []string
}

// String is the closing line.
func (r LoadReport) String() string {
	return fmt.Sprintf("load: %d issued, %d refused with a hint, %d without, %d leaked, plugin's peak %d MiB",
		r.Issued, r.Refused, r.Unclear, r.Leaked, r.Memory>>20)
}

// Details are the kinds of refusals that clients met.
func (r LoadReport) Details() []string {
	lines := r.Refusals
	for _, text := range r.UnclearTexts {
		lines = append(lines, "unclear: "+text)
	}
	return lines
}

// Err is what went wrong, if anything did.
func (r LoadReport) Err() error {
	var err error
	if r.Leaked > 0 {
		err = fmt.Errorf("leaked: %v", r.LeakedUsers)
	}
	if r.Unclear > 0 {
		err = errors.Join(err, fmt.Errorf("%d refusals without a hint", r.Unclear))
	}
	if r.Memory > memoryBound {
		err = errors.Join(err, fmt.Errorf("the plugin had %d MiB", r.Memory>>20))
	}
	return err
}

const (
	loadClients = 200
	// retryPause is how long a client waits after a refusal: less than it is told.
	retryPause = time.Second
	// memoryBound is what the plugin may take at most, in bytes: at rest it has
	// 30 MiB, and a request in flight is worth a few hundred KiB.
	memoryBound = 256 << 20
)

// Load has many clients issue and revoke at once, on an AWS that takes 15 calls
// a second.
func Load(ctx context.Context, spec LoadSpec) (LoadReport, error) {
	soak, err := startSoak(ctx, devstack.Spec{Binaries: spec.Binaries})
	if err != nil {
		return LoadReport{}, err
	}
	run := &loadRun{soakRun: soak}
	report, err := run.run(ctx, spec.Duration)
	return report, errors.Join(err, soak.stack.Stop())
}

// loadRun is one run of Load.
type loadRun struct {
	*soakRun
	issued           atomic.Int64
	refused, unclear refusals
}

func (r *loadRun) run(ctx context.Context, duration time.Duration) (out LoadReport, err error) {
	if _, err := r.stack.Sim.Control(ctx, http.MethodPost, "settings", []byte(`{"throttle":{"rate":15,"burst":30}}`)); err != nil {
		return out, err
	}
	r.press(ctx, duration)
	if out.Memory, err = r.peak(); err != nil {
		return out, err
	}
	out.LeakedUsers, err = r.account.leaked(ctx, r.vault)
	out.Issued, out.Refused, out.Unclear = int(r.issued.Load()), r.refused.count(), r.unclear.count()
	out.Leaked, out.Refusals, out.UnclearTexts = len(out.LeakedUsers), r.refused.texts(), r.unclear.texts()
	return out, err
}

// press has the clients at work for a while, and waits for their last answers.
func (r *loadRun) press(ctx context.Context, duration time.Duration) {
	end := now().Add(duration)
	var busy sync.WaitGroup
	for range loadClients {
		busy.Go(func() {
			for ctx.Err() == nil && now().Before(end) {
				r.one(ctx)
			}
		})
	}
	busy.Wait()
}

// one issues a credential and revokes it.
func (r *loadRun) one(ctx context.Context) {
	lease, answer, err := r.vault.issue(ctx, "iam_user")
	if lease == "" {
		r.file("issue", answer, err)
		_ = pause(ctx, retryPause)
		return
	}
	r.issued.Add(1)
	if answer, err := r.vault.revoke(ctx, lease); err != nil || !answer.OK() {
		r.file("revoke", answer, err)
	}
}

// file sorts a refusal by whether it says that one may try again.
func (r *loadRun) file(what string, answer devstack.Answer, err error) {
	if err == nil && answer.Status >= 400 && strings.Contains(string(answer.Body), "etry") {
		r.refused.add(what, answer, nil)
		return
	}
	r.unclear.add(what, answer, err)
}

// peak is the most memory that the plugin has had.
func (r *loadRun) peak() (int64, error) {
	pids, err := devstack.Children(r.stack.VaultPID())
	if err != nil || len(pids) != 1 {
		return 0, fmt.Errorf("plugin processes %v: %w", pids, errors.Join(err, errNotOne))
	}
	return devstack.PeakMemory(pids[0])
}
