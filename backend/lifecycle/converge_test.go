package lifecycle_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"pgregory.net/rapid"
)

// TestL3Converges: from any state, with any knowledge and through any failures,
// a user that is destroyed again and again is gone in the end, keys first.
func TestL3Converges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := someParts(rt, "has")
		known := someKnowledge(rt, parts)
		sides := rapid.SliceOfN(rapid.SampledFrom(oneOfEachSide()), 0, 3).Draw(rt, "sides")
		faults := rapid.SliceOfN(someFault(destroyingOps), 0, 6).Draw(rt, "faults")
		exists := rapid.Bool().Draw(rt, "exists")
		var broken []string
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			if exists {
				u := w.put("vault-a", parts)
				w.estrange(u, known)
				u.hang(sides...)
			}
			w.issued["vault-a"] = lifecycle.IssuedUser{}
			for _, f := range faults {
				w.inject(f)
			}
			broken = w.converge(t.Context(), known)
		})
		for _, breach := range broken {
			rt.Error(breach)
		}
	})
}

// converge revokes a user until that succeeds and once more. The first revoke
// after the last fault must succeed.
func (w *world) converge(ctx context.Context, known *lifecycle.Parts) []string {
	u := w.doomed("vault-a")
	u.Known = known
	for try := 0; ; try++ {
		w.issued["vault-a"] = lifecycle.IssuedUser{}
		err := w.start().destroy(ctx, u)
		if err == nil {
			break
		}
		if try == 3 {
			w.heal()
		}
		if try > 3 {
			return append(w.breaches(), fmt.Sprintf("L3: in a healthy world DestroyUser says %v", err))
		}
	}
	if left := w.users["vault-a"]; left != nil {
		w.breach("L3: DestroyUser succeeded and left the user with %+v", left.parts())
	}
	w.heal()
	w.issued["vault-a"] = lifecycle.IssuedUser{}
	if err := w.start().destroy(ctx, u); err != nil {
		w.breach("L3: DestroyUser of a user that is gone: %v", err)
	}
	return w.breaches()
}

// estrange marks the keys that those who know the parts do not know.
func (w *world) estrange(u *user, known *lifecycle.Parts) {
	if known == nil {
		return
	}
	for id := range u.keys {
		if !slices.Contains(known.AccessKeys, id) {
			u.keys[id] = strangeKey
		}
	}
}

func someParts(rt *rapid.T, label string) lifecycle.Parts {
	return lifecycle.Parts{
		AccessKeys:     someOf(rt, label+" keys", 2, "AKIA-1", "AKIA-2", "AKIA-3"),
		PolicyARNs:     someOf(rt, label+" policies", 3, "arn:one", "arn:two", "arn:three"),
		InlinePolicies: someOf(rt, label+" inline", 3, "one", "two", "three"),
		Groups:         someOf(rt, label+" groups", 3, "staff", "ops", "dev"),
	}
}

func someOf(rt *rapid.T, label string, most int, names ...string) []string {
	picked := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, most, rapid.ID[string]).Draw(rt, label)
	slices.Sort(picked)
	return picked
}

// someKnowledge is right, or wrong, or none.
func someKnowledge(rt *rapid.T, parts lifecycle.Parts) *lifecycle.Parts {
	switch rapid.SampledFrom([]string{"none", "right", "empty", "wrong"}).Draw(rt, "knowledge") {
	case "right":
		return &parts
	case "empty":
		return &lifecycle.Parts{}
	case "wrong":
		wrong := someParts(rt, "known")
		return &wrong
	}
	return nil
}

var destroyingOps = []string{
	"iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:ListGroupsForUser",
	"iam:DeleteAccessKey", "iam:DetachUserPolicy", "iam:DeleteUserPolicy", "iam:RemoveUserFromGroup",
	"iam:DeleteUser", "sts:GetCallerIdentity",
	"iam:DeleteLoginProfile", "iam:ListMFADevices", "iam:DeactivateMFADevice", "iam:ListSSHPublicKeys", "iam:DeleteSSHPublicKey",
}

var someErrors = map[string]error{
	"denied":    nil,
	"busy":      &awserr.Error{Op: "iam", Kind: awserr.Busy, Code: "ConcurrentModification"},
	"throttled": &awserr.Error{Op: "iam", Kind: awserr.Throttled, Code: "Throttling"},
	"conflict":  &awserr.Error{Op: "iam", Kind: awserr.InUse, Code: "DeleteConflict"},
}

// someFault meets a call or a few of the operations.
func someFault(ops []string) *rapid.Generator[fault] {
	return rapid.Custom(func(rt *rapid.T) fault {
		return fault{
			op:    rapid.SampledFrom(ops).Draw(rt, "op"),
			nth:   rapid.IntRange(0, 3).Draw(rt, "nth"),
			times: rapid.IntRange(1, 3).Draw(rt, "times"),
			how:   rapid.SampledFrom([]mishap{refused, unavailable, lost, hang, hangAfter, slow}).Draw(rt, "how"),
			err:   someErrors[rapid.SampledFrom(slices.Sorted(maps.Keys(someErrors))).Draw(rt, "error")],
			delay: 2 * time.Second,
		}
	})
}
