package awssim_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// TestFaults tries each kind before and after the effect, and looks at what
// the client saw and what became of the user.
func TestFaults(t *testing.T) {
	for _, tc := range []struct {
		kind awssim.FaultKind
		want string // what the SDK makes of it
	}{
		{awssim.FaultReset, "no answer"},
		{awssim.FaultHang, "no answer"},
		{awssim.FaultThrottle, "400 Throttling"},
		{awssim.FaultError, "500 ServiceFailure"},
		{awssim.FaultHTML, "500 UnknownError"},
		{awssim.FaultTruncate, "no answer"},
	} {
		for when, users := range map[awssim.FaultTime]int{awssim.BeforeEffect: 0, awssim.AfterEffect: 1} {
			t.Run(string(tc.kind)+" "+string(when), func(t *testing.T) {
				sim, _, admin := started(t)
				sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: tc.kind, When: when, Count: 1, Duration: time.Millisecond})
				_, err := admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("u")})
				wantOutcome(t, "CreateUser", err, tc.want)
				if got := sim.Users(account); len(got) != users {
					t.Errorf("users: %v, want %d", got, users)
				}
				_, err = admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("other")})
				wantOutcome(t, "the next CreateUser", err, "ok")
			})
		}
	}
}

// TestFaultOnTheWire looks at what SDKs do not show.
func TestFaultOnTheWire(t *testing.T) {
	sim, endpoint, _ := started(t)
	ask := func() (int, string, error) {
		req := form(t, endpoint, "Action=ListUsers&Version=2010-05-08")
		sign(t, req, simtest.Config(endpoint, sim.Admin()), signing{})
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, "", err
		}
		defer func() { _ = resp.Body.Close() }()
		body := make([]byte, 1<<16)
		n, _ := resp.Body.Read(body)
		return resp.StatusCode, resp.Header.Get("Content-Type") + " " + string(body[:n]), nil
	}
	for _, tc := range []struct {
		fault  awssim.Fault
		status int
		has    string
	}{
		{awssim.Fault{Kind: awssim.FaultThrottle}, 400, "<Code>Throttling</Code><Message>Rate exceeded</Message>"},
		{awssim.Fault{Kind: awssim.FaultError}, 500, "<Type>Receiver</Type><Code>ServiceFailure</Code>"},
		{awssim.Fault{Kind: awssim.FaultError, Status: 409, Code: "ConcurrentModification", Message: "wait"}, 409, "<Code>ConcurrentModification</Code><Message>wait</Message>"},
		{awssim.Fault{Kind: awssim.FaultHTML}, 500, "text/html <html>"},
		{awssim.Fault{Kind: awssim.FaultTruncate}, 200, "<ListUsersResponse"},
		{awssim.Fault{Kind: awssim.FaultTruncate, When: awssim.AfterEffect}, 200, "<ListUsersResponse"},
	} {
		t.Run(string(tc.fault.Kind), func(t *testing.T) {
			tc.fault.Count = 1
			sim.Inject(tc.fault)
			status, body, err := ask()
			if err != nil || status != tc.status || !strings.Contains(body, tc.has) || strings.Contains(body, "</ListUsersResponse>") {
				t.Errorf("%d %s %v, want %d %s", status, body, err, tc.status, tc.has)
			}
		})
	}
}

// TestFaultRules counts calls: which are met, which are spared.
func TestFaultRules(t *testing.T) {
	const bad, good = "400 Throttling", "ok"
	for _, tc := range []struct {
		name  string
		fault awssim.Fault
		want  []string // CreateUser a, ListUsers, CreateUser b, CreateUser c
	}{
		{"every call", awssim.Fault{}, []string{bad, bad, bad, bad}},
		{"the first call", awssim.Fault{Count: 1}, []string{bad, good, good, good}},
		{"one service", awssim.Fault{Action: "sts:*"}, []string{good, good, good, good}},
		{"one action", awssim.Fault{Action: "iam:CreateUser"}, []string{bad, good, bad, bad}},
		{"from the second of an action", awssim.Fault{Action: "iam:CreateUser", Nth: 2}, []string{good, good, bad, bad}},
		{"only the second of an action", awssim.Fault{Action: "iam:CreateUser", Nth: 2, Count: 1}, []string{good, good, bad, good}},
		{"a target", awssim.Fault{Target: "c"}, []string{good, good, good, bad}},
		{"somebody else", awssim.Fault{AccessKey: "AKIA1234567890123456"}, []string{good, good, good, good}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sim, _, admin := started(t)
			tc.fault.Kind = awssim.FaultThrottle
			sim.Inject(tc.fault)
			var got []string
			for _, name := range []string{"a", "", "b", "c"} {
				var err error
				if name == "" {
					_, err = admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
				} else {
					_, err = admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
				}
				got = append(got, outcome(err))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			sim.ClearFaults()
			_, err := admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
			wantOutcome(t, "after ClearFaults", err, good)
		})
	}
}

// TestFaultOfOneCaller spares everybody else.
func TestFaultOfOneCaller(t *testing.T) {
	sim, endpoint, admin := started(t)
	creds := sim.PutUser(account, "u", "")
	sim.Inject(awssim.Fault{AccessKey: creds.AccessKey, Kind: awssim.FaultReset})
	_, err := whoami(t.Context(), as(endpoint, creds))
	wantOutcome(t, "the caller", err, "no answer")
	_, err = whoami(t.Context(), admin)
	wantOutcome(t, "another", err, "ok")
}

// TestHangEndsWithTheClient: a hang without a duration lasts until the client
// leaves, and its effect is there before.
func TestHangEndsWithTheClient(t *testing.T) {
	sim, _, admin := started(t)
	sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultHang, When: awssim.AfterEffect})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := admin.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("u")})
		failed <- err
	}()
	eventually(t, "the effect", func() bool { return len(sim.Users(account)) == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDelay cuts the client off and lets the request arrive later.
func TestDelay(t *testing.T) {
	sim, _, admin := started(t, frozen())
	sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultDelay, Duration: 2 * time.Minute, Count: 2})
	for _, name := range []string{"late", "late"} {
		_, err := admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name})
		wantOutcome(t, "CreateUser", err, "no answer")
	}
	sim.Advance(119 * time.Second)
	if got := sim.Users(account); len(got) != 0 {
		t.Errorf("too early: %v", got)
	}
	sim.Advance(time.Second)
	if got := sim.Users(account); len(got) != 1 {
		t.Errorf("users: %v", got)
	}
	type line struct {
		Code   string
		Status int
		Effect bool
		Fault  awssim.FaultKind
	}
	var got []line
	for _, c := range sim.Journal() {
		got = append(got, line{c.Code, c.Status, c.Effect, c.Fault})
	}
	want := []line{
		{Fault: awssim.FaultDelay},
		{Fault: awssim.FaultDelay},
		{Fault: awssim.FaultDelay, Effect: true},
		{Fault: awssim.FaultDelay, Code: "EntityAlreadyExists"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDelayBeyondTheSignature: a request that arrives too late is refused.
func TestDelayBeyondTheSignature(t *testing.T) {
	sim, _, admin := started(t, frozen())
	sim.Inject(awssim.Fault{Kind: awssim.FaultDelay, Duration: 10 * time.Minute, Count: 1})
	_, err := admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("late")})
	wantOutcome(t, "CreateUser", err, "no answer")
	sim.Advance(10 * time.Minute)
	journal := sim.Journal()
	if last := journal[len(journal)-1]; last.Effect || last.Code != "SignatureDoesNotMatch" || len(sim.Users(account)) != 0 {
		t.Errorf("%+v, users %v", last, sim.Users(account))
	}
}

// TestDelayOnTheWall: with a clock that runs, nobody has to advance it.
func TestDelayOnTheWall(t *testing.T) {
	sim, _, admin := started(t)
	sim.Inject(awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultDelay, Duration: time.Millisecond, Count: 1})
	_, err := admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("late")})
	wantOutcome(t, "CreateUser", err, "no answer")
	eventually(t, "the delayed request", func() bool { return len(sim.Users(account)) == 1 })
}

func TestThrottle(t *testing.T) {
	options := frozen()
	options.Settings.Throttle = awssim.Throttle{Rate: 2, Burst: 3}
	sim, endpoint, admin := started(t, options)
	far := as(endpoint, sim.AddAccount(other))
	list := func(a actor) string {
		_, err := a.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		return outcome(err)
	}
	got := []string{list(admin), list(admin), list(admin), list(admin), list(far)}
	_, err := whoami(t.Context(), admin)
	got = append(got, outcome(err))
	sim.Advance(500 * time.Millisecond)
	got = append(got, list(admin), list(admin))
	want := []string{"ok", "ok", "ok", "400 Throttling", "ok", "ok", "ok", "400 Throttling"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestJournal(t *testing.T) {
	sim, endpoint, admin := started(t)
	creds := sim.PutUser(account, "u", "")
	mustCreateUser(t, admin, "ada")
	_, err := as(endpoint, creds).iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("ada")})
	wantOutcome(t, "DeleteUser", err, "403 AccessDenied")
	_, err = as(endpoint, awssim.Credentials{AccessKey: "AKIAAAAAAAAAAAAAAAAA", SecretKey: "x"}).iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
	wantOutcome(t, "CreateAccessKey", err, "403 InvalidClientTokenId")
	sim.Inject(awssim.Fault{Kind: awssim.FaultReset, When: awssim.AfterEffect})
	_, err = admin.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: aws.String("ada")})
	wantOutcome(t, "DeleteUser", err, "no answer")

	root := "arn:aws:iam::123456789012:user/"
	want := []awssim.Call{
		{Sequence: 1, Service: "iam", Action: "iam:CreateUser", Account: account, Caller: root + "admin", AccessKey: sim.Admin().AccessKey, Target: "ada", Attempt: "attempt=1; max=1", Status: 200, Effect: true},
		{Sequence: 2, Service: "iam", Action: "iam:DeleteUser", Account: account, Caller: root + "u", AccessKey: creds.AccessKey, Target: "ada", Attempt: "attempt=1; max=1", Status: 403, Code: "AccessDenied"},
		{Sequence: 3, Service: "iam", Action: "iam:CreateAccessKey", AccessKey: "AKIAAAAAAAAAAAAAAAAA", Attempt: "attempt=1; max=1", Status: 403, Code: "InvalidClientTokenId"},
		{Sequence: 4, Service: "iam", Action: "iam:DeleteUser", Account: account, Caller: root + "admin", AccessKey: sim.Admin().AccessKey, Target: "ada", Attempt: "attempt=1; max=1", Effect: true, Fault: awssim.FaultReset},
	}
	got := sim.Journal()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(awssim.Call{}, "Time", "Invocation", "RequestID")); diff != "" {
		t.Error(diff)
	}
	for _, c := range got {
		if c.Invocation == "" || c.RequestID == "" {
			t.Errorf("no invocation or request id: %+v", c)
		}
	}
}

// TestSeed: the same calls get the same ids and secrets.
func TestSeed(t *testing.T) {
	run := func() ([]string, []awssim.Call) {
		options := frozen()
		options.Seed = 7
		sim, _, admin := started(t, options)
		mustCreateUser(t, admin, "ada")
		key := must(admin.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ada")})).AccessKey
		return []string{sim.Admin().SecretKey, sim.State().Accounts[account].Users["ada"].ID, *key.AccessKeyId, *key.SecretAccessKey}, sim.Journal()
	}
	firstIDs, firstCalls := run()
	secondIDs, secondCalls := run()
	if diff := cmp.Diff(firstIDs, secondIDs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(firstCalls, secondCalls, cmpopts.IgnoreFields(awssim.Call{}, "Invocation", "Time")); diff != "" {
		t.Error(diff)
	}
}
