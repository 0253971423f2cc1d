package devstack

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"syscall"
)

// KillAll ends the server and its plugin processes by SIGKILL, as the death of a
// machine does.
func (n *Node) KillAll() {
	_ = syscall.Kill(-n.PID(), syscall.SIGKILL)
	<-n.process.done
}

// Restart is Start, but leaves alone what the killed server left behind: its
// plugin processes finish, beside those of the new one, what they were at. They
// end with the cluster's Stop.
func (n *Node) Restart(ctx context.Context) error {
	n.former = append(n.former, n.process)
	n.process = nil
	return n.Start(ctx)
}

// stop ends all processes of all lives.
func (n *Node) stop() {
	for _, p := range append(n.former, n.process) {
		if p != nil {
			p.stop()
		}
	}
}

// Snapshot answers the storage of the cluster that the node leads.
func (n *Node) Snapshot(ctx context.Context) ([]byte, error) {
	answer, err := n.Call(ctx, http.MethodGet, "sys/storage/raft/snapshot", nil)
	if err == nil {
		err = answer.Into(nil)
	}
	return answer.Body, err
}

// Restore replaces the storage of a cluster, which must be of this node alone, by
// a snapshot of another cluster or its own. It returns when the node serves
// requests again, unsealed by the key that the other cluster has.
func (n *Node) Restore(ctx context.Context, snapshot []byte, from *Node) error {
	// Vault answers before it has replaced the storage: what is written now is
	// gone then.
	const mark = "cubbyhole/to-be-replaced"
	if err := n.Fetch(ctx, http.MethodPost, mark, map[string]int{"is": 1}, nil); err != nil {
		return err
	}
	answer, err := n.send(ctx, http.MethodPost, "sys/storage/raft/snapshot-force", bytes.NewReader(snapshot))
	if err == nil {
		err = answer.Into(nil)
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	n.cluster.unsealKey = from.cluster.unsealKey
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	return await(ctx, "restore node "+n.id, func() error {
		if err := n.join(ctx); err != nil {
			return err
		}
		answer, err := n.Call(ctx, http.MethodGet, mark, nil)
		if err == nil && answer.Status != http.StatusNotFound {
			err = fmt.Errorf("the old storage is there: status %d", answer.Status)
		}
		return err
	})
}
