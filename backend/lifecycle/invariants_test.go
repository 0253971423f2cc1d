package lifecycle_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// mustBeSettled reports users of ours that nobody holds, and entries left over.
func (w *world) mustBeSettled(t *testing.T) {
	t.Helper()
	if diff := cmp.Diff(w.heldNames(), w.ourUsers()); diff != "" {
		t.Errorf("users (-issued +in AWS):\n%s", diff)
	}
	if diff := cmp.Diff([]string{}, w.inState(lifecycle.Condemned)); diff != "" {
		t.Errorf("condemned users left:\n%s", diff)
	}
	if diff := cmp.Diff([]lifecycle.EntryID{}, w.journalled()); diff != "" {
		t.Errorf("journal entries left:\n%s", diff)
	}
}

// mustHold reports the invariants that were broken on the way.
func (w *world) mustHold(t *testing.T) {
	t.Helper()
	for _, breach := range w.breaches() {
		t.Error(breach)
	}
}

func (w *world) breaches() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

func (w *world) breach(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// check is what must hold when the code under test calls AWS: the name it acts
// on is written down (L1, L2). The caller holds w.mu.
func (p *process) check(c call) {
	w := p.world
	if !c.onStorage() && c.user != "" {
		if !w.written(c.user) {
			w.breach("L1, L2: %s acts on %q, whose name is written down nowhere", c.op, c.user)
		}
	}
	w.checkNames(c)
}

// checkNames is L2: each user of ours is named by the journal or a record.
func (w *world) checkNames(at call) {
	for name, u := range w.users {
		if u.foreign || u.reported || w.written(name) {
			continue
		}
		u.reported = true
		w.breach("L2: at %s of %q, user %q exists and its name is written down nowhere", at.op, at.user, name)
	}
}

// checkKeysFirst is L4. A key that appears behind the back of those who list or
// know the keys is none of their fault.
func (w *world) checkKeysFirst(u *user, c call) {
	for id, state := range u.keys {
		if state == plainKey {
			w.breach("L4: %s on %q while key %s lives", c.op, c.user, id)
		}
	}
}

// checkKeyLast: no key may work without what restricts it.
func (w *world) checkKeyLast(u *user, c call) {
	has, want := u.parts(), u.spec.Parts(lifecycle.AccessKey{})
	has.AccessKeys, want.AccessKeys = nil, nil
	if diff := cmp.Diff(sorted(want), has); u.spec.KeyLast && diff != "" {
		w.breach("KeyLast: %s on %q before everything else (-want +has):\n%s", c.op, c.user, diff)
	}
}

// checkComplete: what is handed out is what was asked for, and has one key.
func (w *world) checkComplete(spec lifecycle.UserSpec, out lifecycle.IssuedUser) {
	u := w.users[spec.Name]
	if u == nil {
		w.breach("issued user %q does not exist", spec.Name)
		return
	}
	has := u.parts()
	has.AccessKeys = slices.DeleteFunc(has.AccessKeys, func(id string) bool { return u.keys[id] == lateKey })
	if diff := cmp.Diff(sorted(spec.Parts(out.Key)), has); diff != "" {
		w.breach("issued user %q (-want +has):\n%s", spec.Name, diff)
	}
	if got, want := out.Key.Secret.Reveal(), "secret of "+out.Key.ID; got != want {
		w.breach("issued secret %q, want %q", got, want)
	}
}

// written reports whether the user's name is in the journal or in a record; of a
// user that a test made by hand, whether a lease names it.
func (w *world) written(name string) bool {
	_, recorded := w.records[name]
	_, issued := w.issued[name]
	byHand := w.users[name] == nil || w.users[name].byHand
	return recorded || w.inJournal(name) || issued && byHand
}

func sorted(p lifecycle.Parts) lifecycle.Parts {
	for _, names := range []*[]string{&p.AccessKeys, &p.PolicyARNs, &p.InlinePolicies, &p.Groups} {
		*names = slices.Sorted(slices.Values(*names))
	}
	return p
}

func (w *world) issuedNames() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string{}, slices.Sorted(maps.Keys(w.issued))...)
}

// heldNames are the users that somebody may use: those that were handed out, and
// those whose record waits for its deadline, since nobody knows whether a process
// that died had answered.
func (w *world) heldNames() []string {
	held := append(w.issuedNames(), w.inState(lifecycle.Issued)...)
	slices.Sort(held)
	return slices.Compact(held)
}

// inState are the users whose record is in a state.
func (w *world) inState(s lifecycle.RecordState) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for name, r := range w.records {
		if r.State == s {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ourUsers are the users that exist, but for other people's.
func (w *world) ourUsers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for name, u := range w.users {
		if !u.foreign {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
