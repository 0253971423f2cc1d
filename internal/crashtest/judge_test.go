package crashtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vault-plugin-secrets-aws/internal/awssim"
)

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
		e    Evidence
		want Finding
	}{
		{name: "nothing at all"},
		{name: "a user of a lease", e: Evidence{Users: users(user("u", "K")), Leases: []Lease{{ID: "l", User: "u", Key: works("K")}}}},
		{name: "a user of the journal", e: Evidence{Users: users(user("u", "K", "K2")), Announced: []string{"u"}}},
		{name: "a user of a record", e: Evidence{Users: users(user("u", "K")), Recorded: []string{"u"}}},
		{name: "a user of nobody", e: Evidence{Users: users(user("u"))}, want: Finding{Leaked: []string{"user u"}}},
		{
			name: "a second key beside a lease's", e: Evidence{Users: users(user("u", "K", "K2")), Leases: []Lease{{ID: "l", User: "u", Key: works("K")}}},
			want: Finding{Leaked: []string{"key K2 of user u"}},
		},
		{name: "a policy", e: Evidence{Policies: []string{"arn"}}, want: Finding{Leaked: []string{"policy arn"}}},
		{
			name: "a lease whose key is gone", e: Evidence{Leases: []Lease{{ID: "l", User: "u", Key: dead("K")}}},
			want: Finding{Dead: []string{"key K of lease l"}},
		},
		{name: "a lease that is being revoked", e: Evidence{Leases: []Lease{{ID: "l", User: "u", Key: dead("K"), Ending: true}}}},
		{
			name: "a root key that is not stored", e: Evidence{Users: users(user(RootUser, "R", "R2")), Root: works("R")},
			want: Finding{Leaked: []string{"key R2 of user vault-root"}},
		},
		{
			name: "a root key that a rotation has announced",
			e:    Evidence{Users: users(user(RootUser, "R", "R2")), Root: works("R"), KeyEntries: []KeyEntry{{UserName: RootUser}}},
		},
		{
			name: "a static role's keys",
			e:    Evidence{Users: users(user(StaticUser, "S", "P")), Static: &StaticKey{Key: works("S"), Previous: "P"}},
		},
		{
			name: "a static user's key that nobody stored", e: Evidence{Users: users(user(StaticUser, "S"))},
			want: Finding{Leaked: []string{"key S of user application"}},
		},
		{
			name: "a static role's key is gone", e: Evidence{Static: &StaticKey{Key: dead("S")}},
			want: Finding{Dead: []string{"the static role's key S"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.e.Root.Works = true
			if diff := cmp.Diff(tc.want, tc.e.Judge()); diff != "" {
				t.Errorf("judge (-want +got):\n%s", diff)
			}
		})
	}
	if got := (Evidence{Root: dead("R")}).Judge(); len(got.Dead) != 1 {
		t.Errorf("a root key that does not work: %v", got)
	}
	left := Evidence{Users: users(user("u", "K"), user(StaticUser, "S")), Announced: []string{"u"}, Spared: []string{"S"}, Root: works("R")}
	if got := left.Disowned().Judge(); len(got.Leaked) != 2 {
		t.Errorf("what is left at the end: %v", got)
	}
}

func users(all ...awssim.User) map[string]awssim.User {
	m := map[string]awssim.User{}
	for _, u := range all {
		m[u.Name] = u
	}
	return m
}

func works(id string) Key { return Key{KeyPair: KeyPair{AccessKey: id}, Works: true} }

func dead(id string) Key { return Key{KeyPair: KeyPair{AccessKey: id}} }
