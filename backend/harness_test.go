package backend_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/hashicorp/go-hclog"
	gplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/plugin"
)

// TestMain keeps the tests off the machine's own AWS identity, and off every
// network but the loopback: the proxy's port is closed.
func TestMain(m *testing.M) {
	for _, setting := range [][2]string{{"HTTP_PROXY", "http://127.0.0.1:9"}, {"HTTPS_PROXY", "http://127.0.0.1:9"}, {"AWS_EC2_METADATA_DISABLED", "true"}, {"AWS_CONFIG_FILE", os.DevNull}, {"AWS_SHARED_CREDENTIALS_FILE", os.DevNull}, {"AWS_CA_BUNDLE", ""}} {
		if err := os.Setenv(setting[0], setting[1]); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// mount is one mount of the engine over in-memory storage and a simulated AWS.
type mount struct {
	testing.TB
	sim      *awssim.Sim
	endpoint string
	admin    awssim.Credentials
	storage  *faultyStorage
	system   *logical.StaticSystemView
	view     logical.SystemView // what the server can do; system, unless a test has more
	log      *logBuffer
	options  backend.Options
	load     loader
	backend  logical.Backend
	declared *declaration // shared by the mounts of a test
}

// loader makes a mount as Vault does: in process, or across the plugin boundary.
type loader func(m *mount) logical.Backend

// scenario is a test that is run on every kind of mount.
type scenario struct {
	name string
	run  func(m *mount)
}

// TestMount runs the scenarios against the handlers.
func TestMount(t *testing.T) {
	t.Parallel()
	runScenarios(t, inProcess)
}

// TestBoundary runs the same scenarios through go-plugin's gRPC.
func TestBoundary(t *testing.T) { runScenarios(t, acrossGRPC) }

func runScenarios(t *testing.T, load loader) {
	for _, s := range allScenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(newMount(t, load))
		})
	}
}

func newMount(t testing.TB, load loader) *mount {
	return newMountWith(t, load, backend.Options{Version: "v0.0.1"})
}

func newMountWith(t testing.TB, load loader, options backend.Options) *mount {
	return newMountOver(t, load, options, &logical.InmemStorage{})
}

func newMountOver(t testing.TB, load loader, options backend.Options, storage logical.Storage) *mount {
	sim, endpoint := simtest.Start(t)
	m := &mount{
		TB: t, sim: sim, endpoint: endpoint, admin: sim.Admin(), load: load,
		storage: &faultyStorage{Storage: storage},
		system:  &logical.StaticSystemView{DefaultLeaseTTLVal: 768 * time.Hour, MaxLeaseTTLVal: 768 * time.Hour, PluginEnvironment: &logical.PluginEnvironment{VaultVersion: "1.21.1"}},
		log:     &logBuffer{},
		options: options,

		declared: &declaration{},
	}
	m.view = m.system
	m.reload()
	return m
}

// onBoth runs a test on both kinds of mount.
func onBoth(t *testing.T, test func(t *testing.T, load loader)) {
	for name, load := range map[string]loader{"in process": inProcess, "across gRPC": acrossGRPC} {
		t.Run(name, func(t *testing.T) { test(t, load) })
	}
}

// reload ends the mount and makes it anew over the same storage, as Vault does.
func (m *mount) reload() {
	m.Helper()
	if m.backend != nil {
		m.backend.Cleanup(m.Context())
	}
	m.start()
}

// under makes the mount anew on a Vault that is another.
func (m *mount) under(change func(*logical.StaticSystemView)) {
	m.Helper()
	m.backend.Cleanup(m.Context()) // it reads the view at any time
	change(m.system)
	m.start()
}

// start makes the mount over its storage; a process before it that was not ended
// goes on.
func (m *mount) start() {
	m.Helper()
	m.backend = m.load(m)
	if err := m.backend.Initialize(m.Context(), &logical.InitializationRequest{Storage: m.storage}); err != nil {
		m.Fatalf("Initialize: %v", err)
	}
	b, ctx := m.backend, context.WithoutCancel(m.Context())
	m.Cleanup(func() { b.Cleanup(ctx) })
}

func (m *mount) config() *logical.BackendConfig {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: m.log})
	return &logical.BackendConfig{Logger: logger, System: m.view, StorageView: m.storage}
}

func inProcess(m *mount) logical.Backend {
	b, err := backend.Factory(m.options)(m.Context(), m.config())
	if err != nil {
		m.Fatalf("Factory: %v", err)
	}
	return b
}

func acrossGRPC(m *mount) logical.Backend {
	client, _ := gplugin.TestPluginGRPCConn(m, false, map[string]gplugin.Plugin{
		plugin.BackendPluginName: &plugin.GRPCBackendPlugin{
			Factory: backend.Factory(m.options),
			Logger:  m.config().Logger,
		},
	})
	m.Cleanup(func() { _ = client.Close() })
	raw, err := client.Dispense(plugin.BackendPluginName)
	if err != nil {
		m.Fatalf("Dispense: %v", err)
	}
	b := raw.(logical.Backend)
	if err := b.Setup(m.Context(), m.config()); err != nil {
		m.Fatalf("Setup: %v", err)
	}
	return b
}

// answer is what a client of Vault's API sees.
type answer struct {
	status   int
	data     map[string]any
	warnings []string
	error    string
	secret   *logical.Secret
}

// request is one request as Vault's core makes it of an HTTP request.
func (m *mount) request(ctx context.Context, op logical.Operation, path string, data map[string]any) answer {
	return m.requestAs(ctx, "token-tester", op, path, data)
}

// requestAs is request by the token of a display name.
func (m *mount) requestAs(ctx context.Context, displayName string, op logical.Operation, path string, data map[string]any) answer {
	req := &logical.Request{Operation: op, Path: path, Data: data, Storage: m.storage, DisplayName: displayName}
	if op == logical.UpdateOperation {
		if checked, exists, err := m.backend.HandleExistenceCheck(ctx, req); err == nil && checked && !exists {
			req.Operation = logical.CreateOperation
		}
	}
	resp, err := m.backend.HandleRequest(ctx, req)
	got := seen(req, resp, err)
	m.wantDeclared(req, got)
	return got
}

// seen maps an answer of the backend to HTTP as Vault's http package does. An
// answer with both a lease and a raw body is Vault's 500, which leaves the lease
// behind: no test may see one.
func seen(req *logical.Request, resp *logical.Response, err error) answer {
	status, shown := logical.RespondErrorCommon(req, resp, err)
	logical.AdjustErrorStatusCode(&status, err)
	switch {
	case shown != nil:
		return answer{status: status, error: shown.Error()}
	case status != 0:
		return answer{status: status}
	case resp == nil:
		return answer{status: http.StatusNoContent}
	case resp.Secret != nil && resp.Data[logical.HTTPRawBody] != nil:
		return answer{status: http.StatusInternalServerError, error: "an answer with both a lease and a raw body"}
	}
	return answer{status: http.StatusOK, data: resp.Data, warnings: resp.Warnings, secret: throughJSON(resp.Secret)}
}

// throughJSON is what becomes of a lease in Vault's storage.
func throughJSON(secret *logical.Secret) *logical.Secret {
	if secret == nil {
		return nil
	}
	out := new(logical.Secret)
	text, err := json.Marshal(secret)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		panic(err)
	}
	out.InternalData, out.IssueTime, out.Increment = secret.InternalData, secret.IssueTime, secret.Increment
	return out
}

func (m *mount) read(path string, data ...map[string]any) answer {
	var query map[string]any
	if len(data) > 0 {
		query = data[0]
	}
	return m.request(m.Context(), logical.ReadOperation, path, query)
}

func (m *mount) write(path string, data map[string]any) answer {
	return m.request(m.Context(), logical.UpdateOperation, path, data)
}

func (m *mount) list(path string) answer {
	return m.request(m.Context(), logical.ListOperation, path, nil)
}

func (m *mount) delete(path string) answer {
	return m.request(m.Context(), logical.DeleteOperation, path, nil)
}

// mustWrite writes and returns the warnings.
func (m *mount) mustWrite(path string, data map[string]any) []string {
	m.Helper()
	got := m.write(path, data)
	if got.status != http.StatusNoContent && got.status != http.StatusOK {
		m.Fatalf("write %s: %d %s", path, got.status, got.error)
	}
	return got.warnings
}

func (m *mount) mustRead(path string, data ...map[string]any) answer {
	m.Helper()
	got := m.read(path, data...)
	if got.status != http.StatusOK {
		m.Fatalf("read %s: %d %s", path, got.status, got.error)
	}
	return got
}

// configured writes a root config with the keys of the simulator's admin.
func (m *mount) configured() *mount {
	m.Helper()
	m.mustWrite("config/root", m.rootConfig(m.admin))
	return m
}

func (m *mount) rootConfig(who awssim.Credentials) map[string]any {
	return map[string]any{
		"access_key": who.AccessKey, "secret_key": who.SecretKey, "region": "us-east-1",
		"iam_endpoint": m.endpoint, "sts_endpoint": m.endpoint, "max_retries": 0,
	}
}

// revoke ends a lease as Vault's expiration manager does.
func (m *mount) revoke(secret *logical.Secret) error {
	req := &logical.Request{Operation: logical.RevokeOperation, Path: "creds/x", Secret: throughJSON(secret), Storage: m.storage}
	resp, err := m.backend.HandleRequest(m.Context(), req)
	if err == nil && resp.IsError() {
		return errors.New("an error response from Revoke: " + resp.Error().Error())
	}
	return err
}

func (m *mount) renew(secret *logical.Secret) (*logical.Response, error) {
	req := &logical.Request{Operation: logical.RenewOperation, Path: "creds/x", Secret: throughJSON(secret), Storage: m.storage}
	return m.backend.HandleRequest(m.Context(), req)
}

// tick is what Vault's rollback manager does once a minute.
func (m *mount) tick() {
	m.Helper()
	req := &logical.Request{Operation: logical.RollbackOperation, Storage: m.storage}
	if _, err := m.backend.HandleRequest(m.Context(), req); err != nil {
		m.Fatalf("rollback: %v", err)
	}
}

func (m *mount) users() []string { return m.sim.Users(m.admin.Account) }

// wantUsers checks how many users are in the account besides the admin.
func (m *mount) wantUsers(count int) {
	m.Helper()
	if got := m.users(); len(got) != count {
		m.Errorf("%d users in AWS, want %d: %v", len(got), count, got)
	}
}

// wantError checks the status of a refused request and words of its text.
func (m *mount) wantError(got answer, status int, words ...string) {
	m.Helper()
	if got.status != status {
		m.Errorf("status = %d (%s), want %d", got.status, got.error, status)
	}
	for _, word := range words {
		if !strings.Contains(got.error, word) {
			m.Errorf("error = %q, want it to contain %q", got.error, word)
		}
	}
}

// wantWarning checks that one warning contains all words.
func (m *mount) wantWarning(warnings []string, words ...string) {
	m.Helper()
	for _, warning := range warnings {
		if containsAll(warning, words) {
			return
		}
	}
	m.Errorf("warnings = %q, want one with %q", warnings, words)
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// journal is the ids of the entries in the write-ahead log.
func (m *mount) journal() []string {
	m.Helper()
	ids, err := m.storage.Storage.List(m.Context(), "wal/")
	if err != nil {
		m.Fatal(err)
	}
	return ids
}

// ageJournal sets every entry back in time, as if the node had been down.
func (m *mount) ageJournal(by time.Duration) {
	m.Helper()
	for _, id := range m.journal() {
		entry, err := m.storage.Storage.Get(m.Context(), "wal/"+id)
		if err != nil {
			m.Fatal(err)
		}
		var wal struct {
			Type      string         `json:"type"`
			Data      map[string]any `json:"data"`
			CreatedAt int64          `json:"created_at"`
		}
		if err := json.Unmarshal(entry.Value, &wal); err != nil {
			m.Fatal(err)
		}
		wal.CreatedAt -= int64(by.Seconds())
		if issued, ok := wal.Data["issued_at"].(string); ok {
			at, err := time.Parse(time.RFC3339Nano, issued)
			if err != nil {
				m.Fatal(err)
			}
			wal.Data["issued_at"] = at.Add(-by)
		}
		m.put("wal/"+id, wal)
	}
}

// records are the records of users.
func (m *mount) records() map[string]lifecycle.UserRecord {
	m.Helper()
	names, err := m.storage.Storage.List(m.Context(), "users/")
	m.must(err)
	records := make(map[string]lifecycle.UserRecord, len(names))
	for _, name := range names {
		entry, err := m.storage.Storage.Get(m.Context(), "users/"+name)
		m.must(err)
		var r lifecycle.UserRecord
		m.must(entry.DecodeJSON(&r))
		records[name] = r
	}
	return records
}

// ageRecords sets every record back in time.
func (m *mount) ageRecords(by time.Duration) {
	m.Helper()
	for name, r := range m.records() {
		for _, t := range []*time.Time{&r.Issued, &r.Deadline, &r.Since, &r.NextTry} {
			if !t.IsZero() {
				*t = t.Add(-by)
			}
		}
		m.put("users/"+name, r)
	}
}

// put writes a record as another engine would.
func (m *mount) put(key string, record any) {
	m.Helper()
	entry, err := logical.StorageEntryJSON(key, record)
	if err == nil {
		err = m.storage.Storage.Put(m.Context(), entry)
	}
	if err != nil {
		m.Fatal(err)
	}
}

// calls lists the AWS actions called since the given journal length.
func (m *mount) calls(since int) (actions []string) {
	for _, call := range m.sim.Journal()[since:] {
		actions = append(actions, call.Action)
	}
	return actions
}

// faultyStorage fails one verb, or any, on keys with a prefix, before or after it acts.
type faultyStorage struct {
	logical.Storage
	mu     sync.Mutex
	fail   storageFault
	writes func(key string) bool // what the node may write; nil: all
	passes atomic.Int32          // of the worker, each of which lists the journal
}

type storageFault struct {
	verb, prefix string
	err          error
	after        bool
	wait         func() // is called instead of failing
}

// readOnly has the storage refuse writes but those of the prefixes.
func (s *faultyStorage) readOnly(but []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = func(key string) bool {
		return slices.ContainsFunc(but, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	}
}

// writable ends readOnly.
func (s *faultyStorage) writable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = nil
}

// anyVerb has every verb fail.
const anyVerb = "any"

func (s *faultyStorage) set(f storageFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = f
}

func (s *faultyStorage) try(verb, key string, act func() error) error {
	s.mu.Lock()
	f, writes := s.fail, s.writes
	s.mu.Unlock()
	if (verb == "put" || verb == "delete") && writes != nil && !writes(key) {
		return logical.ErrReadOnly
	}
	if f.verb != anyVerb && f.verb != verb || !strings.HasPrefix(key, f.prefix) {
		return act()
	}
	if f.wait != nil {
		f.wait()
		return act()
	}
	if f.after {
		return errors.Join(act(), f.err)
	}
	return f.err
}

func (s *faultyStorage) Get(ctx context.Context, key string) (entry *logical.StorageEntry, err error) {
	err = s.try("get", key, func() error { entry, err = s.Storage.Get(ctx, key); return err })
	return entry, err
}

func (s *faultyStorage) Put(ctx context.Context, entry *logical.StorageEntry) error {
	return s.try("put", entry.Key, func() error { return s.Storage.Put(ctx, entry) })
}

func (s *faultyStorage) Delete(ctx context.Context, key string) error {
	return s.try("delete", key, func() error { return s.Storage.Delete(ctx, key) })
}

func (s *faultyStorage) List(ctx context.Context, prefix string) (keys []string, err error) {
	if prefix == framework.WALPrefix {
		s.passes.Add(1)
	}
	err = s.try("list", prefix, func() error { keys, err = s.Storage.List(ctx, prefix); return err })
	return keys, err
}

// logBuffer collects log lines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// standby is a system view of a node that may not write.
func standby(view *logical.StaticSystemView) *logical.StaticSystemView {
	view.ReplicationStateVal = consts.ReplicationPerformanceStandby
	return view
}
