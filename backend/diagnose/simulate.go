package diagnose

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/permissions"
)

// Limits of what is asked of the policy simulator, ours.
const (
	maxSamples   = 20 // resources in one question
	maxQuestions = 60
)

// questions put every need of the mount to the policy simulator. Of the account's
// root user there is nothing to ask: no policy limits it.
func (f *facts) questions(m Mount) (all []awsclient.Question) {
	principal := f.principal()
	if m.Permissions == nil || principal == "" {
		return nil
	}
	for _, need := range f.needs(m) {
		all = append(all, f.questionsOf(principal, need)...)
	}
	return all[:min(len(all), maxQuestions)]
}

// needs are those of the mount, by whom it is in AWS.
func (f *facts) needs(m Mount) []permissions.Need {
	mount := *m.Permissions
	mount.Root = f.root
	return mount.Needs()
}

// principal is whose policies count: the root user's, or those of the IAM role
// whose session it is, which IAM tells or which is taken to have no path.
func (f *facts) principal() string {
	switch {
	case f.root.UserName != "":
		return f.root.ARN
	case f.root.RoleName == "":
		return ""
	}
	if role := f.iamRoles.of(f.root.RoleName); role.asked && role.err == nil {
		return role.value.ARN
	}
	return "arn:" + f.root.Partition + ":iam::" + f.root.Account + ":role/" + f.root.RoleName
}

func (f *facts) questionsOf(principal string, need permissions.Need) (all []awsclient.Question) {
	for _, keys := range combinations(need.Condition) {
		if f.root.UserName != "" {
			keys["aws:username"] = []string{f.root.UserName}
		}
		for samples := range slices.Chunk(need.Samples, maxSamples) {
			all = append(all, awsclient.Question{Principal: principal, Actions: need.Actions, Resources: samples, Keys: keys})
		}
	}
	return all
}

// combinations are the requests that meet a condition: one for each choice of a
// value for each key.
func combinations(c permissions.Condition) []map[string][]string {
	all := []map[string][]string{{}}
	for _, key := range slices.Sorted(maps.Keys(c)) {
		var next []map[string][]string
		for _, before := range all {
			for _, value := range c[key] {
				chosen := maps.Clone(before)
				chosen[key] = []string{value}
				next = append(next, chosen)
			}
		}
		all = next
	}
	return all
}

func keyOf(q awsclient.Question) string { return fmt.Sprint(q.Actions, q.Resources, q.Keys) }

// checkPermissions names what the root credentials may not do and must.
func checkPermissions(q *inquiry) {
	switch {
	case q.Permissions == nil || q.identity.err != nil || !q.identity.asked:
		return // told by other rows
	case q.root.AccountRoot():
		return // no policy limits it
	case q.principal() == "":
		q.skip("config/root", "permissions: IAM simulates those of users and roles, and the root credentials are a %s's", or(q.kind(), "stranger"))
		return
	}
	unknown := map[string][]string{} // actions, by why they could not be judged
	asked := 0
	for _, need := range q.needs(q.Mount) {
		for _, question := range q.questionsOf(q.principal(), need) {
			a, why := q.allowed.of(keyOf(question)), ""
			if asked++; asked > maxQuestions {
				why = "there are too many permissions to look at; ask with role="
			} else if why = reason(a); a.err != nil && why == "" {
				why = a.err.Error()
			}
			if why != "" {
				unknown[why] = append(unknown[why], need.Actions...)
				continue
			}
			q.judge(need, question, a.value)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(unknown)) {
		actions := slices.Compact(slices.Sorted(slices.Values(unknown[why])))
		q.skip("config/root", "whether %s are allowed: %s. config/iam-policy with diagnose=true prints what is to be allowed", strings.Join(actions, ", "), why)
	}
}

func (q *inquiry) judge(need permissions.Need, question awsclient.Question, verdicts []awsclient.Verdict) {
	refused := map[string][]awsclient.Verdict{}
	for _, v := range verdicts {
		if !v.Allowed {
			refused[v.Action] = append(refused[v.Action], v)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(refused)) {
		v := refused[action][0]
		q.find(Error, "config/root", fmt.Sprintf("allow %s on %s; config/iam-policy prints the whole policy", action, v.Resource),
			"%s is missing for %s: %s on %s%s%s", action, need.Feature, v.Why, v.Resource, more(len(refused[action])), carrying(question.Keys))
	}
}

// told reports whether a call was refused that a feature makes, too: then an
// action is missing, which is told here unless the simulator tells it.
func (q *inquiry) told(err error, subject, feature string) bool {
	var call *awserr.Error
	if !errors.As(err, &call) || call.Kind != awserr.Denied {
		return false
	}
	if !q.simulated() {
		q.find(Error, subject, remedy(err), "%s is missing for %s: %v", call.Op, feature, err)
	}
	return true
}

// simulated reports whether the simulator answers.
func (f *facts) simulated() bool {
	f.allowed.mu.Lock()
	defer f.allowed.mu.Unlock()
	for _, a := range f.allowed.answers {
		if a.asked && a.err == nil {
			return true
		}
	}
	return false
}

func more(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n-1)
}

// carrying names the condition keys of a request, but whose it is.
func carrying(keys map[string][]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key != "aws:username" {
			parts = append(parts, key+" "+strings.Join(keys[key], ", "))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " with " + strings.Join(parts, ", ")
}
