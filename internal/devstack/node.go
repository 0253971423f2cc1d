package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

const (
	// unsealing is how long a server may take to unseal once it has the key.
	unsealing = 10 * time.Second

	// leaving is how long a leader may take to step down: Vault gives the
	// requests that it serves 90 seconds.
	leaving = 100 * time.Second
)

// Node is one Vault server of a cluster. Its storage outlives its process.
type Node struct {
	Client // as root

	id      string // "n1", …
	peers   string // host:port at which the other nodes reach it
	cluster *Cluster
	process *process // of the latest start; nil before the first
	former  []*process

	keyGiven time.Time // when the latest process was given the unseal key
}

// PID is the id of the server's process, whose children are its plugins.
func (n *Node) PID() int { return n.process.pid() }

// Log is what the server has logged, in all its starts.
func (n *Node) Log() string { return n.process.output() }

// Kill ends the server by SIGKILL, as a machine that runs out of memory does.
// Plugin processes are not its concern: they lose their server and stay until
// the next Start, or the cluster's Stop.
func (n *Node) Kill() {
	_ = syscall.Kill(n.PID(), syscall.SIGKILL)
	<-n.process.done
}

// Start starts the server over its storage, unseals it and returns when it
// takes part in the cluster: as the leader or as a standby that knows one.
func (n *Node) Start(ctx context.Context) error {
	if n.process != nil {
		n.process.stop() // and what it left behind
	}
	n.keyGiven = time.Time{}
	if err := n.writeConfig(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	if err := n.serve(ctx); err != nil {
		return err
	}
	return await(ctx, "unseal node "+n.id, func() error { return n.join(ctx) })
}

// serve starts the process until it answers at all. A port that somebody else
// took while the node was down is free again soon.
func (n *Node) serve(ctx context.Context) error {
	return await(ctx, "start node "+n.id, func() (err error) {
		if n.process == nil || n.process.ended() {
			cmd := exec.Command(n.cluster.Binaries.Vault, "server", "-config="+n.file("json"))
			cmd.Env = slices.Concat(n.cluster.scratch.env(), n.cluster.scratch.trustEnv(), n.cluster.vaultEnv)
			if n.process, err = startProcess(cmd, n.file("log")); err != nil {
				return err
			}
		}
		return n.answers(ctx)
	})
}

// answers checks that the server answers, sealed or not.
func (n *Node) answers(ctx context.Context) error {
	_, err := n.Call(ctx, http.MethodGet, "sys/seal-status", nil)
	return err
}

// join unseals the server and checks that it takes part.
func (n *Node) join(ctx context.Context) error {
	if n.process.ended() {
		return fmt.Errorf("it has ended:\n%s", n.Log())
	}
	var seal struct{ Initialized, Sealed bool }
	if err := n.Fetch(ctx, http.MethodGet, "sys/seal-status", nil, &seal); err != nil {
		return err
	}
	if n.cluster.unsealKey == "" {
		return nil // the first node's first start: it is initialized next
	}
	if seal.Sealed {
		return n.unsealOnce(ctx)
	}
	leader, err := n.leads(ctx)
	if err == nil && leader.LeaderAddress == "" {
		err = errors.New("it knows no leader")
	}
	return err
}

// unsealOnce gives the server its key, unless it was just given and has yet to
// take effect: a server that is given it twice while it joins the cluster competes
// with itself for the lead, and does not step down when it has it.
func (n *Node) unsealOnce(ctx context.Context) error {
	if now().Sub(n.keyGiven) > unsealing {
		if err := n.Unseal(ctx); err != nil {
			return err
		}
		n.keyGiven = now()
	}
	return errors.New("it is still sealed")
}

// Unseal gives a sealed server its key. It does not wait for a leader.
func (n *Node) Unseal(ctx context.Context) error {
	return n.Fetch(ctx, http.MethodPut, "sys/unseal", map[string]string{"key": n.cluster.unsealKey}, nil)
}

// Seal seals the server.
func (n *Node) Seal(ctx context.Context) error {
	return n.Fetch(ctx, http.MethodPut, "sys/seal", nil, nil)
}

// StepDown has the leader give its office up and returns when it has: another
// node takes it, or the only one takes it again. Vault answers before, while the
// leader still serves.
func (n *Node) StepDown(ctx context.Context) error {
	term, err := n.leads(ctx)
	if err != nil {
		return err
	}
	if err := n.Fetch(ctx, http.MethodPut, "sys/step-down", nil, nil); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, leaving)
	defer cancel()
	return await(ctx, "have node "+n.id+" step down", func() error { return n.hasLeft(ctx, term) })
}

// hasLeft checks that the node's term in office is over.
func (n *Node) hasLeft(ctx context.Context, term leadership) error {
	current, err := n.leads(ctx)
	if err == nil && !current.ActiveTime.IsZero() && current.ActiveTime.Equal(term.ActiveTime) {
		err = errors.New("it still leads")
	}
	return err
}

// leadership is what sys/leader says.
type leadership struct {
	ActiveTime    time.Time `json:"active_time"` // since when the node leads; zero of a standby
	LeaderAddress string    `json:"leader_address"`
}

func (n *Node) leads(ctx context.Context) (l leadership, err error) {
	return l, n.Fetch(ctx, http.MethodGet, "sys/leader", nil, &l)
}

// active checks that the server leads and serves requests.
func (n *Node) active(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return n.Fetch(ctx, http.MethodGet, "sys/health", nil, nil) // 200 is the active node's only
}

// file is a file of the node in the scratch folder.
func (n *Node) file(kind string) string { return n.cluster.scratch.path(n.id + "." + kind) }

func (n *Node) writeConfig() error {
	if err := os.MkdirAll(n.file("raft"), 0o700); err != nil {
		return err
	}
	config := n.cluster.scratch.vaultConfig()
	config["api_addr"] = n.Addr
	config["cluster_addr"] = "https://" + n.peers
	config["listener"] = map[string]any{"tcp": map[string]any{
		"address": n.Addr[len("http://"):], "cluster_address": n.peers, "tls_disable": true,
	}}
	config["storage"] = map[string]any{"raft": map[string]any{
		"path": n.file("raft"), "node_id": n.id, "performance_multiplier": n.cluster.heartbeats(),
		"retry_join": []map[string]string{{"leader_api_addr": n.cluster.Nodes[0].Addr}},
	}}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(n.file("json"), text, 0o600)
}

// await repeats check until it succeeds or ctx ends.
func await(ctx context.Context, what string, check func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", what, ctx.Err(), err)
		case <-tick.C:
		}
	}
}
