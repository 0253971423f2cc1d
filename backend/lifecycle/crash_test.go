package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
)

// everyMishap is what may happen to any call. late requests land while the
// signature of the request still holds.
var everyMishap = []fault{
	{how: refused},
	{how: unavailable},
	{how: lost},
	{how: hang},
	{how: hangAfter},
	{how: cancelled},
	{how: cancelledAfter},
	{how: panics},
	{how: panicsAfter},
	{how: late, delay: time.Second},
	{how: late, delay: 14 * time.Minute},
	{how: jump, delay: time.Minute},
	{how: jump, delay: 10 * time.Minute},
	{how: dies},
	{how: diesAfter},
}

func (f fault) name() string {
	if f.delay != 0 {
		return fmt.Sprintf("%s %s", f.how, f.delay)
	}
	return string(f.how)
}

// TestL2NoUserIsForgotten has each call of IssueUser, to AWS and to the journal,
// go wrong in turn and in each way, its clean-up included. At every moment each
// user of ours is written down or handed out, and in the end only those that
// were handed out are left.
func TestL2NoUserIsForgotten(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec lifecycle.UserSpec
	}{
		{"an inline policy", plainSpec("vault-a")},
		{"everything, the key last", richSpec("vault-a")},
		{"a common name", commonSpec("vault-a")},
	} {
		for _, f := range everyMishap {
			t.Run(tc.name+"/"+f.name(), func(t *testing.T) {
				for f.nth = 0; issueUnder(t, tc.spec, f); f.nth++ {
				}
			})
		}
	}
}

// issueUnder issues a user under faults and lets the world settle. It reports
// whether the last of the faults has met a call.
func issueUnder(t *testing.T, spec lifecycle.UserSpec, faults ...fault) (fired bool) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		var injected []*fault
		for _, f := range faults {
			injected = append(injected, w.inject(f))
		}
		_, err := w.start().issue(t.Context(), spec)
		w.settle(t.Context())
		w.mustBeSettled(t)
		fired = injected[len(injected)-1].fired()
		if t.Failed() || len(w.breaches()) != 0 {
			t.Logf("with %v; IssueUser returned: %v; calls: %q", injected, err, w.called())
		}
	})
	return fired
}

// TestL2NoUserIsForgottenTwice has two calls go wrong, so that clean-up,
// repetition and rollback are met as well.
func TestL2NoUserIsForgottenTwice(t *testing.T) {
	mishaps := []fault{{how: refused}, {how: unavailable}, {how: lost}, {how: hangAfter}, {how: late, delay: 14 * time.Minute}, {how: dies}}
	for _, first := range mishaps {
		for _, second := range mishaps {
			t.Run(first.name()+", then "+second.name(), func(t *testing.T) {
				walkPairs(t, first, second)
			})
		}
	}
}

func walkPairs(t *testing.T, first, second fault) {
	t.Helper()
	for _, spec := range []lifecycle.UserSpec{richSpec("vault-a"), commonSpec("vault-a")} {
		for first.nth = 0; issueUnder(t, spec, first); first.nth++ {
			second.nth = first.nth + 1
			for issueUnder(t, spec, first, second) {
				second.nth++
			}
		}
	}
}
