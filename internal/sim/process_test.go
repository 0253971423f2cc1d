package sim_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/sdk/logical"
)

// process is one life of the plugin's process. When it is killed its storage and
// its way to AWS are cut off at once.
type process struct {
	w       *world
	life    context.Context
	kill    func()
	storage logical.Storage
	backend logical.Backend
}

var errDead = errors.New("the plugin's process is dead")

// start starts the plugin as Vault does after an unseal. How much randomness the
// one before it took while it died nobody can say, so each has its own. Only the
// driver starts processes.
func (w *world) start() {
	w.lives++
	synctest.Wait()
	cryptotest.SetGlobalRandom(w.t, w.seed+w.lives<<32)
	life, end := context.WithCancel(context.WithoutCancel(w.t.Context()))
	p := &process{w: w, life: life}
	p.storage = &view{w.store, p}
	conf := &logical.BackendConfig{
		Logger:      hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: logs{p}}),
		System:      systemView(),
		StorageView: p.storage,
	}
	b, err := backend.Factory(backend.Options{Version: "v0.0.1", Clock: &w.clock, Transport: p})(life, conf)
	if err != nil {
		w.t.Fatalf("Factory: %v", err)
	}
	p.backend = b
	p.kill = func() {
		end()
		b.Cleanup(context.WithoutCancel(life))
	}
	w.mu.Lock()
	w.plugin = p
	w.mu.Unlock()
	w.note("the plugin starts")
	w.begin(func() {
		if err := b.Initialize(life, &logical.InitializationRequest{Storage: p.storage}); err != nil {
			w.note("Initialize: %v", err)
		}
	})
}

// systemView is what Vault tells the plugin of itself.
func systemView() *logical.StaticSystemView {
	return &logical.StaticSystemView{
		DefaultLeaseTTLVal: longestLease, MaxLeaseTTLVal: longestLease,
		PluginEnvironment: &logical.PluginEnvironment{VaultVersion: "1.21.1"},
	}
}

// stop unmounts the plugin in good order; what it is doing may end.
func (p *process) stop() {
	p.backend.Cleanup(context.WithoutCancel(p.life))
}

// answer is what became of a request.
type answer struct {
	status int // as over HTTP; 0: no answer came
	resp   *logical.Response
	err    error
}

func (a answer) failed() bool { return a.status == 0 || a.status >= http.StatusBadRequest }

// ask sends a request and waits for its answer, until the client leaves or the
// process dies. What the request does then goes on.
func (p *process) ask(ctx context.Context, req *logical.Request) answer {
	req.Storage = p.storage
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan answer, 1)
	p.w.begin(func() {
		if req.Operation == logical.UpdateOperation {
			if checked, exists, err := p.backend.HandleExistenceCheck(ctx, req); err == nil && checked && !exists {
				req.Operation = logical.CreateOperation
			}
		}
		resp, err := p.backend.HandleRequest(ctx, req)
		answered <- answer{statusOf(req, resp, err), resp, err}
	})
	select {
	case a := <-answered:
		return a
	case <-ctx.Done():
		return answer{err: ctx.Err()}
	case <-p.life.Done():
		return answer{err: errDead}
	}
}

func statusOf(req *logical.Request, resp *logical.Response, err error) int {
	status, _ := logical.RespondErrorCommon(req, resp, err)
	logical.AdjustErrorStatusCode(&status, err)
	if status == 0 {
		return http.StatusOK
	}
	return status
}

// vaultTimeout is when Vault cancels a request.
const vaultTimeout = 90 * time.Second

// request sends a request of a client of Vault's, and notes what became of it.
func (w *world) request(op logical.Operation, path string, data map[string]any, leaves time.Duration) answer {
	p := w.process()
	if p == nil {
		return answer{err: errDead}
	}
	if leaves == 0 {
		leaves = vaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.t.Context()), leaves)
	defer cancel()
	a := p.ask(ctx, &logical.Request{Operation: op, Path: path, Data: data, DisplayName: "token-sim"})
	w.note("%s %s: %d %s", op, path, a.status, firstLine(a))
	if a.status == http.StatusInternalServerError && !w.store.troubled() && !strings.Contains(firstLine(a), "context canceled") {
		w.reach("500 without a storage fault")
	}
	return a
}

func firstLine(a answer) string {
	text := ""
	switch {
	case a.err != nil:
		text = a.err.Error()
	case a.resp != nil && a.resp.IsError():
		text = a.resp.Error().Error()
	}
	text, _, _ = strings.Cut(text, "\n")
	return text
}

// logs takes the plugin's log into the journal, and looks for what must not be
// there.
type logs struct{ p *process }

// Write implements io.Writer.
func (l logs) Write(line []byte) (int, error) {
	text := string(line)
	if strings.Contains(text, "caught a panic") {
		l.p.w.violate("a panic: %s", text)
	}
	if l.p.w.holdsSecret(line) {
		l.p.w.violate("a secret in the log: %s", text)
	}
	if l.p.life.Err() == nil { // the last words of the dying come in any order
		_, message, _ := strings.Cut(strings.TrimSpace(text), " ")
		l.p.w.note("log %s", message)
	}
	return len(line), nil
}
