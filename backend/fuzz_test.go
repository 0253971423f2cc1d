package backend_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/vault/sdk/helper/jsonutil"
	"github.com/hashicorp/vault/sdk/logical"
)

// fuzzed runs test on inputs in a mount that is as new each time.
func fuzzed(f *testing.F, test func(m *mount, input string)) {
	base := newMountWith(f, inProcess, backend.Options{Version: "v0.0.1", Clock: hasty{}})
	f.Fuzz(func(t *testing.T, input string) {
		m := *base
		m.TB = t
		m.clear()
		test(&m, input)
		if log := m.log.String(); strings.Contains(log, "caught a panic") {
			m.Errorf("a panic: %s", log)
		}
	})
}

// hasty is the clock of somebody who waits for no call, and never for the next
// pass of the worker: ticks drive it.
type hasty struct{}

func (hasty) Now() time.Time { return time.Now() }

func (hasty) Sleep(ctx context.Context, d time.Duration) error {
	if d >= 10*time.Second {
		<-ctx.Done()
	}
	return ctx.Err()
}

// clear empties storage and AWS. What the mount keeps in memory has to cope.
func (m *mount) clear() {
	m.Helper()
	keys, err := logical.CollectKeys(m.Context(), m.storage.Storage)
	m.must(err)
	for _, key := range keys {
		m.must(m.storage.Storage.Delete(m.Context(), key))
	}
	m.sim.Reset()
	m.log.reset()
	m.put("config/root", m.rootConfig(m.admin))
}

// seed adds an input in both of its forms. JSON as it is breaks by most of what
// the fuzzer does to it; lines of a field and its value seldom do.
func seed(f *testing.F, input string) {
	f.Add(input)
	var body map[string]json.RawMessage
	if json.Unmarshal([]byte(input), &body) != nil {
		return
	}
	var lines []string
	for _, field := range slices.Sorted(maps.Keys(body)) {
		lines = append(lines, field+" "+string(body[field]))
	}
	f.Add(strings.Join(lines, "\n"))
}

// parsed is a request's body, or a record, as Vault decodes it. Endpoints of
// config/root are taken out: an input must not reach what else listens on this
// machine.
func parsed(input string) (map[string]any, bool) {
	body := map[string]any{}
	if !strings.HasPrefix(input, "{") {
		body = fromLines(input)
	} else if jsonutil.DecodeJSON([]byte(input), &body) != nil {
		return nil, false
	}
	maps.DeleteFunc(body, func(field string, _ any) bool { return strings.Contains(strings.ToLower(field), "endpoint") })
	return body, true
}

// fromLines reads a field and its value from each line; a value that is no JSON
// is a text.
func fromLines(input string) map[string]any {
	body := map[string]any{}
	for line := range strings.Lines(input) {
		field, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		var value any
		if jsonutil.DecodeJSON([]byte(text), &value) != nil {
			value = text
		}
		body[field] = value
	}
	return body
}

// tryingOnce is a config/root that does not try again, unless it says so: AWS is
// not there to be reached.
func tryingOnce(config map[string]any) map[string]any {
	once := map[string]any{"max_retries": json.Number("0")}
	maps.Copy(once, config)
	return once
}

// notInternal reports an answer that blames the engine or the storage: what a
// user sends is never the engine's mistake.
func (m *mount) notInternal(what string, got answer) answer {
	m.Helper()
	if got.status == http.StatusInternalServerError {
		m.Errorf("%s: 500 %s", what, got.error)
	}
	return got
}

func (got answer) ok() bool { return got.status == http.StatusOK || got.status == http.StatusNoContent }

// writeAndBack writes a body to a path. What is taken is read as it is, and
// writing what was read changes nothing.
func (m *mount) writeAndBack(path string, body map[string]any, writable func(read map[string]any)) {
	m.Helper()
	if !m.notInternal("write", m.write(path, body)).ok() {
		return
	}
	first := m.notInternal("read", m.read(path))
	if first.status != http.StatusOK {
		m.Fatalf("read of what was written: %d %s", first.status, first.error)
	}
	wantNumbers(m, body, first.data)
	again := map[string]any{}
	m.must(json.Unmarshal(must(json.Marshal(first.data)), &again))
	writable(again)
	if got := m.write(path, again); !got.ok() {
		m.Errorf("write of what was read: %d %s\n%v", got.status, got.error, again)
	}
	if diff := cmp.Diff(first.data, m.read(path).data); diff != "" {
		m.Errorf("what was read, written again (-first +again):\n%s", diff)
	}
}

// wantNumbers: a whole number that was taken is the number that is read.
func wantNumbers(m *mount, body, read map[string]any) {
	m.Helper()
	for field, value := range body {
		number, _ := value.(json.Number)
		sent, err := number.Int64()
		if got, ok := asFloat(read[field]); ok && err == nil && got != float64(sent) {
			m.Errorf("%s: read %v, written %v", field, got, sent)
		}
	}
}

func asFloat(value any) (float64, bool) {
	switch v := value.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// FuzzRoleWrite: a role is refused as a mistake of its writer, or stored; then it
// is read as it was written, and credentials of it are an answer or a mistake.
func FuzzRoleWrite(f *testing.F) {
	for _, body := range []map[string]any{
		{"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy, "iam_tags": map[string]any{"a": "b"}},
		{"credential_type": "iam_user", "iam_groups": "a,b", "user_path": "/x/", "permissions_boundary_arn": readOnlyPolicy, "iam_tags": []string{"a=b"}},
		{"credential_type": "assumed_role", "role_arns": []string{"arn:aws:iam::123456789012:role/r"}, "session_tags": "a=b", "external_id": "x", "default_sts_ttl": "1h", "max_sts_ttl": 7200},
		{"credential_type": "federation_token", "policy_document": denyPolicy, "default_sts_ttl": 900},
		{"credential_type": "session_token", "mfa_serial_number": "arn:aws:iam::123456789012:mfa/x", "max_sts_ttl": json.Number("9223372036854775807")},
		{"credential_type": "assumed_role", "max_sts_ttl": json.Number("9223372036"), "default_sts_ttl": json.Number("-1")},
		{"credential_type": "assumed_role", "max_sts_ttl": json.Number("18446744073"), "default_sts_ttl": "9223372036h"},
		{"policy": ec2Policy},
		{"arn": readOnlyPolicy},
		{"credential_type": []string{"iam_user"}, "policy_document": map[string]any{"Statement": nil}},
	} {
		seed(f, string(must(json.Marshal(body))))
	}
	fuzzed(f, func(m *mount, input string) {
		body, ok := parsed(input)
		if !ok {
			return
		}
		m.writeAndBack("roles/x", body, func(read map[string]any) {
			if kind, _ := read["credential_type"].(string); strings.Contains(kind, ",") {
				delete(read, "credential_type") // the two of a legacy role
			}
		})
		m.notInternal("creds", m.read("creds/x"))
		m.notInternal("sts", m.read("sts/x", map[string]any{"ttl": "20m"}))
	})
}

// FuzzRootConfigWrite: the same of config/root, whose secret key is never read.
func FuzzRootConfigWrite(f *testing.F) {
	for _, body := range []map[string]any{
		{"access_key": "AKIAFUZZ", "secret_key": "s", "region": "eu-west-1", "max_retries": 0},
		{"access_key": "ASIAFUZZ"},
		{"max_retries": -1},
		{"max_retries": json.Number("1e3")},
		{"username_template": `{{ if (eq .Type "STS") }}{{ printf "x-%s" (random 20) }}{{ else }}{{ .DisplayName | truncate 3 }}{{ end }}`},
		{"sts_region": "eu-west-1", "sts_fallback_regions": "eu-west-2,eu-west-3"},
		{"identity_token_audience": "x", "identity_token_ttl": "1h", "role_arn": "arn:aws:iam::123456789012:role/r"},
		{"rotation_schedule": "0 3 * * *", "rotation_window": "2h"},
		{"rotation_period": "24h"},
		{"rotation_period": json.Number("99999999999999999")},
		{"disable_automated_rotation": true, "allowed_policy_arns": "*", "required_permissions_boundary_arn": readOnlyPolicy},
	} {
		seed(f, string(must(json.Marshal(body))))
	}
	fuzzed(f, func(m *mount, input string) {
		body, ok := parsed(input)
		if !ok {
			return
		}
		body = tryingOnce(body)
		m.writeAndBack("config/root", body, func(read map[string]any) {
			for _, field := range []string{"credential_source", "names_unique", "identity_token_audience", "access_key"} {
				delete(read, field) // told and not written, or not without its other half
			}
		})
	})
}

// FuzzLeaseConfigWrite: the same of config/lease; leases are then of that length.
func FuzzLeaseConfigWrite(f *testing.F) {
	seed(f, `{"lease":"30m","lease_max":"12h"}`)
	seed(f, `{"lease":3600,"lease_max":"1d"}`)
	seed(f, `{"lease":"9999999999h","lease_max":9223372036854775807}`)
	fuzzed(f, func(m *mount, input string) {
		if body, ok := parsed(input); ok {
			m.writeAndBack("config/lease", body, func(map[string]any) {})
		}
	})
}

// FuzzStaticRoleWrite: the same of a static role, whose user exists.
func FuzzStaticRoleWrite(f *testing.F) {
	seed(f, `{"username":"app","rotation_period":"1h"}`)
	seed(f, `{"username":"app","rotation_schedule":"0 3 * * *","grace":"1h","key_adoption":"replace_oldest"}`)
	seed(f, `{"username":"app","rotation_period":9999999999999,"grace":"99999999999h"}`)
	seed(f, `{"username":"app","rotation_period":18446744073709600}`)
	seed(f, `{"username":"app","rotation_period":0,"assume_role_arn":"arn:aws:iam::123456789012:role/r","assume_role_session_name":"x","external_id":"y"}`)
	fuzzed(f, func(m *mount, input string) {
		m.sim.PutUser(m.admin.Account, "app", "")
		body, ok := parsed(input)
		if !ok {
			return
		}
		m.writeAndBack("static-roles/x", body, func(read map[string]any) {
			if read["grace"] == nil {
				delete(read, "grace")
			}
		})
		m.notInternal("read", m.read("static-creds/x"))
		m.notInternal("rotate", m.write("rotate-role/x", nil))
		m.notInternal("delete", m.delete("static-roles/x"))
	})
}

// FuzzCredsRequest: whatever a request for credentials says, it gets one or is
// told its mistake.
func FuzzCredsRequest(f *testing.F) {
	seed(f, `{"ttl":"15m","role_arn":"arn:aws:iam::123456789012:role/r","role_session_name":"a b"}`)
	seed(f, `{"ttl":-1,"mfa_code":"123456"}`)
	seed(f, `{"ttl":99999999999999999}`)
	seed(f, `{"format":"container"}`)
	seed(f, `{"format":["container"],"ttl":"20m"}`)
	fuzzed(f, func(m *mount, input string) {
		arn := m.sim.PutRole(m.admin.Account, "r", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`, "")
		body, ok := parsed(input)
		if !ok {
			return
		}
		for kind, role := range map[string]map[string]any{
			"iam_user": {"policy_document": ec2Policy}, "assumed_role": {"role_arns": arn}, "federation_token": {"policy_document": ec2Policy}, "session_token": {},
		} {
			role["credential_type"] = kind
			m.mustWrite("roles/"+kind, role)
			got := m.notInternal(kind, m.write("creds/"+kind, body))
			if got.ok() && (got.data["access_key"] == "" || got.data["secret_key"] == "" || got.secret == nil) {
				m.Errorf("%s: no credential: %v", kind, got.data)
			}
			m.notInternal(kind, m.read("sts/"+kind, body))
		}
	})
}

// storedKinds are the records of a mount, of either engine, and what uses them.
var storedKinds = map[string]struct {
	key   string
	seeds []string
	use   func(m *mount) []answer
}{
	"role": {
		key: "role/x",
		seeds: []string{
			`{"credential_types":["iam_user"],"policy_document":"{}","policy_arns":null,"iam_tags":{"":""},"user_path":"x"}`,
			`{"credential_types":["assumed_role"],"role_arns":["x"],"default_sts_ttl":-1,"max_sts_ttl":1}`,
			`{"credential_types":["federation_token","nobody"],"version":99}`, `{"credential_types":null}`, `{}`,
			`{"credential_types":["session_token"],"max_sts_ttl":9223372036854775807}`,
		},
		use: useRole,
	},
	"legacy role": {
		key:   "policy/x",
		seeds: []string{`arn:aws:iam::123456789012:role/r`, readOnlyPolicy, `{"Statement":[{"Effect":"Allow"}]}`, `nothing`, ``},
		use:   useRole,
	},
	"root config": {
		key: "config/root",
		seeds: []string{
			`{"access_key":"A","secret_key":"","region":"!","max_retries":-7}`, `{"access_key":"","secret_key":"s"}`,
			`{"access_key":"A","secret_key":"s","username_template":"{{","rotation_schedule":"x","rotation_period":-1}`,
			`{"access_key":"A","secret_key":"s","sts_fallback_regions":["a","b"]}`, `{"allowed_policy_arns":["*"],"identity_token_ttl":-1}`,
		},
		use: func(m *mount) []answer {
			m.put("role/x", map[string]any{"credential_types": []string{"iam_user"}, "policy_document": ec2Policy})
			return append(useRole(m), m.read("config/root"), m.write("config/root", map[string]any{"max_retries": 0}), m.write("config/rotate-root", nil))
		},
	},
	"lease config": {
		key:   "config/lease",
		seeds: []string{`{"Lease":1800000000000,"LeaseMax":-5}`, `{"lease":1}`, `{}`},
		use: func(m *mount) []answer {
			m.put("role/x", map[string]any{"credential_types": []string{"iam_user"}, "policy_document": ec2Policy})
			return append(useRole(m), m.read("config/lease"))
		},
	},
	"static role": {
		key: "static-roles/x",
		seeds: []string{
			`{"name":"x","id":"AIDA","username":"app","rotation_period":-1,"rotation_schedule":"?"}`,
			`{"name":"y","username":"","assume_role_arn":"x","grace":-5,"key_adoption":"?"}`, `{}`,
		},
		use: func(m *mount) []answer {
			m.put("static-creds/x", map[string]any{"access_key": "AKIAX", "secret_key": "s"})
			return useStatic(m)
		},
	},
	"static creds": {
		key: "static-creds/x",
		seeds: []string{
			`{"access_key":"","secret_key":"","expiration":"0001-01-01T00:00:00Z"}`,
			`{"access_key":"A","previous_key":"A","previous_valid_until":"9999-01-01T00:00:00Z"}`, `{}`,
		},
		use: func(m *mount) []answer {
			m.put("static-roles/x", map[string]any{"name": "x", "username": "app", "rotation_period": time.Hour})
			return useStatic(m)
		},
	},
	"rotation state": {
		key:   "journal/root-rotation",
		seeds: []string{`{"since":"0001-01-01T00:00:00Z","last_error":"x"}`, `{"last":"9999-12-31T23:59:59Z","by_vault":true}`},
		use: func(m *mount) []answer {
			return []answer{m.read("config/root"), m.write("config/root", map[string]any{"rotation_period": "1h"})}
		},
	},
	"user record": {
		key: "users/vault-a",
		seeds: []string{
			`{"user_name":"app","state":"condemned","name_unique":true,"access_key_id":"AKIAX","policy_arns":[""],"groups":["x"],"journal_entry":"../x"}`,
			`{"user_name":"vault-a","state":"issued","role":"x","account":"1","issued":"0001-01-01T00:00:00Z","deadline":"2001-01-01T00:00:00Z","resent":true}`,
			`{"state":"condemned","since":"9999-12-31T23:59:59Z","next_try":"9999-12-31T23:59:59Z","tries":-1,"key_deleted":true}`, `{"state":"?"}`, `{}`,
		},
		use: useUserRecord,
	},
}

// useUserRecord: whatever a record says, the worker ends the user of its own name,
// if any, and no other.
func useUserRecord(m *mount) []answer {
	m.sim.PutUser(m.admin.Account, "app", "")
	m.sim.PutUser(m.admin.Account, "vault-a", "")
	m.tick()
	if !slices.Contains(m.users(), "app") {
		m.Error("the user app is gone, of which no record is")
	}
	return []answer{
		m.read("users/vault-a"), m.list("users/"), m.request(m.Context(), logical.ListOperation, "users/", map[string]any{"role": "x"}),
		m.write("lookup", map[string]any{"access_key": "AKIAX"}), m.read("tidy-status"), m.read("metrics"), m.write("tidy", map[string]any{"forget": "vault-a"}),
	}
}

func useRole(m *mount) []answer {
	return []answer{m.read("roles/x"), m.list("roles/"), m.read("creds/x"), m.read("sts/x"), m.write("roles/x", map[string]any{"iam_groups": ""}), m.delete("roles/x")}
}

func useStatic(m *mount) []answer {
	m.sim.PutUser(m.admin.Account, "app", "")
	return []answer{m.read("static-roles/x"), m.list("static-roles/"), m.read("static-creds/x"), m.write("rotate-role/x", nil), m.write("static-roles/x", map[string]any{"rotation_period": "2h"}), m.delete("static-roles/x")}
}

// The next eight: a stored record that can be decoded is usable, whatever it
// says. Reading it, using it, writing over it and deleting it is never a 500.

func FuzzStoredRole(f *testing.F)          { fuzzStored(f, "role") }
func FuzzStoredLegacyRole(f *testing.F)    { fuzzStored(f, "legacy role") }
func FuzzStoredRootConfig(f *testing.F)    { fuzzStored(f, "root config") }
func FuzzStoredLeaseConfig(f *testing.F)   { fuzzStored(f, "lease config") }
func FuzzStoredStaticRole(f *testing.F)    { fuzzStored(f, "static role") }
func FuzzStoredStaticCreds(f *testing.F)   { fuzzStored(f, "static creds") }
func FuzzStoredRotationState(f *testing.F) { fuzzStored(f, "rotation state") }
func FuzzStoredUserRecord(f *testing.F)    { fuzzStored(f, "user record") }

func fuzzStored(f *testing.F, name string) {
	kind := storedKinds[name]
	for _, input := range kind.seeds {
		seed(f, input)
	}
	fuzzed(f, func(m *mount, input string) {
		if name != "legacy role" {
			body, ok := parsed(input) // no endpoints of other people
			if !ok {
				return
			}
			if name == "root config" {
				body = tryingOnce(body)
			}
			input = string(must(json.Marshal(body)))
		}
		m.must(m.storage.Storage.Put(m.Context(), rawEntry(kind.key, input)))
		for _, got := range kind.use(m) {
			if got.status == http.StatusInternalServerError && !strings.Contains(got.error, "decode "+kind.key) {
				m.Errorf("500 %s", got.error)
			}
		}
		m.tick()
	})
}

// FuzzJournalEntry: whatever lies in the journal, the worker removes the user
// that an entry names, if any, and no other.
func FuzzJournalEntry(f *testing.F) {
	for _, input := range []string{
		`{"UserName":"vault-a"}`, `{"UserName":"vault-a","name_unique":true,"issued_at":"2020-01-01T00:00:00Z","account":"123456789012"}`,
		`{"UserName":"admin","account":"1","resent":true}`, `{"username":"app","name_unique":true}`, `{"UserName":""}`, `{"UserName":5}`,
	} {
		seed(f, input)
	}
	fuzzed(f, func(m *mount, input string) {
		data, ok := parsed(input)
		if !ok {
			return
		}
		for _, user := range []string{"vault-a", "app"} {
			m.sim.PutUser(m.admin.Account, user, "")
		}
		m.put("wal/x", map[string]any{"id": "x", "type": "user", "data": data, "created_at": time.Now().Add(-time.Hour).Unix()})
		m.tick()
		var named struct{ UserName string }
		_ = json.Unmarshal(must(json.Marshal(data)), &named) // as far as it can be read
		left := slices.DeleteFunc(m.users(), func(user string) bool { return strings.EqualFold(user, named.UserName) })
		want := slices.DeleteFunc([]string{"app", "vault-a"}, func(user string) bool { return strings.EqualFold(user, named.UserName) })
		slices.Sort(left)
		if diff := cmp.Diff(want, left); diff != "" {
			m.Errorf("users but %q (-want +got):\n%s", named.UserName, diff)
		}
	})
}

// FuzzLease: whatever a lease of either engine carries, its revoke and its renew
// end, and no other user than the one it names is gone.
func FuzzLease(f *testing.F) {
	for _, input := range []string{
		`{"username":"vault-a","is_sts":false,"policy":{"version":1}}`, `{"username":"vault-a","is_sts":true}`, `{"username":5}`, `{}`,
		`{"username":"vault-a","access_key_id":"AKIA","policy_arns":null,"groups":["x"],"account":"1"}`,
	} {
		seed(f, input)
	}
	fuzzed(f, func(m *mount, input string) {
		data, ok := parsed(input)
		if !ok {
			return
		}
		for _, user := range []string{"vault-a", "app"} {
			m.sim.PutUser(m.admin.Account, user, "")
		}
		data["secret_type"] = "access_keys"
		secret := &logical.Secret{LeaseOptions: logical.LeaseOptions{IssueTime: time.Now().Add(-time.Hour)}, InternalData: data}
		_, _ = m.renew(secret)
		err := m.revoke(secret)
		name, _ := data["username"].(string)
		if name == "" {
			name, _ = data["UserName"].(string)
		}
		for _, user := range []string{"app", "vault-a"} {
			if gone := !slices.Contains(m.users(), user); gone && !strings.EqualFold(user, name) {
				m.Errorf("%q is gone by a lease of %q: %v", user, name, err)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
