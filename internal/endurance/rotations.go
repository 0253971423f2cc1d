package endurance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// Periods of rotation: the shortest that the engine takes.
const (
	rootPeriod   = 10 * time.Second
	staticPeriod = time.Minute
)

// rotated is a key that is rotated by the clock, and the keys that were in force
// one after the other.
type rotated struct {
	path   string // where it is read
	user   string // whose it is
	period time.Duration
	keys   []keyInForce
}

// keyInForce is a key that was stored at some time.
type keyInForce struct {
	id   string
	made time.Time // by AWS's clock
}

// rotations watches keys that are rotated by the clock.
type rotations struct {
	v       *vault
	account account
	mu      sync.Mutex // of the keys
	watched []*rotated
}

// schedule has the root key and so many static roles rotated.
func schedule(ctx context.Context, a account, v *vault, static int) (*rotations, error) {
	r := &rotations{v: v, account: a}
	r.watched = append(r.watched, &rotated{path: mount + "/config/root", user: engine, period: rootPeriod})
	for i := range static {
		name := fmt.Sprintf("app%d", i)
		if err := a.putUser(ctx, name); err != nil {
			return nil, err
		}
		role := map[string]any{"username": name, "rotation_period": staticPeriod.String()}
		if err := v.insist(ctx, http.MethodPost, mount+"/static-roles/"+name, role, nil); err != nil {
			return nil, err
		}
		r.watched = append(r.watched, &rotated{path: mount + "/static-creds/" + name, user: name, period: staticPeriod})
	}
	period := map[string]any{"rotation_period": rootPeriod.String()}
	return r, v.insist(ctx, http.MethodPost, mount+"/config/root", period, nil)
}

// watch looks until ctx ends. Without a leader there is nothing to see.
func (r *rotations) watch(ctx context.Context) {
	for pause(ctx, 50*time.Millisecond) == nil {
		for _, w := range r.watched {
			_ = r.look(ctx, w)
		}
	}
}

// stored is what a read of a key tells.
type stored struct {
	Data struct {
		AccessKey string     `json:"access_key"`
		SecretKey string     `json:"secret_key"`
		Next      *time.Time `json:"next_vault_rotation"` // of the root key
		Expires   *time.Time `json:"expiration"`          // of a static role's
	}
}

// due is when the key is to be replaced.
func (s stored) due() time.Time {
	if s.Data.Next != nil {
		return *s.Data.Next
	}
	if s.Data.Expires != nil {
		return *s.Data.Expires
	}
	return time.Time{}
}

// look notes the key in force. It counts only if it is the same before and after
// AWS is asked for the user's keys.
func (r *rotations) look(ctx context.Context, w *rotated) error {
	var before, after stored
	if err := r.v.fetch(ctx, http.MethodGet, w.path, nil, &before); err != nil {
		return err
	}
	if r.latest(w) == before.Data.AccessKey {
		return nil
	}
	state, err := r.account.sim.State(ctx)
	if err != nil {
		return err
	}
	if err := r.v.fetch(ctx, http.MethodGet, w.path, nil, &after); err != nil {
		return err
	}
	if before.Data.AccessKey != after.Data.AccessKey {
		return errors.New("it was rotated meanwhile")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.note(after.Data.AccessKey, state.Accounts[r.account.sim.Account].Users[w.user].Keys)
	return nil
}

// latest is the key that was seen in force last.
func (r *rotations) latest(w *rotated) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(w.keys) == 0 {
		return ""
	}
	return w.keys[len(w.keys)-1].id
}

// rootFresh waits until the root key is not to be rotated yet.
func (r *rotations) rootFresh(ctx context.Context) error {
	return await(ctx, func() error {
		early, err := r.rootEarly(ctx)
		if err == nil && early <= 0 {
			err = fmt.Errorf("the root key was due %v ago", -early)
		}
		return err
	})
}

// rootDue waits until the root key is to be rotated.
func (r *rotations) rootDue(ctx context.Context) error {
	return await(ctx, func() error {
		early, err := r.rootEarly(ctx)
		if err == nil && early > 0 {
			err = fmt.Errorf("the root key is due in %v", early)
		}
		return err
	})
}

// rootEarly is how long it is until the root key is due.
func (r *rotations) rootEarly(ctx context.Context) (time.Duration, error) {
	var s stored
	err := r.v.fetch(ctx, http.MethodGet, r.watched[0].path, nil, &s)
	return s.due().Sub(now()), err
}

// note takes in a key that is in force now, and a key before it that was not
// seen in force: with a static role that is the user's other key, since the key
// before stays until the next rotation.
func (w *rotated) note(id string, inAWS []awssim.Key) {
	known := func(k awssim.Key) bool {
		return k.ID == id || slices.ContainsFunc(w.keys, func(seen keyInForce) bool { return seen.id == k.ID })
	}
	for _, k := range inAWS {
		if len(w.keys) > 0 && !known(k) {
			w.keys = append(w.keys, keyInForce{id: k.ID, made: k.Created})
		}
	}
	for _, k := range inAWS {
		if k.ID == id {
			w.keys = append(w.keys, keyInForce{id: id, made: k.Created})
		}
	}
}

// rotationCount sums up what was seen of rotations.
type rotationCount struct{ rotations, doubled int }

// count sums up, when nobody watches any more.
func (r *rotations) count(ctx context.Context) (c rotationCount, err error) {
	calls, err := r.account.sim.Calls(ctx)
	if err != nil {
		return c, err
	}
	for _, w := range r.watched {
		if w.user == engine {
			w.addSigners(calls)
		}
		c.rotations += max(len(w.keys)-1, 0)
		c.doubled += w.doubled()
	}
	return c, nil
}

// addSigners adds root keys that nobody saw in force: whatever signed a call
// that only the key in force signs was it.
func (w *rotated) addSigners(calls []awssim.Call) {
	first := map[string]time.Time{}
	for _, c := range calls {
		if _, ok := first[c.AccessKey]; !ok {
			first[c.AccessKey] = c.Time // a key is proven as soon as it is made
		}
		inForce := c.Action == "iam:CreateUser" || c.Action == "iam:CreateAccessKey"
		seen := slices.ContainsFunc(w.keys, func(k keyInForce) bool { return k.id == c.AccessKey })
		if inForce && !seen && strings.HasSuffix(c.Caller, ":user/"+engine) {
			w.keys = append(w.keys, keyInForce{id: c.AccessKey, made: first[c.AccessKey]})
		}
	}
	slices.SortFunc(w.keys, func(a, b keyInForce) int { return a.made.Compare(b.made) })
}

// doubled counts keys that were made sooner than a period after the one before,
// but for the second in which both the clocks may round.
func (w *rotated) doubled() (count int) {
	for i := 1; i < len(w.keys); i++ {
		if w.keys[i].made.Sub(w.keys[i-1].made) < w.period-time.Second {
			count++
		}
	}
	return count
}

// lost counts keys that are in force and do not work in AWS, and keys whose
// rotation is due and does not come about; each is to be rotated once at least.
func (r *rotations) lost(ctx context.Context) (count int, why error) {
	for _, w := range r.watched {
		if err := await(ctx, func() error { return r.settled(ctx, w) }); err != nil {
			count++
			why = errors.Join(why, fmt.Errorf("%s: %w", w.path, err))
		}
	}
	return count, why
}

// settled checks that a key is in force in AWS and not overdue.
func (r *rotations) settled(ctx context.Context, w *rotated) error {
	var s stored
	if err := r.v.fetch(ctx, http.MethodGet, w.path, nil, &s); err != nil {
		return err
	}
	state, err := r.account.sim.State(ctx)
	if err != nil {
		return err
	}
	keys := state.Accounts[r.account.sim.Account].Users[w.user].Keys
	works := func(k awssim.Key) bool { return k.ID == s.Data.AccessKey && k.Status == "Active" }
	if !slices.ContainsFunc(keys, works) {
		return fmt.Errorf("key %s is stored, AWS has %v", s.Data.AccessKey, keys)
	}
	r.mu.Lock()
	seen := len(w.keys)
	r.mu.Unlock()
	if seen < 2 {
		return errors.New("it was never rotated")
	}
	// The worker looks once a minute.
	if late := now().Sub(s.due()); late > 0 {
		return fmt.Errorf("the rotation is %v late", late)
	}
	return nil
}
