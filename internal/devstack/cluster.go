package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
)

// Cluster is a running simulator and Vault servers over integrated raft
// storage, all with [RootToken]. Unlike the server of a [Stack] its nodes can
// be killed and started again over what they stored.
type Cluster struct {
	Sim      *Sim
	Nodes    []*Node
	Binaries Binaries

	scratch   *Stack // folders and environment
	vaultEnv  []string
	unsealKey string
}

// StartCluster starts the simulator and so many Vault servers, and returns when
// all of them are unsealed and may vote. The caller must call Stop, whatever
// becomes of ctx.
func StartCluster(ctx context.Context, spec Spec, nodes int) (*Cluster, error) {
	scratch, err := newStack(spec)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Binaries: spec.Binaries, scratch: scratch, vaultEnv: spec.VaultEnv}
	if err := c.start(ctx, nodes); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, nodes int) error {
	if err := c.scratch.makeFolders(); err != nil {
		return err
	}
	if err := c.scratch.startSim(ctx); err != nil {
		return err
	}
	c.Sim = c.scratch.Sim
	if err := c.makeNodes(nodes); err != nil {
		return err
	}
	if err := c.Nodes[0].Start(ctx); err != nil {
		return err
	}
	if err := c.initialize(ctx); err != nil {
		return err
	}
	for _, n := range c.Nodes[1:] {
		if err := n.Start(ctx); err != nil {
			return err
		}
	}
	return c.awaitVoters(ctx)
}

// Stop ends all processes and what they started, and removes the scratch
// folder. It may be called more than once.
func (c *Cluster) Stop() error {
	for _, n := range c.Nodes {
		n.stop()
	}
	return c.scratch.Stop()
}

// Command is a vault command against a node. Its environment is complete.
func (c *Cluster) Command(ctx context.Context, n *Node, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.Binaries.Vault, args...)
	cmd.Env = append(c.scratch.env(), "VAULT_ADDR="+n.Addr, "VAULT_TOKEN="+RootToken)
	return cmd
}

// Register registers the plugin under a name.
func (c *Cluster) Register(ctx context.Context, name string) error {
	args, err := c.Binaries.RegisterArgs(name)
	if err != nil {
		return err
	}
	leader, err := c.Leader(ctx)
	if err != nil {
		return err
	}
	if out, err := c.Command(ctx, leader, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("register the plugin: %w: %s", err, out)
	}
	return nil
}

// Leader waits until a node leads and serves requests, and returns it.
func (c *Cluster) Leader(ctx context.Context) (*Node, error) {
	var leader *Node
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	err := await(ctx, "find the leader", func() (err error) {
		for _, n := range c.Nodes {
			if err = n.active(ctx); err == nil {
				leader = n
				return nil
			}
		}
		return err
	})
	return leader, err
}

// makeNodes gives the nodes their addresses. All ports are taken at once, so
// that no two are the same.
func (c *Cluster) makeNodes(count int) error {
	for i := range count {
		var ports []string
		for range 2 {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer l.Close()
			ports = append(ports, l.Addr().String())
		}
		c.Nodes = append(c.Nodes, &Node{
			Client: Client{Addr: "http://" + ports[0], Token: RootToken},
			id:     fmt.Sprintf("n%d", i+1), peers: ports[1], cluster: c,
		})
	}
	return nil
}

// heartbeats is how many seconds a node waits for a leader's heartbeat before it
// stands for election: Vault's own setting, but for a node that waits in vain.
func (c *Cluster) heartbeats() int {
	if len(c.Nodes) == 1 {
		return 1
	}
	return 5
}

// initialize initializes and unseals the first node, which leads then.
func (c *Cluster) initialize(ctx context.Context) error {
	first := c.Nodes[0]
	var made struct {
		Keys      []string
		RootToken string `json:"root_token"`
	}
	shares := map[string]int{"secret_shares": 1, "secret_threshold": 1}
	if err := first.Fetch(ctx, http.MethodPut, "sys/init", shares, &made); err != nil {
		return err
	}
	c.unsealKey = made.Keys[0]
	if err := first.Unseal(ctx); err != nil {
		return err
	}
	if _, err := c.Leader(ctx); err != nil {
		return err
	}
	root := Client{Addr: first.Addr, Token: made.RootToken}
	token := map[string]any{"id": RootToken, "policies": []string{"root"}, "no_parent": true}
	if err := root.Fetch(ctx, http.MethodPost, "auth/token/create", token, nil); err != nil {
		return err
	}
	return c.promoteSoon(ctx)
}

// promoteSoon has nodes vote soon after they joined; Vault's own setting is ten
// seconds.
func (c *Cluster) promoteSoon(ctx context.Context) error {
	settings := map[string]any{"server_stabilization_time": "1s"}
	return c.Nodes[0].Fetch(ctx, http.MethodPost, "sys/storage/raft/autopilot/configuration", settings, nil)
}

// awaitVoters waits until every node may vote, so that any may lead.
func (c *Cluster) awaitVoters(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	return await(ctx, "have all nodes vote", func() error {
		voters, err := c.voters(ctx)
		if err == nil && voters < len(c.Nodes) {
			err = fmt.Errorf("%d of %d do", voters, len(c.Nodes))
		}
		return err
	})
}

func (c *Cluster) voters(ctx context.Context) (count int, err error) {
	var answer struct {
		Data struct {
			Config struct {
				Servers []struct{ Voter bool }
			}
		}
	}
	err = c.Nodes[0].Fetch(ctx, http.MethodGet, "sys/storage/raft/configuration", nil, &answer)
	for _, s := range answer.Data.Config.Servers {
		if s.Voter {
			count++
		}
	}
	return count, err
}
