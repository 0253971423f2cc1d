package endurance

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

// start is when the first key of these tests is made.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func keyAt(id string, seconds int) awssim.Key {
	return awssim.Key{ID: id, Status: "Active", Created: start.Add(time.Duration(seconds) * time.Second)}
}

// TestRotationsAreCounted: what is seen of a key that is rotated once a minute.
func TestRotationsAreCounted(t *testing.T) {
	type sight struct {
		inForce string
		inAWS   []awssim.Key
	}
	a, b, c := keyAt("A", 0), keyAt("B", 60), keyAt("C", 65)
	for _, tc := range []struct {
		name      string
		sights    []sight
		rotations int
		doubled   int
	}{
		{"none", []sight{{"A", []awssim.Key{a}}}, 0, 0},
		{"one", []sight{{"A", []awssim.Key{a}}, {"B", []awssim.Key{a, b}}}, 1, 0},
		{"two of one, both seen", []sight{{"A", []awssim.Key{a}}, {"B", []awssim.Key{a, b}}, {"C", []awssim.Key{b, c}}}, 2, 1},
		{"two of one, the first was never seen in force", []sight{{"A", []awssim.Key{a}}, {"C", []awssim.Key{b, c}}}, 2, 1},
		{"a second one at its time", []sight{{"A", []awssim.Key{a}}, {"C", []awssim.Key{a, c}}}, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &rotated{period: time.Minute}
			for _, s := range tc.sights {
				w.note(s.inForce, s.inAWS)
			}
			if len(w.keys)-1 != tc.rotations || w.doubled() != tc.doubled {
				t.Errorf("%d rotations, %d doubled, want %d, %d: %v", len(w.keys)-1, w.doubled(), tc.rotations, tc.doubled, w.keys)
			}
		})
	}
}

// TestRootKeysThatNobodySaw: what signed a call that only the key in force signs
// was in force; a key that was only proven was not.
func TestRootKeysThatNobodySaw(t *testing.T) {
	call := func(key, action string, seconds int) awssim.Call {
		return awssim.Call{
			AccessKey: key, Action: action, Time: start.Add(time.Duration(seconds) * time.Second),
			Caller: "arn:aws:iam::123456789012:user/" + engine,
		}
	}
	w := &rotated{period: 10 * time.Second, keys: []keyInForce{{"A", start}, {"D", start.Add(20 * time.Second)}}}
	w.addSigners([]awssim.Call{
		call("A", "iam:CreateUser", 1),
		call("B", "sts:GetCallerIdentity", 5), call("A", "iam:DeleteAccessKey", 6),
		call("C", "sts:GetCallerIdentity", 11), call("C", "iam:CreateUser", 12),
		call("D", "sts:GetCallerIdentity", 20),
	})
	want := []keyInForce{{"A", start}, {"C", start.Add(11 * time.Second)}, {"D", start.Add(20 * time.Second)}}
	if diff := cmp.Diff(want, w.keys, cmp.AllowUnexported(keyInForce{})); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if got := w.doubled(); got != 0 {
		t.Errorf("doubled() = %d", got)
	}
}

func TestExpectedErrors(t *testing.T) {
	const eof = `{"errors":["rpc error: code = Unavailable desc = error reading from server: EOF"]}`
	for _, tc := range []struct {
		name   string
		killed time.Duration // ago
		answer devstack.Answer
		want   bool
	}{
		{"AWS throttles", time.Hour, devstack.Answer{Status: 502}, true},
		{"AWS is not there", time.Hour, devstack.Answer{Status: 503}, true},
		{"the plugin has just died", time.Second, devstack.Answer{Status: 500, Body: []byte(eof)}, true},
		{"the plugin died by itself", time.Hour, devstack.Answer{Status: 500, Body: []byte(eof)}, false},
		{"an error of ours", time.Second, devstack.Answer{Status: 500, Body: []byte("nil pointer")}, false},
		{"the user's mistake", time.Second, devstack.Answer{Status: 400, Body: []byte(eof)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var r soakRun
			r.killed.Store(now().Add(-tc.killed).UnixNano())
			if got := r.isExpected(tc.answer); got != tc.want {
				t.Errorf("isExpected() = %v", got)
			}
		})
	}
}

func TestSteady(t *testing.T) {
	for _, tc := range []struct {
		name         string
		early, later vitals
		want         bool
	}{
		{"the same", vitals{Heap: 1000, Goroutines: 20}, vitals{Heap: 1000, Goroutines: 20}, true},
		{"less than a tenth more", vitals{Heap: 1000, Goroutines: 20}, vitals{Heap: 1099, Goroutines: 21}, true},
		{"a tenth more memory", vitals{Heap: 1000, Goroutines: 20}, vitals{Heap: 1100, Goroutines: 20}, false},
		{"a tenth more goroutines", vitals{Heap: 1000, Goroutines: 20}, vitals{Heap: 1000, Goroutines: 22}, false},
		{"never taken", vitals{}, vitals{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.early.steady(tc.later); got != tc.want {
				t.Errorf("steady() = %v", got)
			}
		})
	}
}

func TestSetBack(t *testing.T) {
	record := map[string]any{"user_name": "vault-x", "issued": start.Format(time.RFC3339Nano), "next_try": "soon", "deadline": "later"}
	setBack(record)
	if over := now().Sub(record["deadline"].(time.Time)); over < longOver {
		t.Errorf("the deadline was %v ago", over)
	}
	delete(record, "deadline")
	want := map[string]any{"user_name": "vault-x", "issued": start.Add(-leftFor)}
	if diff := cmp.Diff(want, record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	entry := map[string]any{"created_at": float64(10_000), "data": map[string]any{"UserName": "vault-x", "issued_at": start.Format(time.RFC3339Nano)}}
	setBack(entry)
	want = map[string]any{"created_at": int64(7_600), "data": map[string]any{"UserName": "vault-x", "issued_at": start.Add(-leftFor)}}
	if diff := cmp.Diff(want, entry); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}
