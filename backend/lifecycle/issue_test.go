package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// TestL1NothingIsMadeBeforeItsEntryIsDurable: a journal that does not say that
// the entry is durable ends the request before AWS hears of it.
func TestL1NothingIsMadeBeforeItsEntryIsDurable(t *testing.T) {
	for _, how := range []mishap{refused, unavailable, lost, hang, hangAfter, cancelled, cancelledAfter, panics, panicsAfter} {
		t.Run(string(how), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.inject(fault{op: "journal:Record", how: how})
				if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); err == nil {
					t.Error("IssueUser succeeded")
				}
				if diff := cmp.Diff([]string{"journal:Record"}, w.called()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}

// TestIssueUser is the way without a fault: what is asked for is handed out, and
// nothing is called that is not needed.
func TestIssueUser(t *testing.T) {
	for _, tc := range []struct {
		name string
		spec lifecycle.UserSpec
		want map[string]int // calls
	}{
		{
			name: "an inline policy",
			spec: plainSpec("vault-a"),
			want: map[string]int{
				"journal:Record": 1, "iam:CreateUser": 1, "iam:PutUserPolicy": 1, "iam:CreateAccessKey": 1,
				"journal:Reassert": 1, "journal:Strike": 1, "records:PutRecord": 1,
			},
		}, {
			name: "everything, the key last",
			spec: richSpec("vault-a"),
			want: map[string]int{
				"journal:Record": 1, "iam:CreateUser": 1, "iam:AttachUserPolicy": 2, "iam:PutUserPolicy": 1,
				"iam:AddUserToGroup": 1, "iam:CreateAccessKey": 1, "journal:Reassert": 1, "journal:Strike": 1, "records:PutRecord": 1,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				got, err := w.start().issue(t.Context(), tc.spec)
				want := lifecycle.IssuedUser{Name: "vault-a", Account: ourAccount, Key: lifecycle.AccessKey{ID: "AKIA1", Secret: "secret of AKIA1"}}
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("IssueUser: %v (-want +got):\n%s", err, diff)
				}
				if diff := cmp.Diff(tc.want, w.counts()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}

// TestIssueUserNotesTheAccount: the entry of a mount's first user gets the
// account from CreateUser, later ones have it from the start.
func TestIssueUserNotesTheAccount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		w.deny("iam:PutUserPolicy", "iam:DeleteUser") // leaves the entries
		for _, name := range []string{"vault-a", "vault-b"} {
			if _, err := p.issue(t.Context(), plainSpec(name)); !errors.Is(err, awserr.Denied) {
				t.Errorf("IssueUser: %v, want a denial", err)
			}
		}
		if diff := cmp.Diff(map[string]string{"vault-a": ourAccount, "vault-b": ourAccount}, w.accountsInJournal()); diff != "" {
			t.Errorf("accounts (-want +got):\n%s", diff)
		}
		w.settle(t.Context())
		w.mustBeSettled(t)
	})
}

// TestL8ALostReplyCostsTimeNotTheAnswer: after an ambiguous create we look, then
// go on. There is one user and one key in the end: what was handed out.
func TestL8ALostReplyCostsTimeNotTheAnswer(t *testing.T) {
	busy := &awserr.Error{Op: "iam", Kind: awserr.Busy, Code: "ConcurrentModification", Status: 409}
	for _, tc := range []struct {
		name  string
		fault fault
		lag   int
		want  map[string]int // calls that matter
	}{
		{
			name:  "CreateUser, no effect",
			fault: fault{op: "iam:CreateUser", how: unavailable},
			want:  map[string]int{"iam:CreateUser": 2, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateUser, with effect",
			fault: fault{op: "iam:CreateUser", how: lost},
			want:  map[string]int{"iam:CreateUser": 2, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateUser, twice",
			fault: fault{op: "iam:CreateUser", how: lost, times: 2},
			want:  map[string]int{"iam:CreateUser": 3, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateUser, effect a minute later",
			fault: fault{op: "iam:CreateUser", how: late, delay: time.Minute},
			want:  map[string]int{"iam:CreateUser": 2, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateUser panics in the client",
			fault: fault{op: "iam:CreateUser", how: panicsAfter},
			want:  map[string]int{"iam:CreateUser": 2, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateAccessKey, no effect",
			fault: fault{op: "iam:CreateAccessKey", how: unavailable},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 2, "iam:ListAccessKeys": 1},
		}, {
			name:  "CreateAccessKey, with effect",
			fault: fault{op: "iam:CreateAccessKey", how: lost},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 2, "iam:ListAccessKeys": 1, "iam:DeleteAccessKey": 1},
		}, {
			name:  "CreateUser busy",
			fault: fault{op: "iam:CreateUser", how: refused, err: busy, times: 3},
			want:  map[string]int{"iam:CreateUser": 4, "iam:CreateAccessKey": 1},
		}, {
			name:  "CreateAccessKey busy",
			fault: fault{op: "iam:CreateAccessKey", how: refused, err: busy, times: 3},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 4},
		}, {
			name:  "the policy busy",
			fault: fault{op: "iam:PutUserPolicy", how: refused, err: busy, times: 3},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 1, "iam:PutUserPolicy": 4},
		}, {
			name:  "the policy busy for long",
			fault: fault{op: "iam:PutUserPolicy", how: refused, err: busy, times: 8},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 1, "iam:PutUserPolicy": 9},
		}, {
			name:  "the new user is not visible to the policy for long",
			fault: fault{op: "iam:PutUserPolicy", how: refused, err: unknownUser("vault-a"), times: 8},
			want:  map[string]int{"iam:CreateUser": 1, "iam:CreateAccessKey": 1, "iam:PutUserPolicy": 9},
		}, {
			name: "the new user is not visible yet",
			lag:  4,
			want: map[string]int{"iam:CreateUser": 1},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.lag = tc.lag
				if tc.fault.how != "" {
					w.inject(tc.fault)
				}
				if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); err != nil {
					t.Errorf("IssueUser: %v", err)
				}
				counts := w.counts()
				for op, want := range tc.want {
					if got := counts[op]; got != want {
						t.Errorf("%s was called %d times, want %d", op, got, want)
					}
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
				w.mustHaveKeys(t, "vault-a", w.issued["vault-a"].Key.ID)
			})
		})
	}
}

// unknownUser is what AWS says of a user that it does not show.
func unknownUser(name string) error {
	return &awserr.Error{Op: "iam:PutUserPolicy", Kind: awserr.NotFound, Code: "NoSuchEntity", Message: "The user with name " + name + " cannot be found.", Status: 404}
}

// TestL8Unseen: a user that IAM never shows is AWS's fault; a policy that does not
// exist is not.
func TestL8Unseen(t *testing.T) {
	for op, err := range map[string]error{"iam:PutUserPolicy": unknownUser("vault-a"), "iam:CreateAccessKey": awserr.NotFound} {
		inWorld(t, func(t *testing.T, w *world) {
			w.inject(fault{op: op, how: refused, err: err, times: -1})
			if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); !errors.Is(err, lifecycle.ErrUnseen) {
				t.Errorf("%s: %v, want ErrUnseen", op, err)
			}
		})
	}
	inWorld(t, func(t *testing.T, w *world) {
		gone := &awserr.Error{Op: "iam:PutUserPolicy", Kind: awserr.NotFound, Code: "NoSuchEntity", Message: "Policy vault-a does not exist or is not attachable.", Status: 404}
		w.inject(fault{op: "iam:PutUserPolicy", how: refused, err: gone, times: -1})
		if _, err := w.start().issue(t.Context(), plainSpec("vault-a")); errors.Is(err, lifecycle.ErrUnseen) {
			t.Errorf("the policy does not exist: %v", err)
		}
	})
}

// TestL8NotRepeated: where a repetition could hurt or help nobody, the error is
// the answer, and nothing is left behind.
func TestL8NotRepeated(t *testing.T) {
	for _, tc := range []struct {
		name   string
		spec   lifecycle.UserSpec
		faults []fault
		want   map[string]int
	}{
		{
			name:   "the name may be somebody else's",
			spec:   commonSpec("vault-a"),
			faults: []fault{{op: "iam:CreateUser", how: lost}},
			want:   map[string]int{"iam:CreateUser": 1},
		}, {
			name:   "CreateUser is lost again and again",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateUser", how: unavailable, times: -1}},
			want:   map[string]int{"iam:CreateUser": 3},
		}, {
			name:   "CreateUser is lost, then refused",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateUser", how: unavailable}, {op: "iam:CreateUser", nth: 1, how: refused, times: -1}},
			want:   map[string]int{"iam:CreateUser": 2},
		}, {
			name:   "the journal cannot note that CreateUser is sent again",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateUser", how: lost}, {op: "journal:Reassert", how: refused}},
			want:   map[string]int{"iam:CreateUser": 1},
		}, {
			name:   "CreateAccessKey is lost twice",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateAccessKey", how: lost, times: 2}},
			want:   map[string]int{"iam:CreateAccessKey": 2},
		}, {
			name:   "the keys of a lost CreateAccessKey cannot be listed",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateAccessKey", how: lost}, {op: "iam:ListAccessKeys", how: refused}},
			want:   map[string]int{"iam:CreateAccessKey": 1},
		}, {
			name:   "CreateAccessKey is refused",
			spec:   plainSpec("vault-a"),
			faults: []fault{{op: "iam:CreateAccessKey", how: refused, times: -1}},
			want:   map[string]int{"iam:CreateAccessKey": 1},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				for _, f := range tc.faults {
					w.inject(f)
				}
				if _, err := w.start().issue(t.Context(), tc.spec); err == nil {
					t.Error("IssueUser succeeded")
				}
				counts := w.counts()
				for op, want := range tc.want {
					if got := counts[op]; got != want {
						t.Errorf("%s was called %d times, want %d", op, got, want)
					}
				}
				w.settle(t.Context())
				w.mustBeSettled(t)
			})
		})
	}
}

// TestIssueUserFails: the error of the call that failed is the answer, and the
// user is gone when it is given: nothing waits for the rollback.
func TestIssueUserFails(t *testing.T) {
	for _, tc := range []struct {
		name    string
		missing string
		fault   fault
		want    awserr.Kind
	}{
		{name: "no such policy", missing: "arn:aws:iam::aws:policy/Two", want: awserr.NotFound},
		{name: "no such group", missing: "staff", want: awserr.NotFound},
		{name: "no such boundary", missing: "arn:aws:iam::aws:policy/Boundary", want: awserr.NotFound},
		{name: "CreateUser denied", fault: fault{op: "iam:CreateUser", how: refused}, want: awserr.Denied},
		{name: "inline policy denied", fault: fault{op: "iam:PutUserPolicy", how: refused}, want: awserr.Denied},
		{name: "inline policy lost", fault: fault{op: "iam:PutUserPolicy", how: lost}, want: awserr.Unavailable},
		{name: "CreateAccessKey denied", fault: fault{op: "iam:CreateAccessKey", how: refused}, want: awserr.Denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.missing[tc.missing] = tc.missing != ""
				if tc.fault.how != "" {
					w.inject(tc.fault)
				}
				_, err := w.start().issue(t.Context(), richSpec("vault-a"))
				if !errors.Is(err, tc.want) {
					t.Errorf("IssueUser: %v, want %q", err, tc.want)
				}
				w.mustBeSettled(t)
			})
		})
	}
}

// TestIssueUserPanics: a panic in a port is a failed call, whose user is removed
// at once; the request ends in an error.
func TestIssueUserPanics(t *testing.T) {
	for _, op := range []string{"iam:CreateAccessKey", "iam:PutUserPolicy", "journal:Strike"} {
		for _, how := range []mishap{panics, panicsAfter} {
			t.Run(op+" "+string(how), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					w.inject(fault{op: op, times: 2, how: how})
					_, err := w.start().issue(t.Context(), plainSpec("vault-a"))
					if caught := (*lifecycle.PanicError)(nil); !errors.As(err, &caught) || len(caught.Stack) == 0 {
						t.Errorf("IssueUser: %v, want a panic with its stack", err)
					}
					if diff := cmp.Diff([]string{}, w.ourUsers()); diff != "" {
						t.Errorf("users left:\n%s", diff)
					}
					w.settle(t.Context())
					w.mustBeSettled(t)
				})
			})
		}
	}
}

// TestMint: a session is asked for once, and what comes back is handed on.
func TestMint(t *testing.T) {
	want := lifecycle.Session{AccessKey: "ASIA1", SecretKey: "s", SessionToken: "t", ARN: "arn", Expires: time.Unix(1, 0)}
	denied := &awserr.Error{Op: "sts:AssumeRole", Kind: awserr.Denied}
	got, err := lifecycle.Mint(t.Context(), func(context.Context) (lifecycle.Session, error) { return want, denied })
	if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, awserr.Denied) {
		t.Errorf("Mint: %v (-want +got):\n%s", err, diff)
	}
}
