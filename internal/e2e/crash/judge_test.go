package crash

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/crashtable"
)

// finding is what the judge found.
type finding struct {
	leaked []string // in AWS and owned by nothing
	dead   []string // to work and does not
}

func (f finding) add(g finding) finding {
	return finding{append(f.leaked, g.leaked...), append(f.dead, g.dead...)}
}

// at says when the finding was made.
func (f finding) at(when string) finding {
	said := func(all []string) (out []string) {
		for _, text := range all {
			out = append(out, text+" "+when)
		}
		return out
	}
	return finding{said(f.leaked), said(f.dead)}
}

// verdict is the worst that was found.
func (f finding) verdict() crashtable.Verdict {
	switch {
	case len(f.dead) > 0:
		return crashtable.Dead
	case len(f.leaked) > 0:
		return crashtable.Leaked
	}
	return crashtable.OK
}

// judge holds the invariants: no user, key or policy in AWS that no lease,
// journal entry, record or static role owns; no live lease whose key does not
// work; the stored root key works, and so does a static role's.
func judge(e evidence) finding {
	var f finding
	for _, arn := range e.policies {
		f.leaked = append(f.leaked, "policy "+arn)
	}
	for _, name := range slices.Sorted(maps.Keys(e.users)) {
		f.leaked = append(f.leaked, e.unowned(e.users[name])...)
	}
	for _, l := range e.leases {
		if !l.ending && !l.works {
			f.dead = append(f.dead, fmt.Sprintf("key %s of lease %s", l.key, l.id))
		}
	}
	if !e.rootWorks {
		f.dead = append(f.dead, "the stored root key "+e.root.AccessKey)
	}
	if e.static != nil && !e.static.works {
		f.dead = append(f.dead, "the static role's key "+e.static.AccessKey)
	}
	return f
}

// unowned is what nothing owns of a user: the user, or some of its keys.
func (e evidence) unowned(u awssim.User) (leaked []string) {
	if slices.Contains(e.announced, u.Name) || slices.Contains(e.recorded, u.Name) {
		return nil // it goes with whatever hangs on it
	}
	owned, mine := e.ownedKeys(u.Name)
	if !mine {
		return []string{"user " + u.Name}
	}
	for _, key := range u.Keys {
		if owned != nil && !slices.Contains(owned, key.ID) {
			leaked = append(leaked, fmt.Sprintf("key %s of user %s", key.ID, u.Name))
		}
	}
	return leaked
}

// ownedKeys are the keys of a user that something owns, nil for any, and
// whether something owns the user.
func (e evidence) ownedKeys(user string) (keys []string, owned bool) {
	for _, entry := range e.keyEntries {
		if entry.UserName != user {
			continue
		}
		if entry.New == "" {
			return nil, true
		}
		keys = append(append(keys, entry.Seen...), entry.Old, entry.New)
	}
	switch user {
	case rootUser:
		return append(keys, e.root.AccessKey), true
	case staticUser:
		if e.static != nil {
			keys = append(keys, e.static.AccessKey, e.static.Previous)
		}
		return append(append(keys, e.staticKeys...), ""), true
	}
	for _, l := range e.leases {
		if l.user == user {
			keys, owned = append(keys, l.key), true
		}
	}
	return keys, owned
}

// TestJudge: the judge sees what is planted, and nothing else.
func TestJudge(t *testing.T) {
	user := func(name string, keys ...string) awssim.User {
		u := awssim.User{Name: name}
		for _, id := range keys {
			u.Keys = append(u.Keys, awssim.Key{ID: id})
		}
		return u
	}
	for _, tc := range []struct {
		name string
		e    evidence
		want finding
	}{
		{name: "nothing at all"},
		{name: "a user of a lease", e: evidence{users: users(user("u", "K")), leases: []lease{{id: "l", user: "u", key: "K", works: true}}}},
		{name: "a user of the journal", e: evidence{users: users(user("u", "K", "K2")), announced: []string{"u"}}},
		{name: "a user of a record", e: evidence{users: users(user("u", "K")), recorded: []string{"u"}}},
		{name: "a user of nobody", e: evidence{users: users(user("u"))}, want: finding{leaked: []string{"user u"}}},
		{
			name: "a second key beside a lease's", e: evidence{users: users(user("u", "K", "K2")), leases: []lease{{id: "l", user: "u", key: "K", works: true}}},
			want: finding{leaked: []string{"key K2 of user u"}},
		},
		{name: "a policy", e: evidence{policies: []string{"arn"}}, want: finding{leaked: []string{"policy arn"}}},
		{
			name: "a lease whose key is gone", e: evidence{leases: []lease{{id: "l", user: "u", key: "K"}}},
			want: finding{dead: []string{"key K of lease l"}},
		},
		{name: "a lease that is being revoked", e: evidence{leases: []lease{{id: "l", user: "u", key: "K", ending: true}}}},
		{
			name: "a root key that is not stored", e: evidence{users: users(user(rootUser, "R", "R2")), root: keyPair{AccessKey: "R"}},
			want: finding{leaked: []string{"key R2 of user vault-root"}},
		},
		{
			name: "a root key that a rotation has announced",
			e:    evidence{users: users(user(rootUser, "R", "R2")), root: keyPair{AccessKey: "R"}, keyEntries: []keyEntry{{UserName: rootUser}}},
		},
		{
			name: "a static role's keys",
			e:    evidence{users: users(user(staticUser, "S", "P")), static: &staticKey{keyPair: keyPair{AccessKey: "S"}, Previous: "P", works: true}},
		},
		{
			name: "a static user's key that nobody stored", e: evidence{users: users(user(staticUser, "S"))},
			want: finding{leaked: []string{"key S of user application"}},
		},
		{
			name: "a static role's key is gone", e: evidence{static: &staticKey{keyPair: keyPair{AccessKey: "S"}}},
			want: finding{dead: []string{"the static role's key S"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.rootWorks = true
			if diff := cmp.Diff(tc.want, judge(tc.e), cmp.AllowUnexported(finding{})); diff != "" {
				t.Errorf("judge (-want +got):\n%s", diff)
			}
		})
	}
	if got := judge(evidence{root: keyPair{AccessKey: "R"}}); len(got.dead) != 1 {
		t.Errorf("a root key that does not work: %v", got)
	}
}

func users(all ...awssim.User) map[string]awssim.User {
	m := map[string]awssim.User{}
	for _, u := range all {
		m[u.Name] = u
	}
	return m
}
