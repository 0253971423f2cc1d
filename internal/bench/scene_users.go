package bench

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// latency is what every call of AWS takes where AWS feels slow.
const latency = 100 * time.Millisecond

// A kind is a role of IAM users.
type kind struct {
	name string // as in the rows
	role string // as in Vault
	runs int
	of   func(a *account) map[string]any
}

// kinds are the roles that issue and revoke are measured with.
var kinds = []kind{
	{"inline", "inline", 20, func(*account) map[string]any { return iamUser(something, nil) }},
	{"two managed, inline, tags", "tagged", 20, tagged},
	{"two managed, inline, tags, group", "grouped", 20, func(a *account) map[string]any {
		role := tagged(a)
		role["iam_groups"] = group
		return role
	}},
	{"ten managed", "ten", 8, func(a *account) map[string]any { return iamUser("", a.policyARNs(policies)) }},
}

func iamUser(document string, managed []string) map[string]any {
	return map[string]any{"credential_type": "iam_user", "policy_document": document, "policy_arns": managed}
}

func tagged(a *account) map[string]any {
	role := iamUser(something, a.policyARNs(2))
	role["iam_tags"] = map[string]string{"team": "ops", "stage": "production"}
	return role
}

// users issues and revokes with each kind of role.
func users(ctx context.Context, w *world) error {
	pair, err := w.together(ctx)
	if err != nil {
		return err
	}
	for _, e := range pair {
		if err := e.writeKinds(ctx); err != nil {
			return err
		}
	}
	if err := w.feel(ctx, slow); err != nil {
		return err
	}
	for _, k := range kinds {
		one := func(e *engine) error { return e.lifecycle(ctx, k) }
		if err := takeTurns(pair, w.Quick.of(k.runs), one); err != nil {
			return err
		}
	}
	return w.calm(ctx)
}

func (e *engine) writeKinds(ctx context.Context) error {
	for _, k := range kinds {
		if err := e.write(ctx, "roles/"+k.role, k.of(e.account)); err != nil {
			return err
		}
	}
	return nil
}

// lifecycle issues a credential and revokes it.
func (e *engine) lifecycle(ctx context.Context, k kind) error {
	mark, err := e.mark(ctx)
	if err != nil {
		return err
	}
	var c credential
	took, err := timed(func() (err error) { c, err = e.issue(ctx, k.role); return err })
	if err != nil {
		return err
	}
	e.sheet.took("issue: "+k.name, e.side, took)
	if mark, err = e.count(ctx, "issue: "+k.name, mark); err != nil {
		return err
	}
	asked := now()
	if err := e.revoke(ctx, c.LeaseID); err != nil {
		return err
	}
	e.sheet.took("revoke: "+k.name, e.side, now().Sub(asked))
	calls, err := e.calls(ctx, mark)
	if err != nil {
		return err
	}
	e.sheet.took("time to dead: "+k.name, e.side, last(calls, "iam:DeleteAccessKey").Sub(asked))
	_, err = e.count(ctx, "revoke: "+k.name, mark)
	return err
}

// count adds the calls and rounds since a mark to the sheet and returns the next.
func (e *engine) count(ctx context.Context, what string, mark int64) (int64, error) {
	calls, err := e.calls(ctx, mark)
	if err != nil {
		return 0, err
	}
	e.sheet.add("calls to "+what, e.side, float64(len(calls)))
	e.sheet.add("rounds to "+what, e.side, float64(rounds(calls, latency)))
	return e.mark(ctx)
}

// rounds is how often the latency of AWS was waited for: a call that took effect
// a latency later than the first of a round has begun after that was answered.
func rounds(calls []awssim.Call, latency time.Duration) (count int) {
	var began time.Time
	for _, c := range calls {
		if count == 0 || c.Time.Sub(began) >= latency {
			count++
			began = c.Time
		}
	}
	return count
}

// last is when the last call of an action took effect; zero if there is none.
func last(calls []awssim.Call, action string) (at time.Time) {
	for _, c := range calls {
		if c.Action == action && c.Code == "" {
			at = c.Time
		}
	}
	return at
}
