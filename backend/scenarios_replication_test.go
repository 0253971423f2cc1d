package backend_test

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

func replicationScenarios() []scenario {
	return []scenario{
		{"replication: what a standby and a secondary answer themselves, and what they have forwarded", func(m *mount) {
			m.populated()
			for _, node := range []struct {
				name  string
				state consts.ReplicationState
				here  func(where) bool
				local []string // prefixes of storage that the node may write
			}{
				{"standby", consts.ReplicationPerformanceStandby, func(w where) bool { return w == anywhere }, nil},
				{"secondary", consts.ReplicationPerformanceSecondary, func(w where) bool { return w != primaryOnly }, []string{"wal/", "journal/", "users/"}},
			} {
				m.becomes(node.state)
				m.storage.readOnly(node.local)
				for _, r := range routedRequests() {
					m.wantRouted(node.name, r, node.here(r.served))
				}
			}
		}},
		{"replication: a local mount on a secondary is its own primary", func(m *mount) {
			m.populated()
			m.under(func(v *logical.StaticSystemView) {
				v.LocalMountVal, v.ReplicationStateVal = true, consts.ReplicationPerformanceSecondary
			})
			for _, r := range routedRequests() {
				m.wantRouted("local", r, true)
			}
		}},
		{"replication: no AWS call in the background but on the node that owns storage", replicationBackground},
		{"replication: a secondary rolls back what it has made itself, and rotates nothing", replicationSecondary},
		{"replication: a leader that was deposed and does not know it changes nothing in AWS", func(m *mount) {
			m.everythingDue()
			m.storage.readOnly(nil)
			m.reload()
			m.changesNothing()
		}},
		{"replication: a leader that is deposed as it works, and does not know it, changes nothing in AWS", func(m *mount) {
			m.everythingDue()
			m.sim.Inject(awssim.Fault{Action: "iam:*", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
			m.reload()
			m.tick()
			m.storage.readOnly(nil)
			m.sim.ClearFaults()
			m.changesNothing()
		}},
		{"replication: records that change beneath a node hold at once, invalidated or not", replicationInvalidate},
		{"replication: a rotation asked for by Vault's rotation manager is the primary's", func(m *mount) {
			m.populated()
			m.becomes(consts.ReplicationPerformanceStandby)
			start := len(m.sim.Journal())
			_, err := m.backend.HandleRequest(m.Context(), &logical.Request{Operation: logical.RotationOperation, Storage: m.storage})
			if err == nil || !strings.Contains(err.Error(), logical.ErrReadOnly.Error()) {
				m.Errorf("rotation = %v, want Vault's own error", err)
			}
			if calls := m.calls(start); len(calls) != 0 {
				m.Errorf("calls = %v", calls)
			}
		}},
	}
}

// changesNothing has a leader that may not write any more do all that it does: in
// AWS it only looks.
func (m *mount) changesNothing() {
	m.Helper()
	start := len(m.sim.Journal())
	m.tick()
	m.tick()
	for _, r := range append(routedRequests(), routedRequest{op: logical.DeleteOperation, path: "static-roles/x", served: primaryOnly}) {
		if r.served != anywhere && !strings.HasPrefix(r.path, "sts/") { // a session is nobody's to clean up
			m.request(m.Context(), r.op, r.path, r.data)
		}
	}
	m.backend.Cleanup(m.Context())
	for _, action := range m.calls(start) {
		if !slices.Contains([]string{"sts:GetCallerIdentity", "iam:GetUser", "iam:ListAccessKeys"}, action) {
			m.Errorf("%s is called", action)
		}
	}
}

// becomes restarts the mount on another kind of node.
func (m *mount) becomes(state consts.ReplicationState) {
	m.Helper()
	m.under(func(v *logical.StaticSystemView) { v.ReplicationStateVal = state })
}

// where a request is served.
type where int

const (
	anywhere    where = iota
	activeNode        // of any cluster: Vault forwards it from a standby
	primaryOnly       // the primary cluster's active node
)

// routedRequest is one request and who serves it.
type routedRequest struct {
	op     logical.Operation
	path   string
	data   map[string]any
	served where
}

func routedRequests() []routedRequest {
	return []routedRequest{
		{logical.ReadOperation, "config/root", nil, anywhere},
		{logical.UpdateOperation, "config/root", map[string]any{"max_retries": 1}, primaryOnly},
		{logical.UpdateOperation, "config/rotate-root", nil, primaryOnly},
		{logical.ReadOperation, "config/lease", nil, anywhere},
		{logical.UpdateOperation, "config/lease", map[string]any{"lease": "1h", "lease_max": "2h"}, primaryOnly},
		{logical.ListOperation, "roles", nil, anywhere},
		{logical.ReadOperation, "roles/x", nil, anywhere},
		{logical.UpdateOperation, "roles/x", map[string]any{"user_path": "/"}, primaryOnly},
		{logical.DeleteOperation, "roles/nobody", nil, primaryOnly},
		{logical.ReadOperation, "creds/x", nil, activeNode},
		{logical.UpdateOperation, "creds/x", nil, activeNode},
		{logical.ReadOperation, "sts/y", nil, activeNode},
		{logical.UpdateOperation, "sts/y", nil, activeNode},
		{logical.ListOperation, "static-roles", nil, anywhere},
		{logical.ReadOperation, "static-roles/x", nil, anywhere},
		{logical.UpdateOperation, "static-roles/x", map[string]any{"rotation_period": "2h"}, primaryOnly},
		{logical.DeleteOperation, "static-roles/nobody", nil, primaryOnly},
		{logical.ReadOperation, "static-creds/x", nil, anywhere},
		{logical.UpdateOperation, "rotate-role/x", nil, primaryOnly},
		{logical.ReadOperation, "metrics", nil, anywhere},
	}
}

// populated has something behind every path. Its root user is not the admin, so
// that its key can be rotated.
func (m *mount) populated() *skippingClock {
	m.Helper()
	clock := m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("config/lease", map[string]any{"lease": "30m", "lease_max": "1h"})
	m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.mustWrite("config/root", m.rootConfig(m.sim.PutUser(m.admin.Account, "root-of-vault", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"}]}`)))
	return clock
}

// wantRouted checks that a request is answered here, or that Vault is told to
// forward it and AWS has not been asked.
func (m *mount) wantRouted(node string, r routedRequest, here bool) {
	m.Helper()
	start := len(m.sim.Journal())
	req := &logical.Request{Operation: r.op, Path: r.path, Data: r.data, Storage: m.storage, DisplayName: "token-tester"}
	resp, err := m.backend.HandleRequest(m.Context(), req)
	forward := err != nil && strings.Contains(err.Error(), logical.ErrReadOnly.Error())
	switch {
	case here && (err != nil || resp.IsError()):
		m.Errorf("%s: %s %s: %v, %v; want an answer", node, r.op, r.path, resp, err)
	case !here && !forward:
		m.Errorf("%s: %s %s: %v, %v; want it forwarded", node, r.op, r.path, resp, err)
	case !here && len(m.calls(start)) != 0:
		m.Errorf("%s: %s %s is forwarded after %v", node, r.op, r.path, m.calls(start))
	}
}

// everythingDue stops the mount and has everything be due: a user to roll back, a
// static key, the root key, and keys of both that a rotation left.
func (m *mount) everythingDue() {
	m.Helper()
	clock := m.populated()
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	m.deleteKeysBut(m.staticKey().AccessKey)
	m.sim.Inject(awssim.Fault{Action: "iam:DeleteAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.rotate()
	m.sim.Inject(awssim.Fault{Action: "sts:GetCallerIdentity", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
	m.wantError(m.write("rotate-role/x", nil), http.StatusBadRequest, "AccessDenied")
	m.wantStaticJournal(1)
	m.sim.Inject(
		awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
		awssim.Fault{Action: "iam:DeleteUser", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
	)
	m.wantError(m.read("creds/x"), http.StatusBadRequest, "CreateAccessKey")
	m.sim.ClearFaults()
	m.ageJournal(31 * time.Minute)
	m.backend.Cleanup(m.Context())
	clock.advance(2 * time.Hour)
}

func replicationBackground(m *mount) {
	m.everythingDue()
	before, static := m.storedKey("config/root"), m.storedKey("static-creds/x")
	for _, state := range []consts.ReplicationState{consts.ReplicationPerformanceStandby, consts.ReplicationDRSecondary} {
		m.backend.Cleanup(m.Context())
		start, passes := len(m.sim.Journal()), m.storage.passes.Load()
		m.becomes(state)
		m.tick()
		m.backend.Cleanup(m.Context()) // waits for a worker to end, which passes once at least
		if calls := m.calls(start); len(calls) != 0 || m.storage.passes.Load() != passes {
			m.Errorf("%s: %d passes of the worker, calls = %v", state.StateStrings(), m.storage.passes.Load()-passes, calls)
		}
	}
	m.becomes(consts.ReplicationUnknown)
	m.tick()
	m.tick()
	if len(m.journal()) != 0 || m.storedKey("config/root") == before || m.storedKey("static-creds/x") == static {
		m.Errorf("journal %v, root key %s before %s, static key %s before %s: nothing was due", m.journal(), m.storedKey("config/root"), before, m.storedKey("static-creds/x"), static)
	}
}

func replicationSecondary(m *mount) {
	m.everythingDue()
	root, static, start := m.storedKey("config/root"), m.storedKey("static-creds/x"), len(m.sim.Journal())
	m.backend.Cleanup(m.Context())
	m.storage.readOnly([]string{"wal/", "journal/", "users/"})
	m.becomes(consts.ReplicationPerformanceSecondary)
	m.tick()
	m.tick()
	if len(m.journal()) != 0 || m.storedKey("config/root") != root || m.storedKey("static-creds/x") != static {
		m.Errorf("journal %v, keys %s and %s", m.journal(), m.storedKey("config/root"), m.storedKey("static-creds/x"))
	}
	if calls := m.calls(start); slices.Contains(calls, "iam:CreateAccessKey") || !slices.Contains(calls, "iam:DeleteUser") {
		m.Errorf("calls = %v", calls)
	}
}

// storedKey is the id of the access key in a record.
func (m *mount) storedKey(key string) string {
	m.Helper()
	entry, err := m.storage.Storage.Get(m.Context(), key)
	m.must(err)
	var record struct {
		AccessKey string `json:"access_key"`
	}
	m.must(entry.DecodeJSON(&record))
	return record.AccessKey
}

func replicationInvalidate(m *mount) {
	m.populated()
	for _, invalidate := range []func(key string){
		func(string) {},
		func(key string) { m.backend.InvalidateKey(m.Context(), key) },
	} {
		user := m.sim.PutUser(m.admin.Account, "elsewhere", iamPolicy)
		m.replicate("config/root", map[string]any{"access_key": user.AccessKey, "secret_key": user.SecretKey, "region": "us-east-1", "iam_endpoint": m.endpoint, "sts_endpoint": m.endpoint}, invalidate)
		m.replicate("config/lease", map[string]any{"Lease": time.Minute, "LeaseMax": time.Hour}, invalidate)
		m.replicate("role/x", map[string]any{"credential_types": []string{"iam_user"}, "policy_document": ec2Policy, "user_path": "/elsewhere/"}, invalidate)
		m.replicate("static-roles/x", map[string]any{"name": "x", "username": "app", "rotation_period": time.Hour}, invalidate)
		m.replicate("static-creds/x", map[string]any{"access_key": user.AccessKey, "secret_key": user.SecretKey}, invalidate)

		start := len(m.sim.Journal())
		got := m.mustRead("creds/x")
		if call := m.sim.Journal()[start]; call.AccessKey != user.AccessKey {
			m.Errorf("issued by %s, want %s", call.AccessKey, user.AccessKey)
		}
		if got.secret.TTL != time.Minute {
			m.Errorf("TTL = %v", got.secret.TTL)
		}
		if path := m.mustRead("roles/x").data["user_path"]; path != "/elsewhere/" {
			m.Errorf("user_path = %v", path)
		}
		if key := m.staticKey(); key.AccessKey != user.AccessKey {
			m.Errorf("static key = %s", key.AccessKey)
		}
		m.must(m.revoke(got.secret))
		m.humanDeletes(m.user("elsewhere"))
	}
}

// replicate writes a record as replication does, beneath the engine.
func (m *mount) replicate(key string, record any, invalidate func(key string)) {
	m.Helper()
	m.put(key, record)
	invalidate(key)
}
