package awssim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// control calls the control API and returns status and body.
func control(t *testing.T, endpoint, method, path, body string) (int, string) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, endpoint+"/_sim/"+path, strings.NewReader(body)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body)))
}

// mustControl wants 200 and decodes the answer.
func mustControl[T any](t *testing.T, endpoint, method, path, body string) T {
	t.Helper()
	var out T
	status, answer := control(t, endpoint, method, path, body)
	if status != 200 {
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
	return out
}

// TestControlMirrorsTheGoAPI: what the one shows the other shows too.
func TestControlMirrorsTheGoAPI(t *testing.T) {
	sim, endpoint, admin := started(t)
	sim.PutUser(account, "u", allow("s3:*", "*"))
	sim.PutRole(account, "r", trusting("*"), "")
	sim.PutGroup(account, "g", "")
	sim.PutPolicy(account, "p", allow("s3:*", "*"))
	mustCreateUser(t, admin, "ada")
	mustCreateUser(t, admin, "bob")
	if diff := cmp.Diff(sim.State(), mustControl[awssim.State](t, endpoint, "GET", "state", "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sim.Journal(), mustControl[[]awssim.Call](t, endpoint, "GET", "journal", "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sim.Journal()[1:], mustControl[[]awssim.Call](t, endpoint, "GET", "journal?since=1", "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sim.Settings(), mustControl[awssim.Settings](t, endpoint, "GET", "settings", "")); diff != "" {
		t.Error(diff)
	}
}

func TestControlSettings(t *testing.T) {
	_, endpoint, _ := started(t)
	want := awssim.Settings{MaxUsers: 5000, MaxSkew: 5 * time.Minute}
	if diff := cmp.Diff(want, mustControl[awssim.Settings](t, endpoint, "POST", "settings", `{}`)); diff != "" {
		t.Error(diff)
	}
	want.PageSize, want.Throttle = 7, awssim.Throttle{Rate: 1.5, Burst: 2}
	got := mustControl[awssim.Settings](t, endpoint, "POST", "settings", `{"page_size":7,"throttle":{"rate":1.5,"burst":2}}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want.MaxSkew = 24 * time.Hour
	if diff := cmp.Diff(want, mustControl[awssim.Settings](t, endpoint, "POST", "settings", `{"max_skew":"24h"}`)); diff != "" {
		t.Error(diff)
	}
}

func TestControlFaults(t *testing.T) {
	sim, endpoint, admin := started(t)
	one := `{"action":"iam:ListUsers","access_key":"` + sim.Admin().AccessKey + `","nth":2,"count":1,"when":"after","kind":"error","status":503,"code":"ServiceUnavailable","message":"busy"}`
	want := []awssim.Fault{{
		Action: "iam:ListUsers", AccessKey: sim.Admin().AccessKey, Nth: 2, Count: 1, When: awssim.AfterEffect,
		Kind: awssim.FaultError, Status: 503, Code: "ServiceUnavailable", Message: "busy",
	}}
	if diff := cmp.Diff(want, mustControl[[]awssim.Fault](t, endpoint, "POST", "faults", one)); diff != "" {
		t.Error(diff)
	}
	want = append(want, awssim.Fault{Target: "x", Kind: awssim.FaultHang, Duration: time.Minute}, awssim.Fault{Action: "sts:*", Kind: awssim.FaultReset})
	got := mustControl[[]awssim.Fault](t, endpoint, "POST", "faults", `[{"target":"x","kind":"hang","duration":"1m"},{"action":"sts:*","kind":"reset"}]`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"ok", "503 ServiceUnavailable", "ok"} {
		_, err := admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		wantOutcome(t, "ListUsers", err, want)
	}
	mustControl[struct{}](t, endpoint, "DELETE", "faults", "")
	if got := sim.Faults(); len(got) != 0 {
		t.Errorf("faults left: %v", got)
	}
}

func TestControlRefuses(t *testing.T) {
	_, endpoint, _ := started(t)
	for _, tc := range []struct{ path, body, want string }{
		{"faults", `{`, "bad JSON"},
		{"faults", `{"kind":"reset"} x`, "bad JSON"},
		{"faults", `{"kind":"explode"}`, `fault kind "explode" is none of`},
		{"faults", `{"kind":"reset","acton":"x"}`, `unknown field "acton"`},
		{"faults", `{"kind":"delay"}`, "needs a duration"},
		{"faults", `{"kind":"hang","duration":"soon"}`, `"soon" is no duration`},
		{"faults", `{"kind":"reset","when":"during"}`, "neither before nor after"},
		{"faults", `{"kind":"reset","nth":-1}`, "must not be negative"},
		{"settings", `{"pagesize":1}`, `unknown field "pagesize"`},
		{"settings", `{"latency":5}`, "bad JSON"},
		{"settings", `{"page_size":-1}`, "must not be negative"},
		{"accounts", `{"account":"1"}`, "is not twelve digits"},
		{"accounts", `{"account":"123456789012"}`, "exists"},
		{"accounts", `{"account":"210987654321","region":"moon-1"}`, "lies in no partition"},
		{"rootkey", `{"account":"210987654321"}`, "no account"},
		{"advance", `{"seconds":-1}`, "must not be negative"},
		{"advance", `{"minutes":1}`, `unknown field "minutes"`},
	} {
		t.Run(tc.path+tc.body, func(t *testing.T) {
			status, body := control(t, endpoint, "POST", tc.path, tc.body)
			var answer struct {
				Error string `json:"error"`
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 400 || !strings.Contains(answer.Error, tc.want) {
				t.Errorf("%d %s, want 400 with %q", status, body, tc.want)
			}
		})
	}
	if status, _ := control(t, endpoint, "GET", "nowhere", ""); status != 404 {
		t.Errorf("unknown path: %d", status)
	}
	if status, _ := control(t, endpoint, "PUT", "state", ""); status != 405 {
		t.Errorf("wrong method: %d", status)
	}
}

func TestControlAccounts(t *testing.T) {
	sim, endpoint, _ := started(t)
	far := mustControl[awssim.Credentials](t, endpoint, "POST", "accounts", `{"account":"210987654321"}`)
	root := mustControl[awssim.Credentials](t, endpoint, "POST", "rootkey", `{"account":"210987654321"}`)
	china := mustControl[awssim.Credentials](t, endpoint, "POST", "accounts", `{"account":"111111111111","region":"cn-north-1"}`)
	got := []string{
		must(whoami(t.Context(), as(endpoint, far))), must(whoami(t.Context(), as(endpoint, root))),
		sim.State().Accounts[china.Account].Users["admin"].ARN,
	}
	want := []string{"arn:aws:iam::210987654321:user/admin", "arn:aws:iam::210987654321:root", "arn:aws-cn:iam::111111111111:user/admin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestReset keeps the bootstrap credentials and nothing else.
func TestReset(t *testing.T) {
	sim, endpoint, admin := started(t)
	before := sim.Admin()
	sim.AddAccount(other)
	sim.PutUser(account, "u", "")
	sim.Inject(awssim.Fault{Kind: awssim.FaultReset, Action: "iam:Nothing"})
	sim.Configure(func(s *awssim.Settings) { s.PageSize = 1 })
	sim.Advance(time.Hour)
	mustControl[struct{}](t, endpoint, "POST", "reset", "")
	if diff := cmp.Diff(before, sim.Admin()); diff != "" {
		t.Error(diff)
	}
	state := sim.State()
	if len(state.Accounts) != 1 || len(state.Accounts[account].Users) != 1 || len(sim.Faults()) != 0 || sim.Settings().PageSize != 0 || len(sim.Journal()) != 0 {
		t.Errorf("left: %+v", state)
	}
	if arn := must(whoami(t.Context(), admin)); arn != "arn:aws:iam::123456789012:user/admin" {
		t.Errorf("caller %s", arn)
	}
	if first := sim.Journal()[0].Sequence; first != 1 {
		t.Errorf("first call after Reset has number %d", first)
	}
}

func TestAdvance(t *testing.T) {
	sim, endpoint, _ := started(t, frozen())
	before := sim.Now()
	out := mustControl[map[string]time.Time](t, endpoint, "POST", "advance", `{"seconds":90}`)
	if got := out["now"].Sub(before); got != 90*time.Second || !sim.Now().Equal(out["now"]) {
		t.Errorf("moved by %s", got)
	}
}

// TestLatency measures nothing: it only proves that a call waits, by having
// the simulator closed under it.
func TestLatency(t *testing.T) {
	sim, _, admin := started(t, awssim.Options{Settings: awssim.Settings{Latency: time.Hour}})
	answered := make(chan error, 1)
	go func() {
		_, err := whoami(t.Context(), admin)
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("answered at once: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	sim.Close()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
