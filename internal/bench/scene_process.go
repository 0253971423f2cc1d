package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// resident is how much memory a process has, in MiB.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has ended", pid)
}

// peak notes the most memory that the plugin has had.
func (w *world) peak(name string) error {
	pid, err := w.plugin(w.cluster.Nodes[0])
	if err != nil {
		return err
	}
	bytes, err := devstack.PeakMemory(pid)
	w.sheet.add(name, ours, float64(bytes)/(1<<20))
	return err
}

// restful is how long a plugin is left alone before it is at rest.
const restful = 5 * time.Second

// memory is what a plugin process with one configured mount has at rest, having
// issued one credential of each type.
func memory(ctx context.Context, w *world) error {
	e, err := w.alone(ctx, ours)
	if err != nil {
		return err
	}
	if err := e.writeKinds(ctx); err != nil {
		return err
	}
	if _, err := e.issue(ctx, "grouped"); err != nil {
		return err
	}
	if err := pause(ctx, restful); err != nil {
		return err
	}
	return w.noteResident("resident memory at rest")
}

func (w *world) noteResident(name string) error {
	pid, err := w.plugin(w.cluster.Nodes[0])
	if err != nil {
		return err
	}
	mib, err := resident(pid)
	w.sheet.add(name, ours, mib)
	return err
}

const startRuns = 8

// starts kills the plugin and asks the next until it answers.
func starts(ctx context.Context, w *world) error {
	e, err := w.alone(ctx, ours)
	if err != nil {
		return err
	}
	if err := e.writeKinds(ctx); err != nil {
		return err
	}
	for range w.Quick.of(startRuns) {
		if err := e.restart(ctx, "start to first answer"); err != nil {
			return err
		}
	}
	return nil
}

// restart kills the plugin and notes how long it is until a role can be read.
func (e *engine) restart(ctx context.Context, name string) error {
	if _, err := devstack.KillPlugins(e.cluster.Nodes[0].PID()); err != nil {
		return err
	}
	began := now()
	err := await(ctx, time.Minute, func() error {
		return e.vault.Fetch(ctx, http.MethodGet, e.mount+"/roles/inline", nil, nil)
	})
	e.sheet.took(name, e.side, now().Sub(began))
	return err
}

const failoverRuns = 3 // of a leader that is killed

// failover has the leader of three nodes go while a client looks for the next
// one, until that has answered with a credential. The first steps down; Vault
// takes no notice of later ones that are told to.
func failover(ctx context.Context, w *world) error {
	e, err := w.alone(ctx, ours)
	if err != nil {
		return err
	}
	if err := e.writeKinds(ctx); err != nil {
		return err
	}
	leader, err := w.cluster.Leader(ctx)
	if err != nil {
		return err
	}
	began := now()
	if err := leader.StepDown(ctx); err != nil {
		return err
	}
	if err := e.awaitNext(ctx, leader, began, "failover to first credential: the leader steps down"); err != nil {
		return err
	}
	for range w.Quick.of(failoverRuns) {
		if leader, err = w.cluster.Leader(ctx); err != nil {
			return err
		}
		began = now()
		leader.Kill()
		if err := e.awaitNext(ctx, leader, began, "failover to first credential: the leader is killed"); err != nil {
			return err
		}
		if err := leader.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// awaitNext notes how long it was, since the former leader was told to go, until
// another node has issued a credential.
func (e *engine) awaitNext(ctx context.Context, former *devstack.Node, began time.Time, name string) error {
	err := await(ctx, time.Minute, func() error { return e.issueAtNext(ctx, former) })
	e.sheet.add(name, e.side, now().Sub(began).Seconds())
	return err
}

// issueAtNext asks the node that leads now. Standbys pass requests on, perhaps to
// the former leader, so that only who says that it is active is asked.
func (e *engine) issueAtNext(ctx context.Context, former *devstack.Node) error {
	for _, n := range e.cluster.Nodes {
		client := n.Client
		client.HTTP = e.vault.HTTP
		health, err := client.Call(ctx, http.MethodGet, "sys/health", nil)
		if n != former && err == nil && health.Status == http.StatusOK {
			return client.Fetch(ctx, http.MethodGet, e.mount+"/creds/inline", nil, nil)
		}
	}
	return errors.New("no other node leads")
}
