package awsclient_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/google/go-cmp/cmp"
)

// observer keeps what it is told.
type observer struct {
	mu   sync.Mutex
	told []awsclient.Attempt
}

func (o *observer) observe(a awsclient.Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, a)
}

// attempts are what was told since the last time, sorted by code.
func (o *observer) attempts() []awsclient.Attempt {
	o.mu.Lock()
	defer o.mu.Unlock()
	told := o.told
	o.told = nil
	slices.SortStableFunc(told, func(a, b awsclient.Attempt) int { return strings.Compare(a.Code, b.Code) })
	return told
}

// TestObserved: each attempt is told of, with a code from our own tables and
// without its wait for the governor: the clock here passes only while that waits.
func TestObserved(t *testing.T) {
	t.Parallel()
	cloud, clock, seen := newCloud(t, awssim.Options{}), &hasty{now: time.Now()}, &observer{}
	settings := cloud.settings()
	settings.MaxRetries = 1
	settings.Accounts, settings.Now, settings.Observe = governor.NewAccounts(clock), clock.Now, seen.observe
	client := mustClient(t, settings)
	for _, tc := range []struct {
		name  string
		fault awssim.Fault
		codes []string
	}{
		{"an answer", awssim.Fault{Action: "iam:CreateUser", Kind: awssim.FaultThrottle}, []string{"OK"}},
		{"one repetition", awssim.Fault{Action: "sts:*", Kind: awssim.FaultThrottle, Count: 1}, []string{"OK", "Throttling"}},
		{"no answer", awssim.Fault{Action: "sts:*", Kind: awssim.FaultReset}, []string{"no_answer", "no_answer"}},
		{"a code that somebody made up", awssim.Fault{Action: "sts:*", Kind: awssim.FaultError, Status: http.StatusBadRequest, Code: "Bogus4711"}, []string{"other"}},
		{"a page of somebody else's", awssim.Fault{Action: "sts:*", Kind: awssim.FaultHTML}, []string{"other", "other"}},
	} {
		cloud.ClearFaults()
		cloud.Inject(tc.fault)
		_, err := client.Identity(t.Context())
		var want []awsclient.Attempt
		for _, code := range tc.codes {
			want = append(want, awsclient.Attempt{Action: "sts:GetCallerIdentity", Code: code})
		}
		if diff := cmp.Diff(want, seen.attempts()); diff != "" {
			t.Errorf("%s (%v): attempts (-want +got):\n%s", tc.name, err, diff)
		}
	}
	cloud.ClearFaults()
	cloud.Inject(awssim.Fault{Action: "iam:*", Kind: awssim.FaultThrottle, Count: 8})
	for range 6 {
		_, _ = client.ListAccessKeys(t.Context(), "nobody")
	}
	for _, a := range seen.attempts() {
		if a.Took != 0 {
			t.Errorf("%+v: the wait for the governor counts", a)
		}
	}
}
