package sim_test

import (
	"fmt"
	"net/http"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"
	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/logical"
)

// action is something that somebody does. It begins and does not wait.
type action struct {
	name   string
	weight int
	do     func(w *world)
}

// actions is everything that happens in safety mode, and how often.
func actions() []action {
	return []action{
		{"creds", 360, (*world).askCreds},
		{"renew", 90, (*world).renewSome},
		{"revoke", 110, (*world).revokeSome},
		{"session", 30, (*world).askSession},
		{"static-creds", 90, (*world).readStatic},
		{"static role written", 25, (*world).writeStatic},
		{"static role deleted", 6, (*world).deleteStatic},
		{"static role rotated", 16, (*world).rotateStatic},
		{"root rotated", 10, (*world).rotateRoot},
		{"root scheduled", 5, (*world).scheduleRoot},
		{"root rewritten", 8, (*world).rewriteRoot},
		{"root key of an operator's", 4, (*world).replaceRoot},
		{"role written", 12, (*world).writeRole},
		{"role deleted", 4, (*world).deleteRole},
		{"lease config", 8, (*world).writeLease},
		{"users listed", 20, (*world).lookAtUsers},
		{"interference", 30, (*world).interfere},
		{"interference static", 8, (*world).interfereStatic},
		{"fault of AWS", 80, (*world).ailAWS},
		{"fault of storage", 40, (*world).ailStorage},
		{"AWS out", 4, func(w *world) { w.cutOff(w.between(time.Second, 40*time.Minute)) }},
		{"AWS's mood", 12, (*world).moodOfAWS},
		{"all faults over", 40, (*world).easeFaults},
		{"reload", 10, (*world).reload},
		{"killed", 14, (*world).killed},
		{"Vault down", 2, (*world).vaultDown},
		{"clock", 2, (*world).clockJumps},
		{"drain", 2, (*world).drain},
	}
}

// pace is the mean time between two actions.
const pace = 110 * time.Second

// act does an action and plans the next.
func (w *world) act() {
	w.mu.Lock()
	w.actions++
	w.mu.Unlock()
	all, total := actions(), 0
	for _, a := range all {
		total += a.weight
	}
	n := w.rng.IntN(total)
	for _, a := range all {
		if n -= a.weight; n < 0 {
			w.note("action %s", a.name)
			w.reach("action " + a.name)
			a.do(w)
			break
		}
	}
	// Look at the world again while the action is under way.
	w.after(w.between(time.Millisecond, 4*time.Second), func() {})
	w.nowAndThen(w.pause(), w.act)
}

// pause is mostly long, and sometimes so short that actions meet.
func (w *world) pause() time.Duration {
	if w.rng.IntN(4) == 0 {
		return w.between(time.Microsecond, 3*time.Second)
	}
	return time.Duration(w.rng.ExpFloat64()*float64(pace)*4/3) + 1
}

// roles are the dynamic roles.
var roles = []map[string]any{
	{"credential_type": "iam_user", "policy_document": allowSome},
	{"credential_type": "iam_user", "policy_arns": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
	{"credential_type": "iam_user", "policy_document": denySome, "iam_tags": "team=sim"},
	{"credential_type": "iam_user", "iam_groups": "staff", "policy_arns": "arn:aws:iam::123456789012:policy/theirs"},
	{"credential_type": "iam_user", "policy_document": allowSome, "max_users": "5"},
}

func role(i int) string { return fmt.Sprintf("roles/dynamic%d", i) }

// configure writes the roles and what else an operator writes first.
func (w *world) configure() {
	w.begin(func() {
		for i, fields := range roles {
			w.request(logical.UpdateOperation, role(i), fields, 0)
		}
		w.request(logical.UpdateOperation, "roles/session", map[string]any{"credential_type": "assumed_role", "role_arns": "arn:aws:iam::123456789012:role/assumable"}, 0)
		w.request(logical.UpdateOperation, "config/lease", map[string]any{"lease": "30m", "lease_max": "3h"}, 0)
		for i := range staticApps {
			w.request(logical.UpdateOperation, staticPath(i), map[string]any{"username": app(i), "rotation_period": "2h"}, 0)
		}
	})
}

// patience is when a client leaves: seldom early.
func (w *world) patience() time.Duration {
	if w.rng.IntN(20) == 0 {
		w.reach("client left early")
		return w.between(time.Microsecond, 2*time.Second)
	}
	return time.Minute
}

func (w *world) askCreds() {
	path, leaves := fmt.Sprintf("creds/dynamic%d", w.rng.IntN(len(roles))), w.patience()
	fate := registered
	switch w.rng.IntN(60) {
	case 0, 1:
		fate = storageFails
	case 2:
		fate = serverDies
	}
	w.begin(func() {
		a := w.request(logical.ReadOperation, path, nil, leaves)
		if !a.failed() && a.resp != nil && a.resp.Secret != nil {
			w.reach("issued to a client")
			w.vault.register(a, fate)
		}
	})
}

func (w *world) askSession() {
	leaves := w.patience()
	w.begin(func() {
		if a := w.request(logical.ReadOperation, "creds/session", nil, leaves); !a.failed() && a.resp.Secret != nil {
			w.vault.register(a, registered)
		}
	})
}

func (w *world) renewSome() {
	if live := w.vault.live(); len(live) > 0 {
		w.vault.renew(live[w.rng.IntN(len(live))], time.Duration(w.rng.IntN(3))*20*time.Minute)
	}
}

func (w *world) revokeSome() {
	if live := w.vault.live(); len(live) > 0 {
		w.vault.end(live[w.rng.IntN(len(live))])
	}
}

func staticPath(i int) string { return fmt.Sprintf("static-roles/static%d", i) }

func (w *world) readStatic() {
	name, leaves := fmt.Sprintf("static%d", w.rng.IntN(staticApps)), w.patience()
	w.begin(func() {
		a := w.request(logical.ReadOperation, "static-creds/"+name, nil, leaves)
		if !a.failed() && a.resp != nil && a.resp.Data != nil {
			w.judgeStatic(name, a.resp.Data["access_key"].(string))
		}
	})
}

func (w *world) writeStatic() {
	i := w.rng.IntN(staticApps)
	fields := map[string]any{"username": app(i)}
	switch w.rng.IntN(5) {
	case 0:
		fields["rotation_schedule"], fields["rotation_period"] = "*/20 * * * *", 0
	case 1:
		fields["grace"], fields["rotation_schedule"], fields["rotation_period"] = "10m", "", "1h"
	case 2:
		fields["grace"], fields["rotation_schedule"], fields["rotation_period"] = "", "", 0
	default:
		fields["rotation_schedule"], fields["rotation_period"] = "", fmt.Sprintf("%dm", 15+w.rng.IntN(300))
	}
	w.ofStatic(i, logical.UpdateOperation, staticPath(i), fields)
}

func (w *world) deleteStatic() {
	i := w.rng.IntN(staticApps)
	// A deletion that fails half-way leaves a role without its key, as asked for.
	w.world.spoil(read[store.StaticCreds](w.store, fmt.Sprintf("static-creds/static%d", i)).AccessKey)
	w.ofStatic(i, logical.DeleteOperation, staticPath(i), nil)
}

func (w *world) rotateStatic() {
	i := w.rng.IntN(staticApps)
	w.ofStatic(i, logical.UpdateOperation, fmt.Sprintf("rotate-role/static%d", i), nil)
}

// ofStatic sends one request about a static role; another one waits.
func (w *world) ofStatic(i int, op logical.Operation, path string, fields map[string]any) {
	leaves := w.patience()
	w.one(app(i), func() { w.request(op, path, fields, leaves) })
}

func (w *world) rotateRoot() {
	leaves := w.patience()
	w.one("root", func() { w.request(logical.UpdateOperation, "config/rotate-root", nil, leaves) })
}

func (w *world) scheduleRoot() {
	fields := map[string]any{"rotation_schedule": "", "rotation_window": 0, "rotation_period": 0}
	switch w.rng.IntN(3) {
	case 0:
		fields["rotation_period"] = "2h"
	case 1:
		fields["rotation_schedule"], fields["rotation_window"] = "7 */3 * * *", "1h"
	}
	w.one("config", func() { w.request(logical.UpdateOperation, "config/root", fields, 0) })
}

// rewriteRoot has an operator write the root config again, as Terraform does.
func (w *world) rewriteRoot() {
	fields := map[string]any{"region": "us-east-1"}
	w.one("config", func() { w.request(logical.UpdateOperation, "config/root", fields, 0) })
}

// replaceRoot has an operator give the root user another key, write it to
// config/root, and delete the one that is not stored.
func (w *world) replaceRoot() {
	w.one("config", func() {
		key, err := w.sim.Interfere(awssim.Interference{User: rootUser, Act: awssim.ActAddKey})
		if err != nil {
			return // there are two keys
		}
		w.note("people: a root key %s", key.AccessKey)
		w.world.made(key.AccessKey, true)
		w.world.spoil(read[store.RootConfig](w.store, store.RootConfigKey).AccessKey) // the operator's to delete
		a := w.request(logical.UpdateOperation, "config/root", map[string]any{"access_key": key.AccessKey, "secret_key": key.SecretKey}, 0)
		if !a.failed() {
			w.reach("root key of an operator's")
		}
		w.nowAndThen(time.Minute, w.tidyRoot)
	})
}

// tidyRoot has somebody delete the root user's keys that are neither stored nor
// the plugin's.
func (w *world) tidyRoot() {
	stored := read[store.RootConfig](w.store, store.RootConfigKey).AccessKey
	for _, key := range w.world.seen().Users[rootUser].Keys {
		if key.ID != stored && !w.announced(rootUser, key.ID) {
			w.world.act(rootUser, awssim.ActDeleteKey, key.ID)
		}
	}
	w.world.made(stored, false)
}

func (w *world) writeRole() {
	i := w.rng.IntN(len(roles))
	w.one(role(i), func() { w.request(logical.UpdateOperation, role(i), roles[i], 0) })
}

func (w *world) deleteRole() {
	i := w.rng.IntN(len(roles))
	w.one(role(i), func() { w.request(logical.DeleteOperation, role(i), nil, 0) })
	w.nowAndThen(w.between(time.Second, time.Hour), func() {
		w.one(role(i), func() { w.request(logical.UpdateOperation, role(i), roles[i], 0) })
	})
}

func (w *world) writeLease() {
	lease := 5 + w.rng.IntN(60)
	fields := map[string]any{"lease": fmt.Sprintf("%dm", lease), "lease_max": fmt.Sprintf("%dm", lease*(1+w.rng.IntN(4)))}
	w.one("config/lease", func() { w.request(logical.UpdateOperation, "config/lease", fields, 0) })
}

// one begins something about a subject, unless something about it is under way:
// in which order two that wait for one lock get it nobody can say.
func (w *world) one(subject string, what func()) {
	w.mu.Lock()
	busy := w.under[subject]
	w.under[subject] = true
	w.mu.Unlock()
	if busy {
		return
	}
	w.begin(func() {
		what()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.under, subject)
	})
}

func (w *world) lookAtUsers() {
	names := w.world.ours(w.world.seen())
	pick := w.rng.IntN(len(names) + 1)
	w.begin(func() {
		w.request(logical.ListOperation, "users/", nil, 0)
		if pick == len(names) {
			return
		}
		a := w.request(logical.ReadOperation, "users/"+names[pick], nil, 0)
		if a.status == http.StatusOK && a.resp != nil {
			w.request(logical.UpdateOperation, "lookup", map[string]any{"access_key": a.resp.Data["access_key"]}, 0)
		}
	})
}

// interfere has somebody do something to a user of ours.
func (w *world) interfere() {
	now := w.world.seen()
	names := w.world.ours(now)
	if len(names) == 0 {
		return
	}
	user := now.Users[names[w.rng.IntN(len(names))]]
	switch w.rng.IntN(5) {
	case 0:
		w.world.act(user.Name, awssim.ActDelete, "")
	case 1:
		w.world.act(user.Name, awssim.ActAddKey, "")
	case 2:
		w.world.act(user.Name, awssim.ActPutPolicy, allowSome)
	case 3:
		w.world.act(user.Name, awssim.ActAttachPolicy, "arn:aws:iam::aws:policy/ReadOnlyAccess")
	default:
		if len(user.Keys) > 0 {
			w.world.act(user.Name, awssim.ActDeleteKey, user.Keys[w.rng.IntN(len(user.Keys))].ID)
		}
	}
}

// interfereStatic has somebody add a key to a static role's user, and remove it
// later; or delete the key in force.
func (w *world) interfereStatic() {
	user := w.world.seen().Users[app(w.rng.IntN(staticApps))]
	if w.rng.IntN(2) == 0 && len(user.Keys) > 0 {
		w.world.act(user.Name, awssim.ActDeleteKey, user.Keys[w.rng.IntN(len(user.Keys))].ID)
		return
	}
	w.world.act(user.Name, awssim.ActAddKey, "")
	w.after(w.between(time.Minute, 4*time.Hour), func() { w.tidyStatic(user.Name) })
}

// tidyStatic has somebody delete the keys that people made.
func (w *world) tidyStatic(user string) {
	for _, key := range w.world.seen().Users[user].Keys {
		if w.world.isForeign(key.ID) {
			w.world.act(user, awssim.ActDeleteKey, key.ID)
		}
	}
}

// reload replaces the plugin's process in good order.
func (w *world) reload() {
	p := w.process()
	if p == nil {
		return
	}
	w.begin(func() {
		p.stop()
		w.after(0, func() { w.swap(p) })
	})
}

// swap starts a new process in place of p, if p still is the one.
func (w *world) swap(p *process) {
	if w.process() == p {
		w.halt()
	}
	w.revive()
}

// revive starts a process unless there is one.
func (w *world) revive() {
	if w.process() == nil {
		w.start()
	}
}

// killed has the process die; Vault starts another one at the next request.
func (w *world) killed() {
	if w.process() == nil {
		return
	}
	w.halt()
	w.revive()
}

// vaultDown has the whole server down for some time.
func (w *world) vaultDown() {
	if w.process() == nil {
		return
	}
	w.halt()
	w.nowAndThen(w.between(time.Minute, 5*time.Hour), w.backUp)
}

// backUp starts the server again, unless somebody did.
func (w *world) backUp() {
	w.revive()
	w.vault.restore()
}

// clockOffsets are by how much the clock of Vault's machine may be wrong.
var clockOffsets = []time.Duration{-2 * time.Hour, -40 * time.Second, 40 * time.Minute, 3 * time.Hour}

// clockJumps sets the clock of Vault's machine wrong for a while. An operator
// notices, sets it right and says so.
func (w *world) clockJumps() {
	if !w.clock.right() || w.process() == nil || w.journalled() > 0 {
		return
	}
	jump := clockOffsets[w.rng.IntN(len(clockOffsets))]
	w.note("the clock jumps by %s", jump)
	w.reach("clock jump " + jump.String())
	w.clock.jump(jump)
	w.nowAndThen(w.between(10*time.Second, 2*time.Hour), w.confirmClock)
}

// noticedWithin is how long it takes until the mount has noticed a clock that was
// set right: at its start, or by the worker's next pass.
const noticedWithin = 2 * time.Minute

// confirmClock sets the clock right and starts Vault again, which then reckons its
// leases by that clock. An operator tells the mount when it has noticed.
func (w *world) confirmClock() {
	w.halt()
	w.clock.jump(0)
	w.backUp()
	w.after(noticedWithin, func() {
		if read[lifecycle.MountState](w.store, mountState).ClockJump != "" {
			w.reach("operator confirms the clock")
		}
		w.insist(map[string]any{"confirm_deadlines": true})
	})
}

// drain has an operator drain the mount for a while.
func (w *world) drain() {
	if w.process() == nil || !w.clock.right() {
		return
	}
	w.one("tidy", func() {
		if !w.request(logical.UpdateOperation, "tidy", map[string]any{"drain": true}, 0).failed() {
			w.reach("drained")
		}
	})
	w.nowAndThen(w.between(time.Minute, time.Hour), w.undrain)
}

func (w *world) undrain() { w.insist(map[string]any{"drain": false}) }

// insist has an operator give the mount his word until it has taken it.
func (w *world) insist(word map[string]any) {
	w.mu.Lock()
	busy := w.under["tidy"]
	w.mu.Unlock()
	if busy {
		w.after(time.Second, func() { w.insist(word) })
		return
	}
	w.one("tidy", func() {
		if w.request(logical.UpdateOperation, "tidy", word, 0).failed() {
			w.after(time.Minute, func() { w.insist(word) })
		}
	})
}
