package sim_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// longestLease is the server's maximum.
const longestLease = 768 * time.Hour

// vault is the part of Vault's core that a secrets engine meets: leases, and
// the rollback manager. It survives the plugin's processes.
type vault struct {
	w      *world
	mu     sync.Mutex
	last   int
	leases map[int]*lease
	handed map[string]bool // keys that were handed out
}

// judgeKey: no key is handed out twice.
func (v *vault) judgeKey(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.handed[key] {
		v.w.violate("P1: key %s was handed out twice", key)
	}
	v.handed[key] = true
}

// lease is a lease of a dynamic user.
type lease struct {
	id      int
	user    string
	key     string
	secret  logical.Secret // as in Vault's storage
	expires time.Time      // by a timer, which no wrong clock disturbs
	wall    time.Time      // the same, as it is stored: by the clock of Vault's machine
	ended   bool           // a revoke was sent
	busy    bool           // a request about it is under way
	tries   int
}

// revokeTries is how often Vault tries before it calls a lease irrevocable, and
// revokeWait how long it waits after the first time; then twice as long each.
// From then on it tries once a day (expiration.go of Vault 1.21).
const (
	revokeTries = 6
	revokeWait  = 20 * time.Second
	revokeDaily = 24 * time.Hour
)

// rollbackEvery is how often Vault's rollback manager comes.
const rollbackEvery = time.Minute

// ticks is the rollback manager.
func (v *vault) ticks() {
	if p := v.w.process(); p != nil {
		v.w.begin(func() {
			ctx, cancel := context.WithTimeout(p.life, vaultTimeout)
			defer cancel()
			p.ask(ctx, &logical.Request{Operation: logical.RollbackOperation})
		})
	}
	v.w.after(rollbackEvery, v.ticks)
}

// registration is what becomes of a lease that is to be written.
type registration int

const (
	registered registration = iota
	storageFails
	serverDies
)

// register keeps the lease of an answer, as Vault's core does before the client
// sees anything. Where that fails it revokes at once, and once only; a server that
// dies before that does nothing.
func (v *vault) register(a answer, fate registration) {
	kept := *a.resp.Secret
	kept.InternalData = throughJSON(a.resp.Secret.InternalData)
	ttl := v.ttl(0, a.resp, time.Time{})
	kept.IssueTime = time.Now()
	l := &lease{secret: kept, expires: kept.IssueTime.Add(ttl), wall: v.w.clock.Now().Add(ttl)}
	l.user, _ = kept.InternalData["username"].(string)
	l.key, _ = a.resp.Data["access_key"].(string)
	if is, _ := kept.InternalData["is_sts"].(bool); is {
		v.w.reach("session")
		return
	}
	v.judgeKey(l.key)
	if fate == serverDies {
		v.w.reach("lease never written")
		v.w.note("lease of %s never written", l.user)
		return
	}
	if fate == storageFails {
		v.w.reach("lease not registered")
		v.w.note("lease of %s not registered", l.user)
		l.ended = true
		v.w.begin(func() { v.revoke(l) })
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	l.id = v.last
	v.leases[l.id] = l
	v.w.note("lease %d of %s for %s", l.id, l.user, ttl)
	v.w.after(ttl, func() { v.expire(l) })
}

// ttl is how long Vault's core lets a lease live.
func (v *vault) ttl(increment time.Duration, resp *logical.Response, issued time.Time) time.Duration {
	ttl, _, err := framework.CalculateTTL(systemView(), increment, resp.Secret.TTL, 0, resp.Secret.MaxTTL, 0, issued)
	if err != nil {
		v.w.violate("TTL of a lease: %v", err)
	}
	return ttl
}

func throughJSON(in map[string]any) (out map[string]any) {
	text, err := json.Marshal(in)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// expire ends a lease when its time has come. A server that is down looks again
// when it is back.
func (v *vault) expire(l *lease) {
	v.mu.Lock()
	left := time.Until(l.expires)
	over := l.ended
	v.mu.Unlock()
	switch {
	case over:
	case left > 0:
		v.w.after(left, func() { v.expire(l) })
	case v.w.process() == nil:
		v.w.after(jitter(l.id), func() { v.expire(l) })
	default:
		v.w.reach("lease expired")
		v.end(l)
	}
}

// lag tells leases apart that something happens to at the same instant.
func lag(id int) time.Duration { return time.Duration(id%977) * time.Millisecond }

// jitter is when a server that was down looks at a lease again.
func jitter(id int) time.Duration { return time.Minute + lag(id) }

// end revokes a lease until that succeeds.
func (v *vault) end(l *lease) {
	v.mu.Lock()
	l.ended = true
	if l.busy || v.w.process() == nil {
		v.mu.Unlock()
		v.w.after(jitter(l.id), func() { v.end(l) })
		return
	}
	l.busy = true
	v.mu.Unlock()
	v.w.begin(func() {
		done := v.revoke(l)
		v.mu.Lock()
		l.busy = false
		if done {
			delete(v.leases, l.id)
			v.mu.Unlock()
			return
		}
		l.tries++
		wait := revokeDaily
		if l.tries < revokeTries {
			wait = revokeWait << (l.tries - 1)
		} else {
			v.w.reach("lease irrevocable")
		}
		v.mu.Unlock()
		v.w.after(wait+lag(l.id), func() { v.end(l) })
	})
}

// revoke sends one revocation.
func (v *vault) revoke(l *lease) bool {
	a := v.about(l, logical.RevokeOperation, 0)
	v.w.note("revoke lease %d of %s: %d %s", l.id, l.user, a.status, firstLine(a))
	v.judgeRevoke(l, a)
	return a.err == nil && !a.resp.IsError()
}

// judgeRevoke: a user that could not be destroyed is condemned (L9), unless
// storage did not let us write that.
func (v *vault) judgeRevoke(l *lease, a answer) {
	if a.status == 0 || a.err == nil || strings.Contains(a.err.Error(), "condemn user") {
		return
	}
	if r := read[lifecycle.UserRecord](v.w.store, recordPrefix+l.user); r.State == lifecycle.Issued {
		v.w.violate("L9: the revocation of %s failed, and its user is not condemned: %v", l, a.err)
	}
}

// renew prolongs a lease, if the plugin agrees.
func (v *vault) renew(l *lease, increment time.Duration) {
	v.mu.Lock()
	if l.busy || l.ended {
		v.mu.Unlock()
		return
	}
	l.busy = true
	v.mu.Unlock()
	v.w.begin(func() {
		a := v.about(l, logical.RenewOperation, increment)
		v.w.note("renew lease %d of %s: %d %s", l.id, l.user, a.status, firstLine(a))
		v.mu.Lock()
		defer v.mu.Unlock()
		l.busy = false
		if a.err != nil || a.resp.IsError() || a.resp == nil {
			return
		}
		v.w.reach("lease renewed")
		ttl := v.ttl(increment, a.resp, l.secret.IssueTime)
		l.expires, l.wall = time.Now().Add(ttl), v.w.clock.Now().Add(ttl)
		l.secret.TTL, l.secret.MaxTTL = a.resp.Secret.TTL, a.resp.Secret.MaxTTL
		// A shorter lease is looked at again in time, a longer one by expire.
		v.w.after(ttl, func() { v.expire(l) })
	})
}

// restore sets the timers of all leases by the clock, as an unseal does.
func (v *vault) restore() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(v.leases)) {
		l := v.leases[id]
		l.expires = time.Now().Add(l.wall.Sub(v.w.clock.Now()) + time.Duration(id%97)*time.Millisecond)
		v.w.after(max(0, time.Until(l.expires)), func() { v.expire(l) })
	}
}

func (v *vault) about(l *lease, op logical.Operation, increment time.Duration) answer {
	p := v.w.process()
	if p == nil {
		return answer{err: errDead}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.w.t.Context()), vaultTimeout)
	defer cancel()
	secret := l.secret
	secret.InternalData = throughJSON(l.secret.InternalData)
	secret.Increment = increment
	return p.ask(ctx, &logical.Request{Operation: op, Path: "creds/x", Secret: &secret, ID: "lease-" + strconv.Itoa(l.id)})
}

// live are the leases that nobody has begun to end, by id.
func (v *vault) live() []*lease {
	v.mu.Lock()
	defer v.mu.Unlock()
	var live []*lease
	for _, id := range slices.Sorted(maps.Keys(v.leases)) {
		if l := v.leases[id]; !l.ended {
			live = append(live, l)
		}
	}
	return live
}

// ending are the leases whose revocation Vault owes or has given up.
func (v *vault) ending() []*lease {
	v.mu.Lock()
	defer v.mu.Unlock()
	var ending []*lease
	for _, id := range slices.Sorted(maps.Keys(v.leases)) {
		if l := v.leases[id]; l.ended {
			ending = append(ending, l)
		}
	}
	return ending
}

// endAll revokes every lease.
func (v *vault) endAll() {
	for i, l := range v.live() {
		v.w.after(time.Duration(i)*time.Second, func() { v.end(l) })
	}
}

// String is for messages.
func (l *lease) String() string {
	return fmt.Sprintf("lease %d of user %s, until %s", l.id, l.user, l.expires.UTC().Format(time.RFC3339))
}
