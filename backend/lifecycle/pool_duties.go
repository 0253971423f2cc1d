package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
)

const (
	// refillAtOnce is how many users a pass makes at most: another one follows,
	// with whatever is more urgent first.
	refillAtOnce = 8
	// clearAtOnce is likewise for users that are thrown away.
	clearAtOnce = 20
	// proveAtOnce is how many keys are proven side by side.
	proveAtOnce = 2 * refillAtOnce
)

// PoolDuties keep the pools: throw away what they have no use for, make what they
// lack, and prove the keys. They come last among the worker's duties.
func (m *Manager) PoolDuties(connect Connect, pools Pools) []Duty {
	r := &refill{manager: m, pools: pools}
	return []Duty{
		{Name: "pool", Items: r.useless, Attend: func(ctx context.Context, user EntryID) error {
			return m.throwAway(ctx, connect, string(user))
		}},
		{Name: "refill", Items: r.plan, Attend: r.make},
		{Name: "pool key", AtOnce: proveAtOnce, Items: r.unproven, Attend: r.prove},
	}
}

// refill is what one pass does for the pools.
type refill struct {
	manager *Manager
	pools   Pools

	wanted []Pool
	short  map[EntryID]shortage // by role
	until  time.Time            // no user is begun later in this pass
}

// want is what the pools are to hold now: nothing in a mount that is being
// drained.
func (r *refill) want(ctx context.Context) ([]Pool, error) {
	s, err := r.manager.State(ctx)
	if err != nil || s.Draining {
		return nil, err
	}
	return r.pools(ctx)
}

// useless lists users that are in no pool of this process. While storage seems to
// have been restored the pools are left as they are.
func (r *refill) useless(ctx context.Context) ([]EntryID, error) {
	m := r.manager
	r.wanted = nil
	if err := m.Halted(ctx); err != nil {
		if errors.Is(err, ErrRestored) {
			return nil, nil // an operator is asked for a word elsewhere
		}
		return nil, err
	}
	m.stock.kept.Store(true)
	wanted, err := r.want(ctx)
	if err != nil {
		return nil, err
	}
	r.wanted = wanted
	m.stock.keep(wanted, m.clock.Now())
	users := m.useless()
	m.stock.kept.Store(len(wanted) > 0)
	if len(users) > clearAtOnce {
		m.StirPools()
	}
	return users[:min(len(users), clearAtOnce)], nil
}

// useless are the pooled users that are not in stock, and the spoilt ones.
func (m *Manager) useless() []EntryID {
	users := m.index.which(func(s standing) bool { return s.state == Pooled })
	users = slices.DeleteFunc(users, func(user EntryID) bool { return m.stock.has(string(user)) })
	for _, user := range m.stock.spoiltNames() {
		users = append(users, EntryID(user))
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// throwAway condemns and destroys a user that is in no pool of this process.
// Nobody has its key. The record is read again under the user's lock: it may have
// been handed out since.
func (m *Manager) throwAway(ctx context.Context, connect Connect, user string) error {
	return m.attendRecord(ctx, user, func(ctx context.Context, r UserRecord) error {
		useless := r.State == Pooled && !m.stock.has(user) || r.State == Issued && m.stock.isSpoilt(user)
		if useless {
			reason := reasonUnused
			if r.Process != m.process {
				reason = reasonForeign
			}
			r = r.condemned(m.clock.Now(), reason)
			if err := m.toldAs(WasDestroyed, r, func() error { return m.destroyRecorded(ctx, connect, r) }); err != nil {
				return err
			}
		}
		m.stock.settled(user)
		return nil
	})
}

// plan lists the roles whose pools lack users.
func (r *refill) plan(context.Context) (roles []EntryID, err error) {
	r.until = r.manager.clock.Now().Add(refillDeadline)
	r.short = make(map[EntryID]shortage)
	for _, s := range r.manager.stock.lacks(r.wanted, refillAtOnce) {
		roles = append(roles, EntryID(s.pool.Role))
		r.short[EntryID(s.pool.Role)] = s
	}
	return roles, nil
}

// make makes what a pool is to get in this pass. A limit on users that is
// reached is no error: those that live are as many as there may be.
func (r *refill) make(ctx context.Context, role EntryID) error {
	m, s := r.manager, r.short[role]
	ctx = governor.For(ctx, governor.Refill, "pool "+string(role))
	made := 0
	for ; made < s.now && m.clock.Now().Before(r.until); made++ {
		err := m.makePooled(ctx, s.pool)
		if capped := (*CapError)(nil); errors.As(err, &capped) || errors.Is(err, ErrDraining) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("refill the pool of role %q: %w", role, err)
		}
	}
	if s.more && made > 0 {
		m.StirPools() // after what is more urgent
	}
	return nil
}

// makePooled makes one user ahead of time and keeps its key in memory.
func (m *Manager) makePooled(ctx context.Context, p Pool) error {
	order, err := p.Order(ctx)
	if err != nil {
		return err
	}
	order.Spec.Process = m.process
	began := m.clock.Now()
	user, err := m.issueUser(ctx, order.IAM, order.Spec, refillPatience)
	if err != nil {
		return err
	}
	m.stock.add(&pooled{
		PooledUser: PooledUser{IssuedUser: user, Spec: order.Spec, Latest: order.Latest},
		role:       p.Role, of: p.Of, account: order.IAM.KnownAccount(), made: began, maxAge: p.MaxAge,
		provers: order.Provers(user.Key),
	})
	return nil
}

func (r *refill) unproven(context.Context) ([]EntryID, error) { return r.manager.stock.unproven(), nil }

// prove waits until STS knows the key of a user in stock: from then on it may be
// handed out. One that is not known in time waits for another pass.
func (r *refill) prove(ctx context.Context, user EntryID) error {
	m := r.manager
	provers := m.stock.proversOf(string(user))
	if provers == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(governor.For(ctx, governor.Refill, "pool"), MaxPropagation)
	defer cancel()
	if err := m.prove(ctx, MaxPropagation, provers...); err != nil {
		return fmt.Errorf("STS did not accept the key of pooled user %q three times in a row within %s: %w", user, MaxPropagation, err)
	}
	m.stock.proven(string(user), m.clock.Now().UTC())
	return nil
}
