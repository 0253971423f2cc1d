package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/go-hclog"
)

// rootWorld is an AWS account with one root user, the storage of a mount, and a
// call that goes wrong.
type rootWorld struct {
	t          *testing.T
	keys       map[string]bool // ids of the root user's keys
	made       int
	stored     string
	proven     map[string]int // how often STS accepted a key
	lag        int            // how often STS refuses a new key
	stale      bool           // lists do not show new keys yet
	journalled int
	arn        string
	writes     map[lifecycle.EntryID]lifecycle.KeyIntent

	calls int
	fault rootFault
}

// rootFault makes the nth call fail, before or after its effect.
type rootFault struct {
	nth   int // from 1; 0: none
	after bool
	panic bool
}

const firstKey = "AKIAFIRST"

func newRootWorld(t *testing.T) *rootWorld {
	return &rootWorld{
		t: t, keys: map[string]bool{firstKey: true}, stored: firstKey, proven: map[string]int{firstKey: 9},
		arn: "arn:aws:iam::123456789012:user/engines/root-of-vault", writes: map[lifecycle.EntryID]lifecycle.KeyIntent{},
	}
}

var errDisk = errors.New("disk")

func errLost(op string) error { return &awserr.Error{Op: op, Kind: awserr.Unavailable} }

// call runs the effect of a call, unless it is the one that fails.
func (w *rootWorld) call(lost error, effect func() error) error {
	w.calls++
	if w.calls != w.fault.nth {
		return effect()
	}
	if w.fault.after {
		_ = effect()
	}
	if w.fault.panic {
		panic("in a call")
	}
	return lost
}

func (w *rootWorld) Identity(context.Context) (id lifecycle.Identity, err error) {
	err = w.call(errLost("sts:GetCallerIdentity"), func() error {
		id = lifecycle.Identity{Account: "123456789012", ARN: w.arn}
		return nil
	})
	return id, err
}

// Reserve implements lifecycle.Reserver.
func (w *rootWorld) Reserve(ctx context.Context, _ int, _ time.Duration) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

func (w *rootWorld) ListAccessKeys(context.Context, string) (ids []string, err error) {
	err = w.call(errLost("iam:ListAccessKeys"), func() error {
		ids = slices.Sorted(maps.Keys(w.keys))
		if w.stale {
			ids = slices.DeleteFunc(ids, func(id string) bool { return id != firstKey })
		}
		return nil
	})
	return ids, err
}

func (w *rootWorld) CreateAccessKey(context.Context, string) (key lifecycle.AccessKey, err error) {
	err = w.call(errLost("iam:CreateAccessKey"), func() error {
		if len(w.keys) == 2 {
			return &awserr.Error{Op: "iam:CreateAccessKey", Kind: awserr.Limit, Code: "LimitExceeded"}
		}
		if len(w.writes) == 0 {
			w.t.Error("L1: a key is created and not journalled")
		}
		w.made++
		key = lifecycle.AccessKey{ID: fmt.Sprint("AKIANEW", w.made), Secret: "secret"}
		w.keys[key.ID] = true
		return nil
	})
	return key, err
}

func (w *rootWorld) DeleteAccessKey(_ context.Context, _, id string) error {
	return w.call(errLost("iam:DeleteAccessKey"), func() error {
		if id == w.stored {
			w.t.Errorf("R1: the stored key %s is deleted", id)
		}
		if !w.keys[id] {
			return &awserr.Error{Op: "iam:DeleteAccessKey", Kind: awserr.NotFound}
		}
		delete(w.keys, id)
		return nil
	})
}

func (w *rootWorld) StoredKey(context.Context) (id string, err error) {
	err = w.call(errDisk, func() error { id = w.stored; return nil })
	return id, err
}

func (w *rootWorld) ReplaceKey(_ context.Context, oldID string, key lifecycle.AccessKey) error {
	return w.call(errDisk, func() error {
		if w.stored != oldID {
			return lifecycle.ErrConfigChanged
		}
		if w.proven[key.ID] < 3 {
			w.t.Errorf("R1: key %s is stored after %d proofs", key.ID, w.proven[key.ID])
		}
		w.stored = key.ID
		return nil
	})
}

func (w *rootWorld) RecordKey(_ context.Context, intent lifecycle.KeyIntent) (lifecycle.KeyEntry, error) {
	w.journalled++
	e := lifecycle.KeyEntry{ID: lifecycle.EntryID(fmt.Sprint("entry", w.journalled)), Intent: intent}
	return e, w.ReassertKey(context.Background(), e)
}

func (w *rootWorld) ReassertKey(_ context.Context, e lifecycle.KeyEntry) error {
	return w.call(errDisk, func() error { w.writes[e.ID] = e.Intent; return nil })
}

func (w *rootWorld) StrikeKey(_ context.Context, id lifecycle.EntryID) error {
	return w.call(errDisk, func() error { delete(w.writes, id); return nil })
}

func (w *rootWorld) KeyEntries(context.Context) ([]lifecycle.EntryID, error) {
	return slices.Collect(maps.Keys(w.writes)), nil
}

func (w *rootWorld) LoadKey(_ context.Context, id lifecycle.EntryID) (lifecycle.KeyEntry, error) {
	intent, ok := w.writes[id]
	if !ok {
		return lifecycle.KeyEntry{}, lifecycle.ErrNoEntry
	}
	return lifecycle.KeyEntry{ID: id, Intent: intent}, nil
}

// newKey is STS as a new key.
type newKey struct {
	world *rootWorld
	id    string
	asked int
}

func (k *newKey) Identity(ctx context.Context) (lifecycle.Identity, error) {
	if k.asked++; k.asked <= k.world.lag {
		return lifecycle.Identity{}, &awserr.Error{Op: "sts:GetCallerIdentity", Kind: awserr.UnknownKey}
	}
	id, err := k.world.Identity(ctx)
	if err == nil {
		k.world.proven[k.id]++
	}
	return id, err
}

func (w *rootWorld) rotation() lifecycle.RootRotation {
	return lifecycle.RootRotation{KeyRotation: lifecycle.KeyRotation{
		Keys:    w,
		Store:   w,
		Journal: w,
		As: func(_ context.Context, key lifecycle.AccessKey) (lifecycle.Identifier, error) {
			return &newKey{world: w, id: key.ID}, nil
		},
	}}
}

func (w *rootWorld) rotations(context.Context, lifecycle.KeyIntent) (lifecycle.KeyRotation, error) {
	return w.rotation().KeyRotation, nil
}

func (w *rootWorld) manager() (*lifecycle.Manager, *clock) {
	c := &clock{}
	return lifecycle.NewManager(lifecycle.Storage{}, c, hclog.NewNullLogger()), c
}

// later is what the worker does when an entry is old enough.
func (w *rootWorld) later(m *lifecycle.Manager, c *clock) {
	w.t.Helper()
	w.fault = rootFault{}
	c.jump(11 * time.Minute)
	duty := m.KeyDuty("root key", w, w.rotations)
	items, err := duty.Items(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, item := range items {
		if err := duty.Attend(w.t.Context(), item); err != nil {
			w.t.Errorf("attend: %v", err)
		}
	}
}

// wantOneKey checks that the root user has the stored key and no other, and that
// nothing is owed.
func (w *rootWorld) wantOneKey() {
	w.t.Helper()
	if len(w.keys) != 1 || !w.keys[w.stored] || len(w.writes) != 0 {
		w.t.Errorf("keys = %v, stored %s, journal %v", w.keys, w.stored, w.writes)
	}
}

// TestR1EveryFailingCall: whichever call of a rotation fails, and however, a
// stored key that works is left, and no other.
func TestR1EveryFailingCall(t *testing.T) {
	for _, fault := range []rootFault{{}, {after: true}, {panic: true}, {after: true, panic: true}} {
		for nth := 1; ; nth++ {
			fault.nth = nth
			if last := rotateWith(t, fault); last {
				break
			}
		}
	}
}

// rotateWith rotates with one failing call, and has the worker look later. It
// reports whether the rotation had fewer calls than that.
func rotateWith(t *testing.T, fault rootFault) (last bool) {
	synctest.Test(t, func(t *testing.T) {
		w := newRootWorld(t)
		w.fault = fault
		m, c := w.manager()
		err := lifecycle.Recovered(func() error {
			_, err := m.RotateRoot(t.Context(), w.rotation())
			return err
		})
		last = w.calls < fault.nth
		w.later(m, c)
		w.wantOneKey()
		if t.Failed() {
			t.Fatalf("%+v: %v", fault, err)
		}
	})
	return last
}

// TestR1LostOnStaleList: a list that does not show a key of seconds ago is no
// proof that a lost answer made none. Meanwhile the key can be rotated again.
func TestR1LostOnStaleList(t *testing.T) {
	for _, again := range []int{0, 1, 2} {
		t.Run(fmt.Sprint(again, " rotations later"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newRootWorld(t)
				w.stale, w.fault = true, rootFault{nth: 5, after: true} // CreateAccessKey
				m, c := w.manager()
				_, err := m.RotateRoot(t.Context(), w.rotation())
				if len(w.keys) != 2 || len(w.writes) != 1 {
					t.Fatalf("keys %v, journal %v, error %v", w.keys, w.writes, err)
				}
				for range again {
					_, _ = m.RotateRoot(t.Context(), w.rotation()) // IAM has room for no third key
				}
				w.stale = false
				w.later(m, c)
				w.wantOneKey()
			})
		})
	}
}

// TestR1Proof: a key is stored only after STS accepted it three times in a row.
func TestR1Proof(t *testing.T) {
	for _, tc := range []struct {
		name    string
		lag     int
		rotates bool
	}{
		{"known at once", 0, true},
		{"known after some seconds", 10, true},
		{"never known", 1000, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newRootWorld(t)
				w.lag = tc.lag
				m, _ := w.manager()
				rotated, err := m.RotateRoot(t.Context(), w.rotation())
				if (err == nil) != tc.rotates || err == nil && rotated.AccessKey != w.stored {
					t.Errorf("RotateRoot = %+v, %v", rotated, err)
				}
				w.wantOneKey()
			})
		})
	}
}

// TestR1ProofsInARow: a refusal between two acceptances starts the count again.
func TestR1ProofsInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRootWorld(t)
		r := w.rotation()
		var sts *flickering
		r.As = func(context.Context, lifecycle.AccessKey) (lifecycle.Identifier, error) {
			sts = &flickering{answers: []bool{true, true, false, true, true, true}}
			return sts, nil
		}
		w.proven["AKIANEW1"] = 3
		m, _ := w.manager()
		if _, err := m.RotateRoot(t.Context(), r); err != nil || len(sts.answers) != 0 {
			t.Errorf("RotateRoot: %v, answers not asked for: %v", err, sts.answers)
		}
	})
}

// flickering is STS that knows a key on some of its servers.
type flickering struct{ answers []bool }

func (f *flickering) Identity(context.Context) (lifecycle.Identity, error) {
	known := f.answers[0]
	if f.answers = f.answers[1:]; !known {
		return lifecycle.Identity{}, &awserr.Error{Op: "sts:GetCallerIdentity", Kind: awserr.UnknownKey}
	}
	return lifecycle.Identity{}, nil
}

// TestRotateRootRefuses: what cannot be rotated is left as it is.
func TestRotateRootRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  func(w *rootWorld)
		keys int
	}{
		{"the account's root user", func(w *rootWorld) { w.arn = "arn:aws:iam::123456789012:root" }, 1},
		{"an assumed role", func(w *rootWorld) { w.arn = "arn:aws:sts::123456789012:assumed-role/r/s" }, 1},
		{"two keys", func(w *rootWorld) { w.keys["AKIAOTHER"] = true }, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newRootWorld(t)
			tc.set(w)
			m, _ := w.manager()
			if _, err := m.RotateRoot(t.Context(), w.rotation()); !errors.Is(err, lifecycle.ErrCannotRotate) {
				t.Errorf("error = %v", err)
			}
			if len(w.keys) != tc.keys || w.stored != firstKey || len(w.writes) != 0 {
				t.Errorf("keys = %v, stored %s, journal %v", w.keys, w.stored, w.writes)
			}
		})
	}
}

// TestRotateRootConfigChanged: another key stored meanwhile stays, and so does
// the old one.
func TestRotateRootConfigChanged(t *testing.T) {
	synctest.Test(t, configChanged)
}

func configChanged(t *testing.T) {
	w := newRootWorld(t)
	r := w.rotation()
	r.As = func(_ context.Context, key lifecycle.AccessKey) (lifecycle.Identifier, error) {
		w.stored = "AKIAOPERATOR"
		return &newKey{world: w, id: key.ID}, nil
	}
	m, _ := w.manager()
	if _, err := m.RotateRoot(t.Context(), r); !errors.Is(err, lifecycle.ErrConfigChanged) {
		t.Errorf("error = %v", err)
	}
	if len(w.keys) != 1 || !w.keys[firstKey] || w.stored != "AKIAOPERATOR" || len(w.writes) != 0 {
		t.Errorf("keys = %v, stored %s, journal %v", w.keys, w.stored, w.writes)
	}
}

// TestRotateRootOtherAccount: an entry is not finished in another account.
func TestRotateRootOtherAccount(t *testing.T) {
	w := newRootWorld(t)
	w.writes["entry"] = lifecycle.KeyIntent{UserName: "root-of-vault", Account: "210987654321", Seen: []string{firstKey}, Old: firstKey, New: "AKIANEW"}
	m, _ := w.manager()
	duty := m.KeyDuty("root key", w, w.rotations)
	if err := duty.Attend(t.Context(), "entry"); !errors.Is(err, lifecycle.ErrWrongAccount) {
		t.Errorf("error = %v", err)
	}
	if len(w.writes) != 1 {
		t.Error("the entry is struck")
	}
}
