package lifecycle_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
)

const ourAccount = "111111111111"

// user is an IAM user.
type user struct {
	created time.Time
	foreign bool // not ours: somebody else made it
	byHand  bool // made by the test, not by the code under test
	spec    lifecycle.UserSpec
	unseen  int // so many calls of its first minute still find no such user

	reported bool // that its name is written down nowhere

	keys     map[string]keyState // by id
	policies map[string]bool
	inline   map[string]bool
	groups   map[string]bool
	sides    map[side]bool
}

// keyState says who can know of a key.
type keyState string

const (
	plainKey   keyState = "plain"
	lateKey    keyState = "late"    // made by a request nobody waits for: its secret is known to nobody
	strangeKey keyState = "strange" // made by somebody else, unknown to the lease
)

func newUser() *user {
	return &user{keys: map[string]keyState{}, policies: map[string]bool{}, inline: map[string]bool{}, groups: map[string]bool{}, sides: map[side]bool{}}
}

// parts is what hangs on the user.
func (u *user) parts() lifecycle.Parts {
	return lifecycle.Parts{
		AccessKeys:     slices.Sorted(maps.Keys(u.keys)),
		PolicyARNs:     slices.Sorted(maps.Keys(u.policies)),
		InlinePolicies: slices.Sorted(maps.Keys(u.inline)),
		Groups:         slices.Sorted(maps.Keys(u.groups)),
	}
}

// bare reports whether IAM would delete the user.
func (u *user) bare() bool {
	return len(u.keys)+len(u.policies)+len(u.inline)+len(u.groups)+len(u.sides) == 0
}

// iam is the account as one process reaches it, with IAM's rules.
type iam struct{ *process }

var _ lifecycle.Users = iam{}

// Reserve implements lifecycle.Reserver. In most worlds AWS takes every call.
func (a iam) Reserve(ctx context.Context, calls int, patience time.Duration) (context.Context, func(), error) {
	if a.world.crowded != nil {
		return nil, nil, a.world.crowded
	}
	a.world.noteReserved(calls)
	if a.world.limit == nil {
		return ctx, func() {}, nil
	}
	return a.world.limit.governor.Reserve(ctx, calls, patience)
}

func (w *world) noteReserved(calls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reserved = append(w.reserved, calls)
}

// call is process.call at the pace of the account.
func (a iam) call(ctx context.Context, c call, effect func() error) error {
	send := func() error { return a.process.call(ctx, c, effect) }
	if a.world.limit == nil {
		return send()
	}
	return a.world.limit.send(ctx, c, send)
}

// on is a call on a user, which must exist and be visible.
func (a iam) on(ctx context.Context, op, name string, effect func(u *user, c call) error) error {
	c := call{"iam:" + op, name}
	return a.call(ctx, c, func() error {
		u := a.world.users[name]
		if u == nil {
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		if u.unseen > 0 && time.Since(u.created) < time.Minute {
			u.unseen--
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		return effect(u, c)
	})
}

// asked is an answer that only those get to see who waited for it: what a late
// call still writes is not returned.
func asked[T any](answer *T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return *answer, nil
}

// list is a call that returns names.
func (a iam) list(ctx context.Context, op, name string, of func(lifecycle.Parts) []string) ([]string, error) {
	var names []string
	err := a.on(ctx, op, name, func(u *user, _ call) error {
		names = of(u.parts())
		return nil
	})
	return asked(&names, err)
}

// add is a call that hangs something on a user.
func (a iam) add(ctx context.Context, op, name, part string, to func(*user) map[string]bool) error {
	return a.on(ctx, op, name, func(u *user, c call) error {
		if a.world.missing[part] {
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		to(u)[part] = true
		return nil
	})
}

// take is a call that takes something off a user. No key may live by then (L4).
func (a iam) take(ctx context.Context, op, name, part string, from func(*user) map[string]bool) error {
	return a.on(ctx, op, name, func(u *user, c call) error {
		a.world.checkKeysFirst(u, c)
		if !from(u)[part] {
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		delete(from(u), part)
		return nil
	})
}

func policiesOf(u *user) map[string]bool { return u.policies }
func inlineOf(u *user) map[string]bool   { return u.inline }
func groupsOf(u *user) map[string]bool   { return u.groups }

// CreateUser implements lifecycle.UserMaker.
func (a iam) CreateUser(ctx context.Context, spec lifecycle.UserSpec) (string, error) {
	w, c := a.world, call{"iam:CreateUser", spec.Name}
	err := a.call(ctx, c, func() error {
		if w.users[spec.Name] != nil {
			return w.refusal(c, awserr.Exists, "EntityAlreadyExists")
		}
		if w.missing[spec.Boundary] {
			return w.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		u := newUser()
		u.created, u.spec, u.unseen = time.Now(), spec, w.lag
		w.users[spec.Name] = u
		return nil
	})
	if err != nil {
		return "", err
	}
	return a.learn(w.account), nil
}

// AttachPolicy implements lifecycle.UserMaker.
func (a iam) AttachPolicy(ctx context.Context, name, arn string) error {
	return a.add(ctx, "AttachUserPolicy", name, arn, policiesOf)
}

// PutInlinePolicy implements lifecycle.UserMaker.
func (a iam) PutInlinePolicy(ctx context.Context, name string, policy lifecycle.InlinePolicy) error {
	return a.add(ctx, "PutUserPolicy", name, policy.Name, inlineOf)
}

// JoinGroup implements lifecycle.UserMaker.
func (a iam) JoinGroup(ctx context.Context, name, group string) error {
	return a.add(ctx, "AddUserToGroup", name, group, groupsOf)
}

// CreateAccessKey implements lifecycle.UserMaker.
func (a iam) CreateAccessKey(ctx context.Context, name string) (lifecycle.AccessKey, error) {
	w := a.world
	var key lifecycle.AccessKey
	err := a.on(ctx, "CreateAccessKey", name, func(u *user, c call) error {
		if len(u.keys) >= 2 {
			return w.refusal(c, awserr.Limit, "LimitExceeded")
		}
		w.keysMade++
		key.ID = fmt.Sprintf("AKIA%d", w.keysMade)
		key.Secret = lifecycle.Secret("secret of " + key.ID)
		if w.landing {
			u.keys[key.ID] = lateKey
			return nil
		}
		u.keys[key.ID] = plainKey
		w.checkKeyLast(u, c)
		return nil
	})
	return asked(&key, err)
}

// ListAccessKeys implements lifecycle.UserRemover.
func (a iam) ListAccessKeys(ctx context.Context, name string) ([]string, error) {
	return a.list(ctx, "ListAccessKeys", name, func(p lifecycle.Parts) []string { return p.AccessKeys })
}

// ListAttachedPolicies implements lifecycle.UserRemover.
func (a iam) ListAttachedPolicies(ctx context.Context, name string) ([]string, error) {
	return a.list(ctx, "ListAttachedUserPolicies", name, func(p lifecycle.Parts) []string { return p.PolicyARNs })
}

// ListInlinePolicies implements lifecycle.UserRemover.
func (a iam) ListInlinePolicies(ctx context.Context, name string) ([]string, error) {
	return a.list(ctx, "ListUserPolicies", name, func(p lifecycle.Parts) []string { return p.InlinePolicies })
}

// ListGroups implements lifecycle.UserRemover.
func (a iam) ListGroups(ctx context.Context, name string) ([]string, error) {
	return a.list(ctx, "ListGroupsForUser", name, func(p lifecycle.Parts) []string { return p.Groups })
}

// DeleteAccessKey implements lifecycle.UserRemover.
func (a iam) DeleteAccessKey(ctx context.Context, name, id string) error {
	return a.on(ctx, "DeleteAccessKey", name, func(u *user, c call) error {
		if u.keys[id] == "" {
			return a.world.refusal(c, awserr.NotFound, "NoSuchEntity")
		}
		delete(u.keys, id)
		return nil
	})
}

// DetachPolicy implements lifecycle.UserRemover.
func (a iam) DetachPolicy(ctx context.Context, name, arn string) error {
	return a.take(ctx, "DetachUserPolicy", name, arn, policiesOf)
}

// DeleteInlinePolicy implements lifecycle.UserRemover.
func (a iam) DeleteInlinePolicy(ctx context.Context, name, policy string) error {
	return a.take(ctx, "DeleteUserPolicy", name, policy, inlineOf)
}

// LeaveGroup implements lifecycle.UserRemover.
func (a iam) LeaveGroup(ctx context.Context, name, group string) error {
	return a.take(ctx, "RemoveUserFromGroup", name, group, groupsOf)
}

// DeleteUser implements lifecycle.UserRemover.
func (a iam) DeleteUser(ctx context.Context, name string) error {
	w := a.world
	return a.on(ctx, "DeleteUser", name, func(u *user, c call) error {
		if !u.bare() {
			return w.refusal(c, awserr.InUse, "DeleteConflict")
		}
		delete(w.users, name)
		return nil
	})
}

// CreatedAt implements lifecycle.UserInspector. IAM keeps whole seconds.
func (a iam) CreatedAt(ctx context.Context, name string) (time.Time, error) {
	var created time.Time
	err := a.on(ctx, "GetUser", name, func(u *user, _ call) error {
		created = u.created.Truncate(time.Second)
		return nil
	})
	return asked(&created, err)
}

// Account implements lifecycle.UserInspector.
func (a iam) Account(ctx context.Context) (string, error) {
	if known := a.KnownAccount(); known != "" {
		return known, nil
	}
	err := a.call(ctx, call{op: "sts:GetCallerIdentity"}, func() error { return nil })
	if err != nil {
		return "", err
	}
	return a.learn(a.world.account), nil
}

// KnownAccount implements lifecycle.UserInspector.
func (a iam) KnownAccount() string { return a.learn("") }

// learn notes the account that an answer showed and returns the one known.
func (p *process) learn(account string) string {
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	if account != "" {
		p.account = account
	}
	return p.account
}
