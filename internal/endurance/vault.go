package endurance

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// vault is Vault as clients see it: one server or several, any of which may
// answer.
type vault struct {
	nodes []devstack.Client
	turn  atomic.Uint64
}

// patience is how long anything may take that has to come about: a leader, an
// empty journal, a rotation that is due. Vault's own retries are in it.
const patience = 12 * time.Minute

// newVault returns clients that keep enough connections for many at once.
func newVault(addrs ...string) *vault {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 20 * time.Second}
	client := &http.Client{Transport: transport, Timeout: 2 * time.Minute}
	v := new(vault)
	for _, addr := range addrs {
		v.nodes = append(v.nodes, devstack.Client{Addr: addr, Token: devstack.RootToken, HTTP: client})
	}
	return v
}

// call asks the next node; a standby passes the request on to the leader.
func (v *vault) call(ctx context.Context, method, path string, body any) (devstack.Answer, error) {
	node := v.nodes[int(v.turn.Add(1))%len(v.nodes)]
	return node.Call(ctx, method, path, body)
}

// fetch is call and decode; whatever is not 2xx is an error.
func (v *vault) fetch(ctx context.Context, method, path string, body, into any) error {
	answer, err := v.call(ctx, method, path, body)
	if err == nil {
		err = answer.Into(into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// insist repeats fetch until it succeeds or patience ends: for what may be
// repeated.
func (v *vault) insist(ctx context.Context, method, path string, body, into any) error {
	return await(ctx, func() error { return v.fetch(ctx, method, path, body, into) })
}

// credential is what issuing answers.
type credential struct {
	LeaseID string `json:"lease_id"`
}

// issue reads a credential of a role. Without an error from the network the
// answer is there, also where it is a refusal.
func (v *vault) issue(ctx context.Context, role string) (lease string, answer devstack.Answer, err error) {
	answer, err = v.call(ctx, http.MethodGet, mount+"/creds/"+role, nil)
	if err != nil || !answer.OK() {
		return "", answer, err
	}
	var c credential
	return c.LeaseID, answer, valid(json.Unmarshal(answer.Body, &c), c.LeaseID)
}

func valid(err error, lease string) error {
	if err == nil && lease == "" {
		err = fmt.Errorf("a credential without a lease")
	}
	return err
}

// giveUp has Vault end a lease in its own time.
func (v *vault) giveUp(ctx context.Context, lease string) (devstack.Answer, error) {
	return v.call(ctx, http.MethodPut, "sys/leases/revoke", map[string]any{"lease_id": lease, "sync": false})
}

// revoke ends a lease and waits for it.
func (v *vault) revoke(ctx context.Context, lease string) (devstack.Answer, error) {
	return v.call(ctx, http.MethodPut, "sys/leases/revoke", map[string]any{"lease_id": lease, "sync": true})
}

// revokeAll has Vault end every lease of the mount, and repeat what fails.
func (v *vault) revokeAll(ctx context.Context) error {
	return v.insist(ctx, http.MethodPut, "sys/leases/revoke-prefix/"+mount, map[string]any{"sync": false}, nil)
}

// await repeats check until it succeeds or patience ends.
func await(ctx context.Context, check func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return nil
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return fmt.Errorf("in vain: %w", err)
		}
	}
}

// pause returns early, with an error, when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
