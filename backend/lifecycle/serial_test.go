package lifecycle_test

import (
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// TestSerialAfterAConflict: once AWS was not up to calls side by side, a mount
// issues serially for ten minutes; a policy that does not exist is no conflict.
func TestSerialAfterAConflict(t *testing.T) {
	for _, tc := range []struct {
		name   string
		upset  func(w *world)
		wait   time.Duration
		serial bool
	}{
		{"no conflict", func(*world) {}, 0, false},
		{"a concurrent modification", func(w *world) {
			w.inject(fault{op: "iam:PutUserPolicy", how: refused, err: someErrors["busy"]})
		}, 0, true},
		{"a user that is not seen yet", func(w *world) {
			w.inject(fault{op: "iam:CreateAccessKey", how: refused, err: &awserr.Error{Op: "iam:CreateAccessKey", Kind: awserr.NotFound, Code: "NoSuchEntity"}})
		}, 0, true},
		{"ten minutes later", func(w *world) {
			w.inject(fault{op: "iam:PutUserPolicy", how: refused, err: someErrors["busy"]})
		}, 10*time.Minute + time.Second, false},
		{"a policy that does not exist", func(w *world) {
			w.inject(fault{op: "iam:AttachUserPolicy", times: -1, how: refused, err: &awserr.Error{Op: "iam:AttachUserPolicy", Kind: awserr.NotFound, Code: "NoSuchEntity"}})
		}, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				p := w.start()
				tc.upset(w)
				_, _ = p.issue(t.Context(), richSpec("vault-first"))
				w.heal()
				time.Sleep(tc.wait)
				w.inject(fault{op: "iam:AttachUserPolicy", how: slow, delay: 5 * time.Second})
				w.inject(fault{op: "iam:PutUserPolicy", how: slow, delay: 5 * time.Second})
				start := time.Now()
				if _, err := p.issue(t.Context(), richSpec("vault-second")); err != nil {
					t.Fatal(err)
				}
				if serial := time.Since(start) > 10*time.Second; serial != tc.serial {
					t.Errorf("issuing took %s; serial %t, want %t", time.Since(start), serial, tc.serial)
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}
