package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// patience is how long a condition is waited for. Vault's rollback manager, on
// which the built-in engine depends, comes once in 60 s.
const patience = 100 * time.Second

// lab is a Vault server on which both engines are mounted.
type lab struct {
	*devstack.Node
	cluster *devstack.Cluster // of this node alone
	ctx     context.Context
	version string // of the registered plugin
}

// newLab starts a server that knows the plugin.
func newLab(t *testing.T) *lab {
	t.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		t.Fatal(err)
	}
	version, err := binaries.PluginVersion()
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := devstack.StartCluster(t.Context(), devstack.Spec{Binaries: binaries}, 1)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{Node: cluster.Nodes[0], cluster: cluster, ctx: t.Context(), version: version}
	t.Cleanup(func() {
		if *showLog && t.Failed() {
			t.Logf("[vault server]\n%s", l.Log())
		}
		if err := cluster.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := cluster.Register(t.Context(), "aws"); err != nil {
		t.Fatal(err)
	}
	return l
}

// restart brings the killed server back.
func (l *lab) restart() error {
	if err := l.Restart(l.ctx); err != nil {
		return err
	}
	_, err := l.cluster.Leader(l.ctx)
	return err
}

// restore brings the server up over a snapshot of another one's storage.
func (l *lab) restore(snapshot []byte, from *lab) error {
	if err := l.Restore(l.ctx, snapshot, from.Node); err != nil {
		return err
	}
	_, err := l.cluster.Leader(l.ctx)
	return err
}

// fields is the body of a request.
type fields map[string]any

// statusError is an answer of Vault that is no 2xx.
type statusError struct {
	status int
	text   string
}

// Error implements error.
func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s", e.status, strings.TrimSpace(e.text))
}

// call sends one request of Vault's HTTP API with a token, and decodes the
// answer unless into is nil.
func (l *lab) call(token, method, path string, body fields, into any) error {
	var sent any
	if body != nil {
		sent = body
	}
	answer, err := devstack.Client{Addr: l.Addr, Token: token}.Call(l.ctx, method, path, sent)
	if err != nil {
		return err
	}
	if !answer.OK() {
		return fmt.Errorf("%s %s: %w", method, path, &statusError{answer.Status, string(answer.Body)})
	}
	return answer.Into(into)
}

func (l *lab) write(path string, body fields) error {
	return l.call(devstack.RootToken, http.MethodPost, path, body, nil)
}

func (l *lab) read(path string, into any) error {
	return l.call(devstack.RootToken, http.MethodGet, path, nil, into)
}

func (l *lab) remove(path string) error {
	return l.call(devstack.RootToken, http.MethodDelete, path, nil, nil)
}

// list lists a folder; one that is not there is empty.
func (l *lab) list(path string) ([]string, error) {
	var answer struct{ Data struct{ Keys []string } }
	err := l.call(devstack.RootToken, "LIST", path, nil, &answer)
	if missing(err) {
		return nil, nil
	}
	return answer.Data.Keys, err
}

func missing(err error) bool {
	status := (*statusError)(nil)
	return errors.As(err, &status) && status.status == http.StatusNotFound
}

// loadRaw reads one entry of Vault's storage; found is false if it is not there.
func (l *lab) loadRaw(path string, into any) (found bool, err error) {
	var answer struct{ Data struct{ Value string } }
	err = l.read("sys/raw/"+path, &answer)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal([]byte(answer.Data.Value), into)
}

func (l *lab) saveRaw(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return l.write("sys/raw/"+path, fields{"value": string(text)})
}

// rawTree lists all entries below a folder of Vault's storage.
func (l *lab) rawTree(folder string) ([]string, error) {
	keys, err := l.list("sys/raw/" + folder)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, key := range keys {
		if !strings.HasSuffix(key, "/") {
			paths = append(paths, folder+key)
			continue
		}
		below, err := l.rawTree(folder + key)
		if err != nil {
			return nil, err
		}
		paths = append(paths, below...)
	}
	return paths, nil
}

// move moves a mount, at which Vault rolls it back and revokes its leases.
func (l *lab) move(from, to string) error {
	var started struct {
		Data struct {
			ID string `json:"migration_id"`
		}
	}
	if err := l.call(devstack.RootToken, http.MethodPost, "sys/remount", fields{"from": from, "to": to}, &started); err != nil {
		return err
	}
	return l.await("move of "+from, func() (bool, error) {
		var now struct {
			Data struct {
				Info struct{ Status string } `json:"migration_info"`
			}
		}
		err := l.read("sys/remount/status/"+started.Data.ID, &now)
		if now.Data.Info.Status == "failure" {
			return true, fmt.Errorf("the move of %s failed", from)
		}
		return now.Data.Info.Status == "success", err
	})
}

// reload starts the plugin's process, and every mount on it, anew.
func (l *lab) reload(mounts ...string) error {
	return l.write("sys/plugins/reload/backend", fields{"mounts": mounts})
}

// await repeats a question until it is answered with yes, or with an error.
func (l *lab) await(what string, ask func() (bool, error)) error {
	return l.awaitFor(patience, what, ask)
}

func (l *lab) awaitFor(limit time.Duration, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(l.ctx, limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := ask(); yes || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
}

// killPlugin ends the server's plugin processes without warning.
func (l *lab) killPlugin() error {
	_, err := devstack.KillPlugins(l.PID())
	return err
}
