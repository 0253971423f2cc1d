package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Standalone is a Vault server with raft storage on disk: what it has stored outlives
// its death. Its addresses stay the same from one life to the next.
type Standalone struct {
	stack    *Stack // without a simulator
	cluster  string // host:port of the raft listener
	api      string // host:port
	unseal   string // the one key of the seal
	lives    int
	previous []*process // earlier lives, whose plugins may be there still
}

// StartNode starts and initializes a server whose root token is RootToken. The
// caller must call Stop, whatever becomes of ctx.
func StartNode(ctx context.Context, binaries Binaries) (*Standalone, error) {
	dir, err := os.MkdirTemp("", "vault-aws-") // short: see Start
	if err != nil {
		return nil, err
	}
	n := &Standalone{stack: &Stack{Binaries: binaries, dir: dir}}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, n.Stop())
	}
	return n, nil
}

// Addr is the URL of the server.
func (n *Standalone) Addr() string { return n.stack.VaultAddr }

// PID is the process id of the server, whose children the plugin processes are.
func (n *Standalone) PID() int { return n.stack.VaultPID() }

// Log is what the server has logged in its present life.
func (n *Standalone) Log() string { return n.stack.VaultLog() }

// Kill ends the server without warning. Its plugin processes stay, as they do
// when somebody kills a server; Stop ends them.
func (n *Standalone) Kill() {
	_ = n.stack.vault.cmd.Process.Kill()
	<-n.stack.vault.done
	n.previous = append(n.previous, n.stack.vault)
}

// KillAll ends the server and its plugin processes without warning, as the death
// of a machine does.
func (n *Standalone) KillAll() {
	_ = syscall.Kill(-n.stack.vault.pid(), syscall.SIGKILL)
	<-n.stack.vault.done
	n.previous = append(n.previous, n.stack.vault)
}

// Restart starts the server again over the same storage and unseals it.
func (n *Standalone) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	if err := n.launch(ctx); err != nil {
		return err
	}
	return n.open(ctx)
}

// Stop ends the server and what it started in all its lives, and removes the
// scratch folder.
func (n *Standalone) Stop() error {
	for _, p := range n.previous {
		p.stop()
	}
	return n.stack.Stop()
}

// Save answers a snapshot of the storage; Load replaces the storage by one, of
// this server or of another one with the same unseal key.
func (n *Standalone) Save(ctx context.Context) ([]byte, error) {
	return n.call(ctx, http.MethodGet, "sys/storage/raft/snapshot", RootToken, nil)
}

// Load restores a snapshot, waits for the server and unseals it.
func (n *Standalone) Load(ctx context.Context, snapshot []byte, from *Standalone) error {
	if _, err := n.send(ctx, http.MethodPost, "sys/storage/raft/snapshot-force", RootToken, snapshot); err != nil {
		return err
	}
	n.unseal = from.unseal
	return n.open(ctx)
}

func (n *Standalone) start(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, vaultStart)
	defer cancel()
	if err := n.stack.makeFolders(); err != nil {
		return err
	}
	if err := os.Mkdir(n.stack.path("raft"), 0o700); err != nil {
		return err
	}
	if n.api, err = freeAddress(); err != nil {
		return err
	}
	if n.cluster, err = freeAddress(); err != nil {
		return err
	}
	n.stack.VaultAddr = "http://" + n.api
	if err := n.launch(ctx); err != nil {
		return err
	}
	return n.initialize(ctx)
}

// launch starts the server and returns when it listens, sealed.
func (n *Standalone) launch(ctx context.Context) error {
	if err := n.writeConfig(); err != nil {
		return err
	}
	cmd := exec.Command(n.stack.Binaries.Vault, "server", "-config="+n.stack.path("vault.json"))
	cmd.Env = n.stack.env()
	n.lives++
	var err error
	if n.stack.vault, err = startProcess(cmd, n.stack.path(fmt.Sprintf("vault-%d.log", n.lives))); err != nil {
		return err
	}
	return n.await(ctx, func() bool { return listens(n.api) })
}

func (n *Standalone) writeConfig() error {
	config, err := json.Marshal(map[string]any{
		"storage":              map[string]any{"raft": map[string]any{"path": n.stack.path("raft"), "node_id": "node", "performance_multiplier": 1}},
		"listener":             map[string]any{"tcp": map[string]any{"address": n.api, "tls_disable": true}},
		"api_addr":             "http://" + n.api,
		"cluster_addr":         "http://" + n.cluster,
		"plugin_directory":     n.stack.Binaries.PluginDir,
		"raw_storage_endpoint": true, // tests age journal entries through it
		"disable_mlock":        true,
		"log_level":            "debug",
	})
	if err != nil {
		return err
	}
	return os.WriteFile(n.stack.path("vault.json"), config, 0o600)
}

// initialize gives a new server its seal and the root token.
func (n *Standalone) initialize(ctx context.Context) error {
	var made struct {
		Keys      []string `json:"keys"`
		RootToken string   `json:"root_token"`
	}
	body, err := n.call(ctx, http.MethodPut, "sys/init", "", map[string]any{"secret_shares": 1, "secret_threshold": 1})
	if err == nil {
		err = json.Unmarshal(body, &made)
	}
	if err != nil {
		return err
	}
	n.unseal = made.Keys[0]
	if err := n.open(ctx); err != nil {
		return err
	}
	token := map[string]any{"id": RootToken, "policies": []string{"root"}, "no_parent": true}
	_, err = n.call(ctx, http.MethodPost, "auth/token/create", made.RootToken, token)
	return err
}

// open unseals the server and waits until it is active.
func (n *Standalone) open(ctx context.Context) error {
	return n.await(ctx, func() bool {
		if n.stack.healthy(ctx) {
			return true
		}
		_, _ = n.call(ctx, http.MethodPut, "sys/unseal", "", map[string]any{"key": n.unseal}) // it says why below, if for good
		return n.stack.healthy(ctx)
	})
}

// await waits for a condition of the server, which must not end meanwhile.
func (n *Standalone) await(ctx context.Context, met func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !met() {
		select {
		case <-tick.C:
		case <-n.stack.vault.done:
			return fmt.Errorf("the Vault server ended:\n%s", n.Log())
		case <-ctx.Done():
			return fmt.Errorf("the Vault server did not come up: %w\n%s", ctx.Err(), n.Log())
		}
	}
	return nil
}

// call sends one request with a JSON body and returns the answer.
func (n *Standalone) call(ctx context.Context, method, path, token string, body map[string]any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return n.send(ctx, method, path, token, text)
}

// send sends one request. Only 2xx is no error.
func (n *Standalone) send(ctx context.Context, method, path, token string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.Addr()+"/v1/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Vault-Token", token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}

// listens reports whether somebody accepts connections at an address.
func listens(address string) bool {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}
