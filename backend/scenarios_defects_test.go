package backend_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/vault/sdk/logical"
)

// defectScenarios are known defects of the existing engines that are nobody
// else's subject; the numbers are those of docs/compatibility.md.
func defectScenarios() []scenario {
	return []scenario{
		{"iam_user: a lease holds no policy (W14)", func(m *mount) {
			got := m.configured().issued(plainUser())
			text, err := json.Marshal(got.secret.InternalData)
			m.must(err)
			if strings.Contains(string(text), "ec2:") || len(text) > 1000 {
				m.Errorf("internal data = %s", text)
			}
		}},
		{"iam_user: a role name that is too long for a policy is cut (W17)", func(m *mount) {
			name := strings.Repeat("r", 200)
			m.configured().mustWrite("roles/"+name, plainUser())
			got := m.mustRead("creds/" + name)
			if _, ok := m.onlyUser().InlinePolicies[name[:128]]; !ok {
				m.Errorf("policies = %v", m.onlyUser().InlinePolicies)
			}
			m.must(m.revoke(got.secret))
			m.wantUsers(0)
		}},
		{"iam_user: independent calls go side by side (W10)", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "iam_user", "policy_document": ec2Policy, "policy_arns": readOnlyPolicy})
			g := m.throughGate()
			g.shut()
			done := make(chan answer, 1)
			go func() { done <- m.read("creds/x") }()
			g.mustWait(m)
			g.letOne() // it was CreateUser
			for range 3 {
				g.mustWait(m) // both policies and the key, before one of them is answered
			}
			g.open()
			m.wantError(<-done, http.StatusOK)
		}},
		{"sessions: an STS endpoint that does not answer holds nobody else up (W18, W77)", hungSTS},
		{"sessions: keys that AWS refuses are told from a network that is down (W19)", func(m *mount) {
			wrong := m.admin
			wrong.SecretKey += "x"
			m.mustWrite("config/root", m.rootConfig(wrong))
			m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.wantError(m.read("sts/y"), http.StatusBadRequest, "SignatureDoesNotMatch", "access_key and secret_key of one pair")
			m.configured().mustWrite("config/root", map[string]any{"sts_endpoint": "http://127.0.0.1:1"})
			m.wantError(m.read("sts/y"), http.StatusServiceUnavailable, "GetFederationToken", "network")
		}},
		{"sessions: STS fails over when an endpoint dies later, and back (W20)", failover},
		{"sessions: a client that leaves is not waited for (W23)", clientsLeave},
		{"assumed_role: policies, groups and session tags reach AWS", assumeRoleWithEverything},
		{"assumed_role: what groups add is added anew each time (W28, W35)", func(m *mount) {
			arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), iamPolicy)
			m.sim.PutGroup(m.admin.Account, "devs", iamPolicy)
			m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "iam_groups": "devs", "policy_arns": readOnlyPolicy})
			for range 12 { // more than AWS takes, if they were kept
				m.mustRead("sts/x")
			}
			m.sim.PutGroup(m.admin.Account, "devs", denyPolicy)
			if m.mayListUsers(m.mustRead("sts/x")) {
				m.Error("a Deny that a group was given is not in the next session")
			}
		}},
		{"assumed_role: what groups add counts before AWS is asked for a session (W26)", func(m *mount) {
			arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), iamPolicy)
			half := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + strings.Repeat("a", 1000) + `"}}`
			m.sim.PutGroup(m.admin.Account, "one", half)
			m.sim.PutGroup(m.admin.Account, "two", half)
			m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "iam_groups": "one"})
			m.mustRead("sts/x")
			m.mustWrite("roles/x", map[string]any{"iam_groups": "one,two"})
			start := len(m.sim.Journal())
			m.wantError(m.read("sts/x"), http.StatusBadRequest, "iam_groups", "2048")
			if calls := m.calls(start); slices.Contains(calls, "sts:AssumeRole") {
				m.Errorf("calls = %v", calls)
			}
		}},
		{"assumed_role: merged policies keep their meaning, and their Sids do not collide (W27)", func(m *mount) {
			const literal = `{"Version":"2008-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/${aws:username}"}]}`
			arn := m.configured().sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), iamPolicy)
			m.sim.PutGroup(m.admin.Account, "devs", literal)
			m.mustWrite("roles/x", map[string]any{
				"credential_type": "assumed_role", "role_arns": arn, "iam_groups": "devs",
				"policy_document": `{"Version":"2012-10-17","Statement":{"Sid":"a","Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`,
			})
			if !m.mayListUsers(m.mustRead("sts/x")) {
				m.Error("the role's own statement is lost")
			}
		}},
		{"rotate-root: no permission but on keys is needed (W60)", rotateWithoutGetUser},
		{"rotate-root: credentials are issued meanwhile (W61)", rotateWhileIssuing},
		{"rotate-root: a missing permission is a 400 that names it (W63)", func(m *mount) {
			m.rotatable()
			m.sim.Inject(awssim.Fault{Action: "iam:CreateAccessKey", Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"})
			m.wantError(m.rotate(), http.StatusBadRequest, "AccessDenied", "iam:CreateAccessKey")
			m.wantRootAsBefore()
		}},
		{"rotate-root: under the lag of AWS the new key is proven before it is stored (W58)", rotateUnderLag},
		{"config/root: written while credentials are issued (W76, W78)", writtenWhileIssuing},
		{"sessions: requests share the clients of a config (W81, W83)", sharedClients},
		{"roles: a write that hangs keeps no reader waiting (W79)", func(m *mount) {
			m.configured().mustWrite("roles/x", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			release := make(chan struct{})
			m.storage.set(storageFault{verb: "put", prefix: "role/", wait: func() { <-release }})
			written := make(chan answer, 1)
			go func() { written <- m.write("roles/x", map[string]any{"max_sts_ttl": "2h"}) }()
			m.wantError(m.read("roles/nobody"), http.StatusNotFound)
			m.wantError(m.read("creds/nobody"), http.StatusBadRequest, "not found")
			m.mustRead("sts/x")
			close(release)
			m.wantError(<-written, http.StatusNoContent)
		}},
		{"roles: reading a legacy record writes nothing, so a delete lasts (W80)", func(m *mount) {
			m.configured()
			m.must(m.storage.Put(m.Context(), rawEntry("policy/x", ec2Policy)))
			m.storage.readOnly(nil)
			m.mustRead("roles/x")
			m.mustRead("sts/x")
			m.storage.writable()
			m.wantError(m.delete("roles/x"), http.StatusNoContent)
			m.wantError(m.read("roles/x"), http.StatusNotFound)
		}},
		{"roles: a legacy write drops no current field without a word (W86)", func(m *mount) {
			for field, value := range map[string]any{
				"iam_groups": "g", "iam_tags": "a=b", "session_tags": "a=b", "external_id": "x", "mfa_serial_number": "m", "role_arns": "r",
				"policy_arns": readOnlyPolicy, "policy_document": ec2Policy, "default_sts_ttl": 900, "max_sts_ttl": 900, "user_path": "/p/",
				"permissions_boundary_arn": readOnlyPolicy, "credential_type": "iam_user",
			} {
				m.wantError(m.write("roles/x", map[string]any{"policy": ec2Policy, field: value}), http.StatusBadRequest, "cannot supply deprecated", field)
			}
			m.wantError(m.read("roles/x"), http.StatusNotFound)
		}},
		{"config/root: a stored list of fallbacks that does not match is used as far as it does", func(m *mount) {
			m.put("config/root", map[string]any{
				"access_key": m.admin.AccessKey, "secret_key": m.admin.SecretKey, "region": "us-east-1", "iam_endpoint": m.endpoint,
				"sts_endpoint": "http://127.0.0.1:1", "sts_fallback_endpoints": []string{m.endpoint, "http://127.0.0.1:2"}, "sts_fallback_regions": []string{"us-east-1"},
			})
			m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
			m.mustRead("sts/y")
			m.wantError(m.write("config/root", map[string]any{"sts_fallback_regions": "us-east-1"}), http.StatusBadRequest, "same length")
		}},
	}
}

const iamPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"}]}`

func hungSTS(m *mount) {
	m.configured().mustWrite("roles/x", plainUser())
	m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	g := newGate(m)
	m.mustWrite("config/root", map[string]any{"sts_endpoint": g.url})
	m.reload() // cold
	g.shut()
	done := make(chan answer, 2)
	for range 2 {
		go func() { done <- m.read("sts/y") }()
	}
	g.mustWait(m)
	g.mustWait(m) // the second does not wait for the first
	m.mustRead("creds/x")
	m.mustRead("config/root")
	g.open()
	for range 2 {
		m.wantError(<-done, http.StatusOK)
	}
}

// mortal is an endpoint of the simulator that dies and comes back.
type mortal struct {
	url   string
	asked atomic.Int32
	death atomic.Pointer[http.HandlerFunc] // what it does instead; nil: it lives
}

func newMortal(m *mount) *mortal {
	e := &mortal{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		if death := e.death.Load(); death != nil {
			(*death)(w, r)
			return
		}
		m.sim.ServeHTTP(w, r)
	}))
	m.Cleanup(server.Close)
	e.url = server.URL
	return e
}

func (e *mortal) dies(how http.HandlerFunc) { e.death.Store(&how) }

func (e *mortal) lives() { e.death.Store(nil) }

// silent drops the connection.
func silent(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// saying answers an error of AWS.
func saying(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", code)
	}
}

func failover(m *mount) {
	clock := m.rotatable()
	first, second := newMortal(m), newMortal(m)
	config := m.rootConfig(m.admin)
	config["sts_endpoint"], config["sts_fallback_endpoints"], config["sts_fallback_regions"] = first.url, second.url, "us-east-1"
	m.mustWrite("config/root", config)
	m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	for _, death := range []http.HandlerFunc{silent, saying(http.StatusServiceUnavailable, "ServiceUnavailable"), saying(http.StatusInternalServerError, "InternalFailure")} {
		asked := second.asked.Load()
		m.mustRead("sts/y")
		if second.asked.Load() != asked {
			m.Error("the second endpoint is asked although the first lives")
		}
		first.dies(death)
		m.mustRead("sts/y")
		if second.asked.Load() != asked+1 {
			m.Error("the second endpoint is not asked although the first is dead")
		}
		first.lives()
		clock.advance(31 * time.Second)
	}
	asked := second.asked.Load()
	first.dies(saying(http.StatusForbidden, "AccessDenied"))
	m.wantError(m.read("sts/y"), http.StatusBadRequest, "AccessDenied")
	if second.asked.Load() != asked {
		m.Error("a refusal is taken for an outage")
	}
}

func clientsLeave(m *mount) {
	m.static(map[string]any{"rotation_period": "1h"})
	m.mustWrite("roles/federation", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	m.mustWrite("roles/session", map[string]any{"credential_type": "session_token"})
	m.mustWrite("roles/assumed", map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/x"})
	g := newGate(m)
	m.mustWrite("config/root", map[string]any{"iam_endpoint": g.url, "sts_endpoint": g.url})
	g.shut()
	for _, r := range []routedRequest{
		{op: logical.ReadOperation, path: "sts/federation"},
		{op: logical.ReadOperation, path: "sts/session"},
		{op: logical.ReadOperation, path: "sts/assumed"},
		{op: logical.UpdateOperation, path: "static-roles/y", data: map[string]any{"username": "other", "rotation_period": "1h"}},
		{op: logical.UpdateOperation, path: "rotate-role/x"},
		{op: logical.UpdateOperation, path: "config/rotate-root"},
	} {
		if got := m.leaving(r.op, r.path, r.data, g); got.status < http.StatusBadRequest {
			m.Errorf("%s %s: %d", r.op, r.path, got.status)
		}
	}
	g.open()
}

// mayListUsers reports whether a session may call iam:ListUsers.
func (m *mount) mayListUsers(got answer) bool {
	cfg := simtest.Session(m.endpoint, got.data["access_key"].(string), got.data["secret_key"].(string), got.data["session_token"].(string))
	_, err := iam.NewFromConfig(cfg).ListUsers(m.Context(), &iam.ListUsersInput{})
	return err == nil
}

func assumeRoleWithEverything(m *mount) {
	m.configured().sim.PutGroup(m.admin.Account, "devs", iamPolicy)
	tagged := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + m.admin.Account + `:root"},` +
		`"Action":["sts:AssumeRole","sts:TagSession"],"Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}}]}`
	arn := m.sim.PutRole(m.admin.Account, "r", tagged, iamPolicy)
	role := map[string]any{"credential_type": "assumed_role", "role_arns": arn}
	m.mustWrite("roles/x", role)
	m.wantError(m.read("sts/x"), http.StatusBadRequest, "Error assuming role: AccessDenied")
	m.mustWrite("roles/x", map[string]any{"session_tags": "team=a"})
	for _, tc := range []struct {
		limits map[string]any
		may    bool
	}{
		{map[string]any{}, true},
		{map[string]any{"policy_document": ec2Policy}, false},
		{map[string]any{"policy_document": iamPolicy}, true},
		{map[string]any{"policy_arns": "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"}, false},
		{map[string]any{"policy_arns": readOnlyPolicy}, true},
		{map[string]any{"policy_document": ec2Policy, "iam_groups": "devs"}, true},
	} {
		m.mustWrite("roles/x", map[string]any{"policy_document": "", "policy_arns": "", "iam_groups": ""})
		m.mustWrite("roles/x", tc.limits)
		if got := m.mayListUsers(m.mustRead("sts/x")); got != tc.may {
			m.Errorf("%v: iam:ListUsers %v, want %v", tc.limits, got, tc.may)
		}
	}
}

func rotateWithoutGetUser(m *mount) {
	m.rotatable()
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListAccessKeys","iam:CreateAccessKey","iam:DeleteAccessKey"],"Resource":"arn:aws:iam::*:user/keys-only"}]}`
	before := m.sim.PutUser(m.admin.Account, "keys-only", own)
	m.mustWrite("config/root", m.rootConfig(before))
	start := len(m.sim.Journal())
	m.wantError(m.rotate(), http.StatusOK)
	for _, action := range m.calls(start) {
		if action == "iam:GetUser" {
			m.Error("iam:GetUser is called")
		}
	}
	if keys := m.user("keys-only").Keys; len(keys) != 1 || keys[0].ID != m.rootKey() || m.rootKey() == before.AccessKey {
		m.Errorf("keys = %v, stored %s", keys, m.rootKey())
	}
}

func rotateWhileIssuing(m *mount) {
	m.rotatable()
	g := newGate(m)
	m.mustWrite("config/root", map[string]any{"sts_endpoint": g.url})
	g.shut()
	done := make(chan answer, 1)
	go func() { done <- m.rotate() }()
	g.mustWait(m)
	g.letOne()
	g.mustWait(m) // the new key is made, and being proven
	m.mustRead("creds/x")
	m.mustRead("config/root")
	m.mustWrite("roles/y", plainUser())
	g.open()
	m.wantError(<-done, http.StatusOK)
	m.wantRootKey()
}

// rotateUnderLag lets the clocks of engine and AWS go together. Each rotation
// draws another lag: 2 to 14 seconds.
func rotateUnderLag(m *mount) {
	clock := m.rotatable()
	clock.follow(m.sim.Advance)
	realistic, err := awssim.Preset("realistic")
	m.must(err)
	m.sim.Configure(func(s *awssim.Settings) {
		*s = realistic
		s.Latency, s.LatencyMost, s.MaxSkew = 0, 0, time.Hour // these are of the machine's own clock
	})
	for range 10 {
		before := clock.Now()
		m.mustRotate() // and a credential at once, by the new key
		if waited := clock.Now().Sub(before); waited < 2*time.Second {
			m.Errorf("a rotation took %s of a clock on which no key works before 2s", waited)
		}
		clock.advance(time.Minute)
	}
}

func writtenWhileIssuing(m *mount) {
	m.configured().mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	other := m.sim.PutUser(m.admin.Account, "other", federationPolicy)
	var readers sync.WaitGroup
	written := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for open := true; open; {
				select {
				case <-written:
					open = false
				default:
				}
				m.wantError(m.read("sts/y"), http.StatusOK)
			}
		})
	}
	for i := range 10 {
		who := []awssim.Credentials{m.admin, other}[i%2]
		m.mustWrite("config/root", m.rootConfig(who))
		m.backend.InvalidateKey(m.Context(), "config/root")
	}
	close(written)
	readers.Wait()
	start := len(m.sim.Journal())
	m.mustRead("sts/y")
	if call := m.sim.Journal()[start]; call.AccessKey != other.AccessKey {
		m.Errorf("issued by %s, want the last written, %s", call.AccessKey, other.AccessKey)
	}
}

func sharedClients(m *mount) {
	m.sim.Configure(func(s *awssim.Settings) { s.Latency = 3 * time.Millisecond }) // not quicker than a network
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(m.sim)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	m.Cleanup(server.Close)
	m.endpoint = server.URL
	m.configured().mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	for range 5 {
		m.mustRead("sts/y")
	}
	if got := connections.Load(); got != 1 {
		m.Errorf("%d connections for the calls of one config, want 1", got)
	}
}

// TestRotationManagerFollowsStorage (W69): a schedule that is not stored is not the
// rotation manager's either.
func TestRotationManagerFollowsStorage(t *testing.T) { onBoth(t, managerFollowsStorage) }

func managerFollowsStorage(t *testing.T, load loader) {
	m := newMount(t, load)
	manager := &rotationManager{StaticSystemView: m.system}
	m.view = manager
	m.rotatable()
	m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
	for _, f := range []storageFault{
		{verb: "put", prefix: "config/root", err: errors.New("disk")},
		{verb: "put", prefix: "config/root", err: errors.New("disk"), after: true},
		{verb: "put", prefix: "journal/root-rotation", err: errors.New("disk")},
	} {
		for _, period := range []string{"2h", "0"} {
			m.storage.set(f)
			m.wantError(m.write("config/root", map[string]any{"rotation_period": period}), http.StatusInternalServerError, "disk")
			m.storage.set(storageFault{})
			stored := time.Duration(m.mustRead("config/root").data["rotation_period"].(float64)) * time.Second
			if got := manager.period(); got != stored {
				t.Errorf("%+v: the manager rotates every %s, the stored config says %s", f, got, stored)
			}
			m.mustWrite("config/root", map[string]any{"rotation_period": "1h"})
		}
	}
}

// period is how often the manager rotates; 0: it has no job.
func (s *rotationManager) period() time.Duration {
	if s.idle || len(s.jobs) == 0 {
		return 0
	}
	return s.jobs[len(s.jobs)-1].RotationPeriod
}

// TestChainedRole (W24): temporary root credentials give an IAM role an hour at
// most, and whoever asks for more learns it before AWS is asked.
func TestChainedRole(t *testing.T) {
	m := newMount(t, inProcess)
	admin := sts.NewFromConfig(simtest.Config(m.endpoint, m.admin))
	out, err := admin.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	m.must(err)
	for name, value := range map[string]*string{
		"AWS_ACCESS_KEY_ID": out.Credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY": out.Credentials.SecretAccessKey, "AWS_SESSION_TOKEN": out.Credentials.SessionToken,
	} {
		t.Setenv(name, aws.ToString(value))
	}
	m.mustWrite("config/root", map[string]any{"region": "us-east-1", "sts_endpoint": m.endpoint, "iam_endpoint": m.endpoint})
	arn := m.sim.PutRole(m.admin.Account, "r", trust("arn:aws:iam::"+m.admin.Account+":root"), ec2Policy)
	m.wantWarning(m.mustWrite("roles/x", map[string]any{"credential_type": "assumed_role", "role_arns": arn, "default_sts_ttl": "2h"}), "default_sts_ttl 2h0m0s", "an hour")
	start := len(m.sim.Journal())
	m.wantError(m.read("sts/x"), http.StatusBadRequest, "ttl 2h0m0s", "15m0s to 1h0m0s", "root credentials are temporary")
	if calls := m.calls(start); len(calls) != 0 {
		t.Errorf("calls = %v", calls)
	}
	m.wantSession(m.mustRead("sts/x", map[string]any{"ttl": "1h"}), time.Hour)
}

// TestSTSRegionOfConfig (W22): sts_region and the regions of fallbacks hold without
// sts_endpoint. The environment says where STS is, so that nobody asks AWS.
func TestSTSRegionOfConfig(t *testing.T) {
	m := newMount(t, inProcess)
	var scopes []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		scopes = append(scopes, strings.Split(credential, "/")[2])
		m.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": m.admin.AccessKey, "AWS_SECRET_ACCESS_KEY": m.admin.SecretKey, "AWS_ENDPOINT_URL_STS": server.URL} {
		t.Setenv(name, value)
	}
	m.mustWrite("config/root", map[string]any{"region": "us-east-1", "sts_region": "eu-west-1"})
	m.mustWrite("roles/y", map[string]any{"credential_type": "federation_token", "policy_document": ec2Policy})
	scopes = nil
	m.mustRead("sts/y")
	if len(scopes) != 1 || scopes[0] != "eu-west-1" {
		t.Errorf("signed for %v, want eu-west-1", scopes)
	}
}
