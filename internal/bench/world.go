package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

// world is what a stage's scenes are played in.
type world struct {
	Spec
	sheet   *sheet
	cluster *devstack.Cluster
	vault   devstack.Client // one connection pool, no repetition
	sim     *devstack.Sim
	version string // of the plugin
	made    int    // accounts and mounts so far

	lastMark int64
}

// clientPatience is when Vault's clients leave.
const clientPatience = 60 * time.Second

// builtinVersion is how Vault tells its own engine from one that is registered
// under the same name.
const builtinVersion = "v1.21.1+builtin.vault"

// start starts the servers and registers the plugin.
func (w *world) start(ctx context.Context, st stage) (err error) {
	spec := devstack.Spec{
		Binaries: w.Binaries, SimArgs: st.simArgs, LogLevel: "warn",
		VaultEnv: []string{"VAULT_MAX_RETRIES=0"},
	}
	if w.version, err = w.Binaries.PluginVersion(); err != nil {
		return err
	}
	if w.cluster, err = devstack.StartCluster(ctx, spec, st.nodes); err != nil {
		return err
	}
	w.sim = w.cluster.Sim
	w.vault = w.cluster.Nodes[0].Client
	w.vault.HTTP = keepAlive()
	return w.cluster.Register(ctx, "aws")
}

// keepAlive is a client that opens no connection while it is measured, but those
// of its first requests.
func keepAlive() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: 10 * time.Minute}
}

func (w *world) stop() error {
	if w.cluster == nil {
		return nil
	}
	return w.cluster.Stop()
}

// feel changes how AWS feels. JSON of [awssim.Settings]; what is absent stays.
func (w *world) feel(ctx context.Context, settings string) error {
	_, err := w.sim.Control(ctx, http.MethodPost, "settings", []byte(settings))
	return err
}

// How AWS feels.
const (
	slow      = `{"latency":"100ms"}`
	throttled = `{"latency":"20ms","latency_most":"60ms","throttle":{"rate":15,"burst":30}}`
)

// rate is the throttled account's, in calls a second.
const rate = 15

// preset has AWS feel as one of the simulator's presets.
func (w *world) preset(ctx context.Context, name string) error {
	_, err := w.sim.Control(ctx, http.MethodPost, "preset", fmt.Appendf(nil, `{"preset":%q}`, name))
	return err
}

// calm has AWS feel as at first: at once.
func (w *world) calm(ctx context.Context) error { return w.preset(ctx, "ideal") }

// mark is the number of the latest call of AWS.
func (w *world) mark(ctx context.Context) (int64, error) {
	calls, err := w.callsSince(ctx, w.lastMark)
	if len(calls) > 0 {
		w.lastMark = calls[len(calls)-1].Sequence
	}
	return w.lastMark, err
}

// callsSince are the calls of AWS after one of them, in order of effect.
func (w *world) callsSince(ctx context.Context, mark int64) (calls []awssim.Call, err error) {
	text, err := w.sim.Control(ctx, http.MethodGet, "journal?since="+strconv.FormatInt(mark, 10), nil)
	if err != nil {
		return nil, err
	}
	return calls, json.Unmarshal(text, &calls)
}

// takeTurns measures both engines: as many runs, each beginning every other one.
func takeTurns(pair [2]*engine, runs int, one func(e *engine) error) error {
	for i := range runs {
		first := side(i % 2)
		for _, s := range []side{first, first.other()} {
			if err := one(pair[s]); err != nil {
				return fmt.Errorf("%s, run %d: %w", s, i+1, err)
			}
		}
	}
	return nil
}

// timed is how long a function takes.
func timed(f func() error) (time.Duration, error) {
	began := now()
	err := f()
	return now().Sub(began), err
}

// plugin is the process of the plugin.
func (w *world) plugin(n *devstack.Node) (int, error) {
	pids, err := devstack.Children(n.PID())
	if err == nil && len(pids) != 1 {
		err = fmt.Errorf("%d plugin processes, not one", len(pids))
	}
	return append(pids, 0)[0], err
}

// await repeats check until it succeeds or the patience ends.
func await(ctx context.Context, patience time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		if pause(ctx, 5*time.Millisecond) != nil {
			return fmt.Errorf("in vain for %s: %w", patience, errors.Join(ctx.Err(), err))
		}
	}
}
