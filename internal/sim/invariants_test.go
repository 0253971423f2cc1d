package sim_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"
	"vault-plugin-secrets-aws/internal/awssim"
)

// mountState is where a mount remembers itself.
const mountState = "journal/mount"

// check judges the world as it is.
func (w *world) check() {
	now := w.world.seen()
	w.checkUsers(now)
	w.checkLeases(now)
	w.checkKeys(now)
	w.checkTheirs(now)
}

// checkUsers: every user of ours is written down (L2).
func (w *world) checkUsers(now awssim.Account) {
	for _, user := range w.world.ours(now) {
		if !w.store.owned(user) {
			w.violate("L2: user %q is in AWS, and in neither the journal nor a record", user)
		}
	}
}

// checkLeases: the key of a live lease is there and active, and its user is not
// condemned, unless people took it away.
func (w *world) checkLeases(now awssim.Account) {
	leeway := 5 * time.Second // the record is written before the lease begins
	if read[lifecycle.MountState](w.store, mountState).Draining {
		leeway = 2 * time.Minute // there is no grace, and clocks may differ by a minute
	}
	for _, l := range w.vault.live() {
		if w.world.isSpoilt(l.user, l.key) || time.Until(l.expires) < leeway {
			continue
		}
		if !activeKey(now.Users[l.user], l.key) {
			w.violate("the key %s of %s is not active in AWS", l.key, l)
		}
		if r := read[lifecycle.UserRecord](w.store, recordPrefix+l.user); r.State != lifecycle.Issued {
			w.violate("the record of %s is in state %q: %s", l, r.State, r.Reason)
		}
	}
}

func activeKey(user awssim.User, id string) bool {
	return slices.ContainsFunc(user.Keys, func(k awssim.Key) bool { return k.ID == id && k.Status == "Active" })
}

// mayGo reports whether the plugin may delete a key of the root user or of a
// static role's: none that people made, unless it is older than the stored one and
// stands where the previous key would.
func (w *world) mayGo(name, id string) bool {
	if !w.world.isForeign(id) {
		return true
	}
	user := w.world.seen().Users[name]
	theirs := slices.IndexFunc(user.Keys, func(k awssim.Key) bool { return k.ID == id })
	for _, creds := range under[store.StaticCreds](w.store, store.StaticCredsKeys) {
		ours := slices.IndexFunc(user.Keys, func(k awssim.Key) bool { return k.ID == creds.AccessKey })
		if ours >= 0 && theirs >= 0 && !user.Keys[theirs].Created.After(user.Keys[ours].Created) {
			return true
		}
	}
	if theirs < 0 {
		return true // gone already
	}
	for _, e := range w.keyIntents() {
		// While a lost key of ours is looked for, nobody can tell the two apart.
		if e.UserName == name && (e.New == "" || e.Lost > 0) && !user.Keys[theirs].Created.Before(e.BegunAt) {
			return true
		}
	}
	return false
}

// checkProven: a key that is being stored has worked (R1, S1).
func (w *world) checkProven(id string) {
	if w.world.isForeign(id) {
		return // an operator stores it
	}
	for name, user := range w.world.seen().Users {
		for _, key := range user.Keys {
			if key.ID == id && key.LastUsed == nil {
				w.violate("R1: key %s of user %q is stored and never worked", id, name)
			}
		}
	}
}

// checkKeys: stored keys of the root user and of static roles are active (R1,
// S1), and every other key of these users is announced or somebody else's.
func (w *world) checkKeys(now awssim.Account) {
	root := read[store.RootConfig](w.store, store.RootConfigKey)
	if !activeKey(now.Users[rootUser], root.AccessKey) {
		w.violate("R1: the stored root key %s is not active in AWS", root.AccessKey)
	}
	owned := map[string]bool{root.AccessKey: true}
	for name, creds := range under[store.StaticCreds](w.store, store.StaticCredsKeys) {
		owned[creds.AccessKey], owned[creds.PreviousKey] = true, true
		user := read[store.StaticRole](w.store, "static-roles/"+name).Username
		if user != "" && !activeKey(now.Users[user], creds.AccessKey) && !w.world.isSpoilt(creds.AccessKey) && !w.underway(user) {
			w.violate("S1: the stored key %s of static role %s is not active in AWS", creds.AccessKey, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Users)) {
		if name != rootUser && !strings.HasPrefix(name, "app") {
			continue
		}
		for _, key := range now.Users[name].Keys {
			if !owned[key.ID] && !w.world.isForeign(key.ID) && !w.world.isSpoilt(key.ID) && !w.announced(name, key.ID) {
				w.violate("key %s of user %q is stored nowhere, announced nowhere and not somebody else's", key.ID, name)
			}
		}
	}
}

// announced reports whether a journal entry owns a key.
func (w *world) announced(user, key string) bool {
	for _, e := range w.keyIntents() {
		if e.UserName == user && (e.New == key || e.Old == key || (e.New == "" || e.Lost > 0) && !slices.Contains(e.Seen, key)) {
			return true
		}
	}
	return false
}

// keyAnnounced reports whether a journal entry announces a key of a user.
func (w *world) keyAnnounced(user string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(w.keyIntents())), func(e lifecycle.KeyIntent) bool { return e.UserName == user })
}

func (w *world) keyIntents() map[string]lifecycle.KeyIntent {
	found := under[lifecycle.KeyIntent](w.store, "journal/root-key/")
	maps.Copy(found, under[lifecycle.KeyIntent](w.store, "journal/static-key/"))
	return found
}

// journalled is how much is announced and not finished.
func (w *world) journalled() int {
	return len(w.keyIntents()) + len(under[json.RawMessage](w.store, walPrefix))
}

// underway reports whether an operator is busy with a subject.
func (w *world) underway(subject string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.under[subject]
}

// checkTheirs: what is other people's is as it was.
func (w *world) checkTheirs(now awssim.Account) {
	was := w.world.before
	for _, user := range []string{bystander, "admin"} {
		if !reflect.DeepEqual(was.Users[user], now.Users[user]) {
			w.violate("user %q, who is somebody else's, was touched", user)
		}
	}
	for arn, policy := range was.Policies {
		if now.Policies[arn].Document != policy.Document {
			w.violate("policy %s, which is somebody else's, was touched", arn)
		}
	}
	if len(now.Policies) != len(was.Policies) || len(now.Groups) != len(was.Groups) || len(now.Roles) != len(was.Roles) {
		w.violate("policies, groups or roles were made or deleted")
	}
	for _, user := range append([]string{rootUser}, w.apps()...) {
		if !reflect.DeepEqual(was.Users[user].InlinePolicies, now.Users[user].InlinePolicies) {
			w.violate("the policies of user %q were touched", user)
		}
	}
}

func (w *world) apps() (names []string) {
	for i := range staticApps {
		names = append(names, app(i))
	}
	return names
}

// judgeStatic checks a key that was read just now.
func (w *world) judgeStatic(name, key string) {
	w.reach("static key read")
	role := read[store.StaticRole](w.store, "static-roles/"+name)
	user := w.world.seen().Users[role.Username]
	if role.Username == "" || w.world.isSpoilt(key) || w.underway(role.Username) || w.store.troubled() {
		return // deleted meanwhile
	}
	if !activeKey(user, key) {
		w.violate("S1: static-creds/%s answered key %s, which is not active in AWS", name, key)
	}
}
