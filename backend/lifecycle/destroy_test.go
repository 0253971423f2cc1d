package lifecycle_test

import (
	"errors"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// put makes a user that a lease names, born two hours ago.
func (w *world) put(name string, parts lifecycle.Parts) *user {
	u := newUser()
	u.created, u.byHand = time.Now().Add(-2*time.Hour), true
	for _, id := range parts.AccessKeys {
		u.keys[id] = plainKey
	}
	for has, names := range map[*map[string]bool][]string{&u.policies: parts.PolicyARNs, &u.inline: parts.InlinePolicies, &u.groups: parts.Groups} {
		for _, part := range names {
			(*has)[part] = true
		}
	}
	w.users[name] = u
	w.issued[name] = lifecycle.IssuedUser{Name: name}
	return u
}

// putForeign makes a user that somebody else made.
func (w *world) putForeign(name string, created time.Time) {
	u := w.put(name, allParts())
	u.foreign, u.created = true, created
	delete(w.issued, name)
}

func allParts() lifecycle.Parts {
	return lifecycle.Parts{
		AccessKeys:     []string{"AKIA-one", "AKIA-two"},
		PolicyARNs:     []string{"arn:aws:iam::aws:policy/One", "arn:aws:iam::aws:policy/Two"},
		InlinePolicies: []string{"role"},
		Groups:         []string{"staff"},
	}
}

func keyOnly() lifecycle.Parts { return lifecycle.Parts{AccessKeys: []string{"AKIA-one"}} }

func (w *world) doomed(name string) lifecycle.Doomed {
	return lifecycle.Doomed{Name: name, Account: ourAccount, Born: w.clock.Now().Add(-2 * time.Hour)}
}

// TestL3DestroyUser is each way to a user that is gone.
func TestL3DestroyUser(t *testing.T) {
	everything := allParts()
	conflict := &awserr.Error{Op: "iam:DeleteUser", Kind: awserr.InUse, Code: "DeleteConflict", Status: 409}
	for _, tc := range []struct {
		name  string
		has   lifecycle.Parts
		known *lifecycle.Parts
		fault fault
		want  map[string]int
	}{
		{
			name:  "all is known, and nothing is listed",
			has:   everything,
			known: &everything,
			want:  map[string]int{"sts:GetCallerIdentity": 1, "iam:DeleteAccessKey": 2, "iam:DetachUserPolicy": 2, "iam:DeleteUserPolicy": 1, "iam:RemoveUserFromGroup": 1, "iam:DeleteUser": 1},
		}, {
			name: "nothing is known",
			has:  everything,
			want: map[string]int{
				"sts:GetCallerIdentity": 1,
				"iam:ListAccessKeys":    1, "iam:ListAttachedUserPolicies": 1, "iam:ListUserPolicies": 1, "iam:ListGroupsForUser": 1,
				"iam:DeleteAccessKey": 2, "iam:DetachUserPolicy": 2, "iam:DeleteUserPolicy": 1, "iam:RemoveUserFromGroup": 1, "iam:DeleteUser": 1,
			},
		}, {
			name:  "parts that are gone already count as removed",
			has:   keyOnly(),
			known: &everything,
			want:  map[string]int{"sts:GetCallerIdentity": 1, "iam:DeleteAccessKey": 2, "iam:DetachUserPolicy": 2, "iam:DeleteUserPolicy": 1, "iam:RemoveUserFromGroup": 1, "iam:DeleteUser": 1},
		}, {
			name:  "more hangs on it than is known",
			has:   everything,
			known: &lifecycle.Parts{AccessKeys: everything.AccessKeys},
			want: map[string]int{
				"sts:GetCallerIdentity": 1,
				"iam:DeleteAccessKey":   2, "iam:DeleteUser": 2,
				"iam:ListAccessKeys": 1, "iam:ListAttachedUserPolicies": 1, "iam:ListUserPolicies": 1, "iam:ListGroupsForUser": 1,
				"iam:DetachUserPolicy": 2, "iam:DeleteUserPolicy": 1, "iam:RemoveUserFromGroup": 1,
			},
		}, {
			name:  "what was detached is still seen by DeleteUser",
			has:   keyOnly(),
			fault: fault{op: "iam:DeleteUser", how: refused, err: conflict, times: 2},
			want: map[string]int{
				"sts:GetCallerIdentity": 1, "iam:DeleteAccessKey": 1, "iam:DeleteUser": 3,
				"iam:ListAccessKeys": 3, "iam:ListAttachedUserPolicies": 3, "iam:ListUserPolicies": 3, "iam:ListGroupsForUser": 3,
				"iam:DeleteLoginProfile": 1, "iam:ListServiceSpecificCredentials": 1, "iam:ListMFADevices": 1, "iam:ListSSHPublicKeys": 1, "iam:ListSigningCertificates": 1,
			},
		}, {
			name:  "DeleteUser busy",
			has:   keyOnly(),
			fault: fault{op: "iam:DeleteUser", how: refused, err: &awserr.Error{Kind: awserr.Busy}, times: 2},
			want: map[string]int{
				"sts:GetCallerIdentity": 1, "iam:DeleteAccessKey": 1, "iam:DeleteUser": 3,
				"iam:ListAccessKeys": 1, "iam:ListAttachedUserPolicies": 1, "iam:ListUserPolicies": 1, "iam:ListGroupsForUser": 1,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.put("vault-a", tc.has)
				if tc.fault.how != "" {
					w.inject(tc.fault)
				}
				u := w.doomed("vault-a")
				u.Known = tc.known
				if err := w.start().destroy(t.Context(), u); err != nil {
					t.Errorf("DestroyUser: %v", err)
				}
				if diff := cmp.Diff(tc.want, w.counts()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				w.mustBeSettled(t)
			})
		})
	}
}

// TestL4NothingIsDetachedWhileAKeyLives: a key that cannot be deleted keeps its
// policies, one of which may be a Deny.
func TestL4NothingIsDetachedWhileAKeyLives(t *testing.T) {
	everything := allParts()
	for _, tc := range []struct {
		name  string
		known *lifecycle.Parts
		how   mishap
	}{
		{"known parts, denied", &everything, refused},
		{"listed parts, denied", nil, refused},
		{"known parts, no answer", &everything, unavailable},
		{"listed parts, no answer", nil, unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				u := w.put("vault-a", everything)
				w.inject(fault{op: "iam:DeleteAccessKey", nth: 1, times: -1, how: tc.how})
				doomed := w.doomed("vault-a")
				doomed.Known = tc.known
				if err := w.start().destroy(t.Context(), doomed); err == nil {
					t.Error("DestroyUser succeeded")
				}
				has := u.parts()
				if len(has.AccessKeys) != 1 {
					t.Errorf("keys %q, want one left", has.AccessKeys)
				}
				has.AccessKeys = everything.AccessKeys
				if diff := cmp.Diff(everything, has); diff != "" {
					t.Errorf("parts (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// TestW4ADeniedListDoesNotKeepTheKeyAlive: the key goes before anything else is
// asked, and the error names the list that was refused.
func TestW4ADeniedListDoesNotKeepTheKeyAlive(t *testing.T) {
	for _, op := range []string{"iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser"} {
		t.Run(op, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				u := w.put("vault-a", allParts())
				w.deny(op)
				err := w.start().destroy(t.Context(), w.doomed("vault-a"))
				if call := (*awserr.Error)(nil); !errors.As(err, &call) || call.Op != op {
					t.Errorf("DestroyUser: %v, want a denial of %s", err, op)
				}
				if len(u.keys) != 0 {
					t.Errorf("keys left: %v", u.keys)
				}
			})
		})
	}
}

// TestW12ADeniedListDoesNotStopTheRollback: what the list would show does not
// exist, and DeleteUser is the judge.
func TestW12ADeniedListDoesNotStopTheRollback(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.announce("vault-a", 10*time.Minute, plainSpec("vault-a"))
		parts := allParts()
		parts.Groups = nil
		w.put("vault-a", parts)
		delete(w.issued, "vault-a")
		w.deny("iam:ListGroupsForUser")
		w.pass(t.Context(), w.start())
		w.mustBeSettled(t)
	})
}

// TestDestroyUserSaysWhy: where the user stays, the error is that of the call
// that keeps it.
func TestDestroyUserSaysWhy(t *testing.T) {
	for _, tc := range []struct {
		name   string
		faults []fault
		want   string // the operation
	}{
		{"a part cannot be removed", []fault{{op: "iam:DetachUserPolicy", times: -1, how: refused}}, "iam:DetachUserPolicy"},
		{"the user cannot be deleted", []fault{{op: "iam:DeleteUser", times: -1, how: refused}}, "iam:DeleteUser"},
		{"the keys cannot be listed", []fault{{op: "iam:ListAccessKeys", times: -1, how: refused}}, "iam:ListAccessKeys"},
		{"the account cannot be told", []fault{{op: "sts:GetCallerIdentity", times: -1, how: unavailable}}, "sts:GetCallerIdentity"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.put("vault-a", allParts())
				for _, f := range tc.faults {
					w.inject(f)
				}
				err := w.start().destroy(t.Context(), w.doomed("vault-a"))
				if call := (*awserr.Error)(nil); !errors.As(err, &call) || call.Op != tc.want {
					t.Errorf("DestroyUser: %v, want one of %s", err, tc.want)
				}
			})
		})
	}
}

// TestL7Gone: NoSuchEntity is believed of old users only, and of those in our
// account.
func TestL7Gone(t *testing.T) {
	for _, tc := range []struct {
		name   string
		age    time.Duration
		change func(*lifecycle.Doomed)
		want   error
	}{
		{name: "confirmed, too young", age: 5 * time.Minute, want: awserr.NotFound},
		{name: "confirmed, old enough", age: 5*time.Minute + time.Second},
		{name: "announced, too young", age: 30 * time.Minute, change: func(u *lifecycle.Doomed) { u.Unconfirmed, u.NameUnique = true, true }, want: awserr.NotFound},
		{name: "announced, old enough", age: 30*time.Minute + time.Second, change: func(u *lifecycle.Doomed) { u.Unconfirmed, u.NameUnique = true, true }},
		{name: "announced under a common name, too young", age: 30 * time.Minute, change: func(u *lifecycle.Doomed) { u.Unconfirmed = true }, want: awserr.NotFound},
		{name: "announced under a common name, old enough", age: 30*time.Minute + time.Second, change: func(u *lifecycle.Doomed) { u.Unconfirmed = true }},
		{name: "of unknown age", change: func(u *lifecycle.Doomed) { u.Born = time.Time{} }},
		{name: "of known parts", age: time.Hour, change: func(u *lifecycle.Doomed) { u.Known = &lifecycle.Parts{AccessKeys: []string{"AKIA-one"}} }},
		{name: "of known parts, too young", age: time.Minute, change: func(u *lifecycle.Doomed) { u.Known = &lifecycle.Parts{} }, want: awserr.NotFound},
		{name: "of an unknown account", age: time.Hour, change: func(u *lifecycle.Doomed) { u.Account = "" }},
		{name: "of another account", age: time.Hour, change: func(u *lifecycle.Doomed) { u.Account = "222222222222" }, want: lifecycle.ErrWrongAccount},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.instant = true
				w.issued["vault-a"] = lifecycle.IssuedUser{}
				u := w.doomed("vault-a")
				u.Born = w.clock.Now().Add(-tc.age)
				if tc.change != nil {
					tc.change(&u)
				}
				if err := w.start().destroy(t.Context(), u); !errors.Is(err, tc.want) {
					t.Errorf("DestroyUser: %v, want %v", err, tc.want)
				}
			})
		})
	}
}

// TestL7WrongAccount: a user that may be somebody else's namesake is not touched
// in an account that is not its own, NoSuchEntity there means nothing, and the
// journal entry stays.
func TestL7WrongAccount(t *testing.T) {
	const elsewhere = "222222222222"
	for _, tc := range []struct {
		name  string
		spec  lifecycle.UserSpec
		known string // what the process has learned of AWS
		named bool   // a user of the name is there
		want  []string
	}{
		{
			name: "a common name", spec: commonSpec("vault-a"), named: true,
			want: []string{"journal:Reassert", "sts:GetCallerIdentity"},
		}, {
			name: "a name of our own, the account known", spec: plainSpec("vault-a"), known: elsewhere,
			want: []string{"journal:Reassert"},
		}, {
			name: "a name of our own", spec: plainSpec("vault-a"),
			want: []string{"journal:Reassert", "iam:ListAccessKeys", "sts:GetCallerIdentity"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				if tc.named {
					w.putForeign("vault-a", time.Now())
				}
				id := w.announce("vault-a", time.Hour, tc.spec)
				w.account = elsewhere
				p := w.start()
				p.learn(tc.known)
				w.pass(t.Context(), p)
				if diff := cmp.Diff(tc.want, w.called()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff([]lifecycle.EntryID{id}, w.journalled()); diff != "" {
					t.Errorf("entries (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestL7AccountUntold: where AWS refuses to tell the account the check is left
// out, and the log says so.
func TestL7AccountUntold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.put("vault-a", allParts())
		w.deny("sts:GetCallerIdentity")
		if err := w.start().destroy(t.Context(), w.doomed("vault-a")); err != nil {
			t.Errorf("DestroyUser: %v", err)
		}
		if got := w.log.lines(t, "warn"); len(got) != 1 || got[0].User != "vault-a" {
			t.Errorf("warnings: %+v, want one that names the user", got)
		}
		w.mustBeSettled(t)
	})
}

// TestL7NotSeenYet: a user of ours that is seconds old, and that IAM does not
// show everywhere yet, is destroyed at the first asking.
func TestL7NotSeenYet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		out, err := p.issue(t.Context(), plainSpec("vault-a"))
		if err != nil {
			t.Fatal(err)
		}
		w.inject(fault{op: "iam:DeleteUser", times: 3, how: refused, err: &awserr.Error{Op: "iam:DeleteUser", Kind: awserr.NotFound, Code: "NoSuchEntity"}})
		if err := p.revoke(t.Context(), w.recordOf(out.Name)); err != nil {
			t.Errorf("revoke: %v", err)
		}
		w.mustBeSettled(t)
	})
}
