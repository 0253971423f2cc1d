package lifecycle_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// side is a credential that somebody gave a user.
type side struct {
	kind lifecycle.SideCredential
	id   string
}

// sideOps are IAM's names for listing and removing a kind. A login profile is
// not listed.
var sideOps = map[lifecycle.SideCredential]struct{ list, remove string }{
	lifecycle.LoginProfile:       {"", "DeleteLoginProfile"},
	lifecycle.ServiceCredential:  {"ListServiceSpecificCredentials", "DeleteServiceSpecificCredential"},
	lifecycle.MFADevice:          {"ListMFADevices", "DeactivateMFADevice"},
	lifecycle.SSHKey:             {"ListSSHPublicKeys", "DeleteSSHPublicKey"},
	lifecycle.SigningCertificate: {"ListSigningCertificates", "DeleteSigningCertificate"},
}

func oneOfEachSide() []side {
	return []side{
		{lifecycle.LoginProfile, ""},
		{lifecycle.ServiceCredential, "ACCA-1"},
		{lifecycle.MFADevice, "arn:aws:iam::111111111111:mfa/a"},
		{lifecycle.SSHKey, "APKA-1"},
		{lifecycle.SigningCertificate, "CERT-1"},
	}
}

func (u *user) hang(sides ...side) {
	for _, s := range sides {
		u.sides[s] = true
	}
}

// ListSideCredentials implements lifecycle.UserRemover.
func (a iam) ListSideCredentials(ctx context.Context, name string, kind lifecycle.SideCredential) ([]string, error) {
	if sideOps[kind].list == "" {
		return []string{""}, nil
	}
	var ids []string
	err := a.on(ctx, sideOps[kind].list, name, func(u *user, _ call) error {
		for s := range u.sides {
			if s.kind == kind {
				ids = append(ids, s.id)
			}
		}
		slices.Sort(ids)
		return nil
	})
	return asked(&ids, err)
}

// DeleteSideCredential implements lifecycle.UserRemover.
func (a iam) DeleteSideCredential(ctx context.Context, name string, kind lifecycle.SideCredential, id string) error {
	return a.on(ctx, sideOps[kind].remove, name, func(u *user, c call) error {
		a.world.checkKeysFirst(u, c)
		if !u.sides[side{kind, id}] {
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		delete(u.sides, side{kind, id})
		return nil
	})
}

// sideCalls are the calls about side credentials so far.
func (w *world) sideCalls() []string {
	var calls []string
	for _, op := range w.called() {
		for _, ops := range sideOps {
			if name := strings.TrimPrefix(op, "iam:"); name == ops.list || name == ops.remove {
				calls = append(calls, op)
			}
		}
	}
	return calls
}

// TestW6SideCredentials: what people hung on a user goes with it, whether the
// lease knows the rest or not.
func TestW6SideCredentials(t *testing.T) {
	everything := allParts()
	two := []side{{lifecycle.SSHKey, "APKA-2"}, {lifecycle.ServiceCredential, "ACCA-2"}}
	for _, tc := range []struct {
		name  string
		sides []side
		known *lifecycle.Parts
	}{
		{"a login profile", oneOfEachSide()[:1], &everything},
		{"a service-specific credential", oneOfEachSide()[1:2], &everything},
		{"an MFA device", oneOfEachSide()[2:3], &everything},
		{"an SSH key", oneOfEachSide()[3:4], &everything},
		{"a signing certificate", oneOfEachSide()[4:], &everything},
		{"two of a kind", append(two, oneOfEachSide()...), &everything},
		{"everything, and nothing is known", oneOfEachSide(), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.put("vault-a", everything).hang(tc.sides...)
				u := w.doomed("vault-a")
				u.Known = tc.known
				if err := w.start().destroy(t.Context(), u); err != nil {
					t.Errorf("DestroyUser: %v", err)
				}
				w.mustBeSettled(t)
			})
		})
	}
}

// TestW6AsksOnlyOnConflict: as long as nobody hung anything on a user, none of
// the calls is made: their permissions are not among the minimal ones.
func TestW6AsksOnlyOnConflict(t *testing.T) {
	everything := allParts()
	for _, tc := range []struct {
		name   string
		known  *lifecycle.Parts
		faults []fault
	}{
		{"all is known", &everything, nil},
		{"nothing is known", nil, nil},
		{"DeleteUser busy", &everything, []fault{{op: "iam:DeleteUser", how: refused, err: &awserr.Error{Kind: awserr.Busy}, times: 2}}},
		{"the user cannot be deleted", &everything, []fault{{op: "iam:DeleteUser", how: refused, times: -1}}},
		{"a known part cannot be removed", &everything, []fault{{op: "iam:DetachUserPolicy", how: refused, times: -1}}},
		{"a key cannot be deleted", nil, []fault{{op: "iam:DeleteAccessKey", how: refused, times: -1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.put("vault-a", everything)
				for _, f := range tc.faults {
					w.inject(f)
				}
				u := w.doomed("vault-a")
				u.Known = tc.known
				_ = w.start().destroy(t.Context(), u) // whether it succeeds, others test
				if diff := cmp.Diff([]string(nil), w.sideCalls()); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestW6Denied: without the permissions the keys are dead all the same, and the
// error names every action that is missing, and AWS's conflict.
func TestW6Denied(t *testing.T) {
	for _, tc := range []struct {
		name  string
		sides []side
		deny  []string
		left  []side
	}{
		{"the login profile", oneOfEachSide(), []string{"iam:DeleteLoginProfile"}, oneOfEachSide()[:1]},
		{"a list", oneOfEachSide(), []string{"iam:ListMFADevices"}, oneOfEachSide()[2:3]},
		{"a removal", oneOfEachSide(), []string{"iam:DeactivateMFADevice"}, oneOfEachSide()[2:3]},
		{
			"all of them", oneOfEachSide()[3:4],
			[]string{"iam:DeleteLoginProfile", "iam:ListServiceSpecificCredentials", "iam:ListMFADevices", "iam:ListSSHPublicKeys", "iam:ListSigningCertificates"},
			oneOfEachSide()[3:4],
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				u := w.put("vault-a", allParts())
				u.hang(tc.sides...)
				w.deny(tc.deny...)
				known := allParts()
				doomed := w.doomed("vault-a")
				doomed.Known = &known
				w.mustNameAll(t, w.start().destroy(t.Context(), doomed), tc.deny)
				want := newUser()
				want.hang(tc.left...)
				if diff := cmp.Diff(want.sides, u.sides); diff != "" || len(u.keys) != 0 {
					t.Errorf("keys %v, side credentials (-want +left):\n%s", u.keys, diff)
				}
				w.heal()
				if err := w.start().destroy(t.Context(), doomed); err != nil {
					t.Errorf("DestroyUser with the permissions: %v", err)
				}
				w.mustBeSettled(t)
			})
		})
	}
}

// mustNameAll wants a denial of the first action that names all of them.
func (w *world) mustNameAll(t *testing.T, err error, actions []string) {
	t.Helper()
	call := (*awserr.Error)(nil)
	if !errors.As(err, &call) || call.Op != actions[0] || !errors.Is(err, awserr.Denied) || !errors.Is(err, awserr.InUse) {
		t.Fatalf("DestroyUser: %v, want a denial of %s, and a conflict", err, actions[0])
	}
	for _, action := range actions {
		if !strings.Contains(err.Error(), action) {
			t.Errorf("DestroyUser: %v, want %s named", err, action)
		}
	}
}

// TestW6NeedlessDenialIsNoMatter: what may not be looked for may not exist, and
// DeleteUser is the judge.
func TestW6NeedlessDenialIsNoMatter(t *testing.T) {
	passing := &awserr.Error{Op: "iam:DeleteUser", Kind: awserr.InUse, Code: "DeleteConflict", Status: 409}
	for _, tc := range []struct {
		name  string
		sides []side
		deny  []string
		fault fault
	}{
		{
			name: "of kinds the user has none of", sides: oneOfEachSide()[:1],
			deny: []string{"iam:ListMFADevices", "iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:ListServiceSpecificCredentials"},
		}, {
			name: "of everything, and the conflict passes", fault: fault{op: "iam:DeleteUser", how: refused, err: passing, times: 3},
			deny: []string{"iam:DeleteLoginProfile", "iam:ListMFADevices", "iam:ListSSHPublicKeys", "iam:ListSigningCertificates", "iam:ListServiceSpecificCredentials"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.put("vault-a", allParts()).hang(tc.sides...)
				w.deny(tc.deny...)
				if tc.fault.how != "" {
					w.inject(tc.fault)
				}
				if err := w.start().destroy(t.Context(), w.doomed("vault-a")); err != nil {
					t.Errorf("DestroyUser: %v", err)
				}
				w.mustBeSettled(t)
			})
		})
	}
}

// TestW6AKeyMadeMeanwhile: whoever has a password can make a key until it is
// gone; that key goes too.
func TestW6AKeyMadeMeanwhile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		u := w.put("vault-a", keyOnly())
		u.hang(oneOfEachSide()...)
		w.onCall["iam:DeleteLoginProfile"] = func() { u.keys["AKIA-own"] = strangeKey }
		if err := w.start().destroy(t.Context(), w.doomed("vault-a")); err != nil {
			t.Errorf("DestroyUser: %v", err)
		}
		w.mustBeSettled(t)
	})
}
