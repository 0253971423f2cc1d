package awssim_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

// TestPresets: each is valid, survives the wire, and "ideal" is what a
// simulator starts with.
func TestPresets(t *testing.T) {
	sim, endpoint, _ := started(t)
	for _, name := range awssim.PresetNames() {
		want := must(awssim.Preset(name))
		if err := (awssim.Options{Settings: want}).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got awssim.Settings
		if err := json.Unmarshal(must(json.Marshal(want)), &got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s on the wire: %s", name, diff)
		}
		if diff := cmp.Diff(want, mustControl[awssim.Settings](t, endpoint, "POST", "preset", `{"preset":"`+name+`"}`)); diff != "" {
			t.Errorf("%s put in force: %s", name, diff)
		}
	}
	sim.Reset()
	if diff := cmp.Diff(must(awssim.Preset("ideal")), sim.Settings()); diff != "" {
		t.Error(diff)
	}
	if status, _ := control(t, endpoint, "POST", "preset", `{"preset":"cosy"}`); status != 400 {
		t.Errorf("unknown preset: %d", status)
	}
}

// TestRealisticLatency: on fake time every call takes 60 to 150 ms to the
// nanosecond, and not always the same.
func TestRealisticLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, admin, _ := inBubble(t, awssim.Options{Settings: must(awssim.Preset("realistic"))})
		seen := map[time.Duration]bool{}
		for range 100 {
			start := time.Now()
			if _, err := whoami(t.Context(), admin); err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			if took < 60*time.Millisecond || took > 150*time.Millisecond {
				t.Errorf("a call took %s", took)
			}
			seen[took] = true
		}
		if len(seen) < 90 {
			t.Errorf("%d different latencies in 100 calls", len(seen))
		}
	})
}

// TestShortPages: pages may be short and even empty; whoever follows
// IsTruncated gets everything, once.
func TestShortPages(t *testing.T) {
	sim, _, admin := started(t, awssim.Options{Seed: 3, Settings: awssim.Settings{ShortPages: 1}})
	want := []string{"admin"}
	for i := range 20 {
		name := string(rune('a' + i))
		sim.PutUser(account, name, "")
		want = append(want, name)
	}
	slices.Sort(want)
	var got []string
	empty, short := 0, 0
	pages := iam.NewListUsersPaginator(admin.iam, &iam.ListUsersInput{MaxItems: aws.Int32(5)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(page.Users); n == 0 {
			empty++
		} else if n < 5 && page.IsTruncated {
			short++
		}
		for _, u := range page.Users {
			got = append(got, *u.UserName)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || empty == 0 || short == 0 {
		t.Errorf("%d empty and %d short pages; %s", empty, short, diff)
	}
}

// TestThrottleSTS: STS's bucket is its own, and a Region's.
func TestThrottleSTS(t *testing.T) {
	_, _, admin := lagging(t, awssim.Settings{ThrottleSTS: awssim.Throttle{Rate: 1, Burst: 2}})
	elsewhere := admin.cfg
	elsewhere.Region = "eu-west-1"
	got := []string{asks(t, admin), asks(t, admin), asks(t, admin), asks(t, actorOf(elsewhere))}
	_, err := admin.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
	if diff := cmp.Diff([]string{"ok", "ok", "400 Throttling", "ok", "ok"}, append(got, outcome(err))); diff != "" {
		t.Error(diff)
	}
}

// TestChaos: faults of all kinds turn up, and each says in the journal what
// it was.
func TestChaos(t *testing.T) {
	sim, _, admin := started(t, awssim.Options{Seed: 1, Settings: awssim.Settings{Chaos: 0.5}})
	for i := range 200 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		_, _ = admin.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}) // half of them fail
	}
	met, codes := map[awssim.FaultKind]int{}, map[string]int{}
	for _, c := range sim.Journal() {
		met[c.Fault]++
		codes[c.Code]++
	}
	if n := met[""]; n < 70 || n > 130 {
		t.Errorf("%d of 200 calls met no fault", n)
	}
	for _, kind := range []awssim.FaultKind{awssim.FaultError, awssim.FaultThrottle, awssim.FaultReset, awssim.FaultTruncate, awssim.FaultHTML} {
		if met[kind] == 0 {
			t.Errorf("no fault of kind %s: %v", kind, met)
		}
	}
	for _, code := range []string{"ServiceFailure", "ServiceUnavailable", "ConcurrentModification", "EntityTemporarilyUnmodifiable"} {
		if codes[code] == 0 {
			t.Errorf("no %s among %v", code, slices.Sorted(maps.Keys(codes)))
		}
	}
}
