package e2e

import (
	"errors"
	"net/http"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
)

// TestCluster is what the other tests expect of a cluster: what was written
// before a node was killed, or stepped down, is there after it.
func TestCluster(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]int{"one node": 1, "three nodes": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := mustStartCluster(t, nodes)
			leader := mustLead(t, c)
			role := map[string]string{"credential_type": "session_token"}
			mustCall(t, leader, http.MethodPost, "aws/roles/x", role)

			leader.Kill()
			if err := leader.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustCall(t, mustLead(t, c), http.MethodGet, "aws/roles/x", nil)

			leader = mustLead(t, c)
			if err := leader.StepDown(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustCall(t, mustLead(t, c), http.MethodGet, "aws/roles/x", nil)

			leader = mustLead(t, c)
			if err := errors.Join(leader.Seal(t.Context()), leader.Unseal(t.Context())); err != nil {
				t.Fatal(err)
			}
			mustCall(t, mustLead(t, c), http.MethodGet, "aws/roles/x", nil)
		})
	}
}

// mustStartCluster starts a cluster whose aws/ is the plugin.
func mustStartCluster(t *testing.T, nodes int) *devstack.Cluster {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	c, err := devstack.StartCluster(t.Context(), devstack.Spec{Binaries: binaries}, nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := c.Register(t.Context(), "aws"); err != nil {
		t.Fatal(err)
	}
	mustCall(t, mustLead(t, c), http.MethodPost, "sys/mounts/aws", map[string]string{"type": "aws"})
	return c
}

func mustLead(t *testing.T, c *devstack.Cluster) *devstack.Node {
	t.Helper()
	leader, err := c.Leader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return leader
}

func mustCall(t *testing.T, n *devstack.Node, method, path string, body any) {
	t.Helper()
	if err := n.Fetch(t.Context(), method, path, body, nil); err != nil {
		t.Fatal(err)
	}
}
