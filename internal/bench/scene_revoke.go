package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

const (
	massLeases = 300
	massPace   = 16 // clients that issue them, on an AWS at its best
	massPoll   = 250 * time.Millisecond
	massAtMost = 2 * time.Minute // a run is watched; what is not done by then took longer
)

// massRevoke revokes 300 leases at once on an account that takes 15 calls a
// second: ours first, then the built-in engine's, which is looked at when ours
// were gone.
func massRevoke(ctx context.Context, w *world) error {
	var gone time.Duration
	for _, s := range []side{ours, builtin} {
		e, err := w.alone(ctx, s)
		if err != nil {
			return err
		}
		if err := e.issueMany(ctx, w.Quick.of(massLeases)); err != nil {
			return err
		}
		if gone, err = e.massRevoke(ctx, gone); err != nil {
			return err
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
	}
	return nil
}

// issueMany issues leases of the inline role.
func (e *engine) issueMany(ctx context.Context, count int) error {
	if err := e.write(ctx, "roles/inline", iamUser(something, nil)); err != nil {
		return err
	}
	var all sync.WaitGroup
	slots, errs := make(chan struct{}, massPace), make(chan error, count)
	for range count {
		slots <- struct{}{}
		all.Go(func() {
			_, err := e.issue(ctx, "inline")
			errs <- err
			<-slots
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return fmt.Errorf("issue %d leases: %w", count, err)
		}
	}
	return nil
}

// massRevoke revokes all and watches. ours is how long ours took; 0 if these are
// ours. It returns how long they took.
func (e *engine) massRevoke(ctx context.Context, ours time.Duration) (time.Duration, error) {
	if err := e.feel(ctx, throttled); err != nil {
		return 0, err
	}
	mark, err := e.mark(ctx)
	if err != nil {
		return 0, err
	}
	began := now()
	if err := e.vault.Fetch(ctx, http.MethodPut, "sys/leases/revoke-prefix/"+e.mount, map[string]any{"sync": false}, nil); err != nil {
		return 0, err
	}
	watch := &massWatch{engine: e, began: began, look: ours}
	if err := watch.run(ctx); err != nil {
		return 0, err
	}
	calls, err := e.calls(ctx, mark)
	if err != nil {
		return 0, err
	}
	e.sheet.add("mass revoke: AWS calls", e.side, float64(len(calls)))
	if watch.usersGone > 0 {
		e.sheet.add("mass revoke: the same, over calls ÷ rate", e.side, watch.usersGone.Seconds()/(float64(len(calls))/rate))
	}
	return watch.usersGone, nil
}

// massWatch looks at what is left, again and again.
type massWatch struct {
	*engine
	began time.Time
	look  time.Duration // after which what is left is noted; 0: when all is gone

	keysDead, usersGone time.Duration // 0: not yet
}

func (m *massWatch) run(ctx context.Context) error {
	looked := false
	for {
		users, err := m.users(ctx)
		if err != nil {
			return err
		}
		since := now().Sub(m.began)
		m.note(users, since)
		done := m.usersGone > 0
		if !looked && (done && m.look == 0 || m.look > 0 && since >= m.look) {
			looked = true
			if err := m.noteLeft(ctx, users); err != nil {
				return err
			}
		}
		if looked && (done || m.keysDead > 0 && m.look > 0 || since > massAtMost) {
			return m.finish(ctx, since)
		}
		if err := pause(ctx, massPoll); err != nil {
			return err
		}
	}
}

func (m *massWatch) note(users map[string]awssim.User, since time.Duration) {
	if m.keysDead == 0 && keysOf(users) == 0 {
		m.keysDead = since
	}
	if m.usersGone == 0 && len(users) == 0 {
		m.usersGone = since
	}
}

func keysOf(users map[string]awssim.User) (count int) {
	for _, u := range users {
		count += len(u.Keys)
	}
	return count
}

// noteLeft notes what is left. Vault's own account of a lease ends a moment after
// its user.
func (m *massWatch) noteLeft(ctx context.Context, users map[string]awssim.User) error {
	m.sheet.add("mass revoke: keys alive when ours are gone", m.side, float64(keysOf(users)))
	m.sheet.add("mass revoke: users left when ours are gone", m.side, float64(len(users)))
	if m.look == 0 {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
	leases, err := m.leases(ctx)
	m.sheet.add("mass revoke: leases left when ours are gone", m.side, leases)
	return err
}

// finish notes the times. What was not done in the time that was watched took
// longer.
func (m *massWatch) finish(ctx context.Context, since time.Duration) error {
	if m.keysDead == 0 {
		m.keysDead = since
	}
	m.sheet.add("mass revoke: until the last key is dead", m.side, m.keysDead.Seconds())
	if m.usersGone > 0 {
		m.sheet.add("mass revoke: until the last user is gone", m.side, m.usersGone.Seconds())
	}
	irrevocable, err := m.leaseCount(ctx, "irrevocable")
	m.sheet.add("mass revoke: leases irrevocable", m.side, irrevocable)
	return err
}

// leases is how many leases of the mount Vault has.
func (m *massWatch) leases(ctx context.Context) (float64, error) {
	answer, err := m.vault.Call(ctx, "LIST", "sys/leases/lookup/"+m.mount+"/creds/inline", nil)
	if err != nil || answer.Status == http.StatusNotFound {
		return 0, err
	}
	var listed struct{ Data struct{ Keys []string } }
	err = answer.Into(&listed)
	return float64(len(listed.Data.Keys)), err
}

// leaseCount is what Vault counts of a type, of all mounts.
func (e *engine) leaseCount(ctx context.Context, kind string) (float64, error) {
	var counted struct {
		Data struct {
			Count float64 `json:"lease_count"`
		}
	}
	err := e.vault.Fetch(ctx, http.MethodGet, "sys/leases/count?include_child_namespaces=true&type="+kind, nil, &counted)
	return counted.Data.Count, err
}
