package diagnose

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/permissions"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// answer is what came of a question; not asked, it is zero.
type answer[T any] struct {
	value T
	err   error
	asked bool
}

// facts are what AWS said.
type facts struct {
	source   answer[awsclient.Source]
	identity answer[lifecycle.Identity]
	root     permissions.Root // of identity
	reached  []endpoint

	keys     answer[[]lifecycle.KeyInfo] // of the root user
	policies lookups[bool]               // by ARN; whether it can be attached
	groups   lookups[struct{}]           // by name
	limits   lookups[awsclient.GroupPolicies]
	iamRoles lookups[awsclient.RoleInfo] // by ARN
	users    lookups[staticUser]         // by name
	assumed  lookups[struct{}]           // by assumption.key
	allowed  lookups[[]awsclient.Verdict]
}

type endpoint struct {
	awsclient.Probe
	awsclient.Reached
}

// staticUser is the user of a static role.
type staticUser struct {
	info awsclient.UserInfo
	keys []lifecycle.KeyInfo
}

// lookups are questions of one kind, by what they are about.
type lookups[T any] struct {
	mu      sync.Mutex
	answers map[string]answer[T]
}

func (l *lookups[T]) of(key string) answer[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers[key]
}

// plan makes a job of a question that nobody has planned yet; of no question for "".
func (l *lookups[T]) plan(jobs *[]job, key string, ask func(context.Context) (T, error)) {
	if _, planned := l.answers[key]; planned || key == "" || len(*jobs) >= maxLookups {
		return
	}
	if l.answers == nil {
		l.answers = map[string]answer[T]{}
	}
	l.answers[key] = answer[T]{}
	*jobs = append(*jobs, func(ctx context.Context) {
		value, err := ask(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.answers[key] = answer[T]{value, err, true}
	})
}

// job asks AWS one question.
type job func(ctx context.Context)

// gather asks AWS what the checks want to know. Once it is clear that the
// credentials do not work, nothing more is asked.
func gather(ctx context.Context, aws AWS, m Mount) *facts {
	f := &facts{}
	if aws == nil {
		return f
	}
	f.source = once(ctx, aws.Source)
	f.probe(ctx, aws)
	f.identity = once(ctx, aws.Identity)
	if f.identity.err != nil {
		return f
	}
	root, err := permissions.RootOf(f.identity.value.ARN)
	if err != nil {
		return f
	}
	f.root = root
	f.ask(ctx, aws, m)
	return f
}

// once asks a question within the time of one call.
func once[T any](ctx context.Context, ask func(context.Context) (T, error)) (a answer[T]) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a.asked = true
	a.value, a.err = ask(ctx)
	return a
}

// probe asks all endpoints at once.
func (f *facts) probe(ctx context.Context, aws AWS) {
	probes := aws.Probes()
	f.reached = make([]endpoint, len(probes))
	var jobs []job
	for i, p := range probes {
		f.reached[i].Probe = p
		jobs = append(jobs, func(ctx context.Context) { f.reached[i].Reached = p.Ask(ctx) })
	}
	each(ctx, jobs)
}

// ask plans all questions and asks them. Some wait for what others tell: the ARN
// of the root user's IAM role is not in the ARN of its sessions.
func (f *facts) ask(ctx context.Context, aws AWS, m Mount) {
	var jobs []job
	f.planRoles(&jobs, aws, m)
	f.planStatics(&jobs, aws, m)
	if f.root.UserName != "" {
		jobs = append(jobs, func(ctx context.Context) {
			keys, err := aws.KeysOf(ctx, f.root.UserName)
			f.keys = answer[[]lifecycle.KeyInfo]{keys, err, true}
		})
	}
	if f.root.RoleName != "" {
		f.iamRoles.plan(&jobs, f.root.RoleName, func(ctx context.Context) (awsclient.RoleInfo, error) { return aws.FindRole(ctx, f.root.RoleName) })
	}
	each(ctx, jobs)
	jobs = nil
	for _, q := range f.questions(m) {
		f.allowed.plan(&jobs, keyOf(q), func(ctx context.Context) ([]awsclient.Verdict, error) { return aws.Simulate(ctx, q) })
	}
	for _, a := range assumptions(m) {
		if m.Assume {
			f.assumed.plan(&jobs, a.key(), a.prove(aws))
		}
	}
	each(ctx, jobs)
}

func (f *facts) planRoles(jobs *[]job, aws AWS, m Mount) {
	for _, role := range m.Roles {
		if role.Issues(store.IAMUser) {
			for _, arn := range slices.Concat(role.PolicyARNs, []string{role.PermissionsBoundaryARN}) {
				f.planPolicy(jobs, aws, arn)
			}
			for _, group := range role.IAMGroups {
				f.groups.plan(jobs, group, func(ctx context.Context) (struct{}, error) { return struct{}{}, aws.FindGroup(ctx, group) })
			}
		}
		if limitsSessions(role.Role) {
			for _, arn := range role.PolicyARNs {
				f.planPolicy(jobs, aws, arn)
			}
			for _, group := range role.IAMGroups {
				f.limits.plan(jobs, group, func(ctx context.Context) (awsclient.GroupPolicies, error) {
					return aws.GroupPolicies(ctx, []string{group})
				})
			}
		}
		for _, arn := range role.RoleARNs {
			f.planRole(jobs, aws, arn)
		}
	}
}

// limitsSessions reports whether the role's policies limit sessions.
func limitsSessions(r *store.Role) bool {
	return r.IssuesAny([]store.CredentialType{store.AssumedRole, store.FederationToken})
}

// planPolicy leaves out what cannot exist or cannot be seen.
func (f *facts) planPolicy(jobs *[]job, aws AWS, arn string) {
	if parsed, err := policy.ParseARN(arn); err == nil && (parsed.Account == f.root.Account || parsed.Account == "aws") {
		f.policies.plan(jobs, arn, func(ctx context.Context) (bool, error) { return aws.FindPolicy(ctx, arn) })
	}
}

func (f *facts) planRole(jobs *[]job, aws AWS, arn string) {
	if parsed, err := policy.ParseARN(arn); err == nil && parsed.Account == f.root.Account && strings.HasPrefix(parsed.Resource, "role/") {
		name := parsed.Resource[strings.LastIndex(parsed.Resource, "/")+1:]
		f.iamRoles.plan(jobs, arn, func(ctx context.Context) (awsclient.RoleInfo, error) { return aws.FindRole(ctx, name) })
	}
}

func (f *facts) planStatics(jobs *[]job, aws AWS, m Mount) {
	for _, role := range m.Statics {
		if role.AssumeRoleARN != "" {
			continue
		}
		f.users.plan(jobs, role.Username, func(ctx context.Context) (u staticUser, err error) {
			if u.info, err = aws.FindUser(ctx, role.Username); err == nil {
				u.keys, err = aws.KeysOf(ctx, role.Username)
			}
			return u, err
		})
	}
}

// abreast is how many questions are under way at once.
const abreast = 4

// each does the jobs, some at a time, until ctx ends: those that are left then
// count as not asked.
func each(ctx context.Context, jobs []job) {
	queue := make(chan job)
	var workers sync.WaitGroup
	for range min(abreast, len(jobs)) {
		workers.Go(func() {
			for do := range queue {
				_ = lifecycle.Recovered(func() error {
					once(ctx, func(ctx context.Context) (struct{}, error) { do(ctx); return struct{}{}, nil })
					return nil
				})
			}
		})
	}
	for _, do := range jobs {
		if ctx.Err() != nil {
			break
		}
		queue <- do
	}
	close(queue)
	workers.Wait()
}

// reason is why a question has no answer; "" if it has one, be it that there is
// no such thing.
func reason[T any](a answer[T]) string {
	var call *awserr.Error
	switch {
	case !a.asked:
		return "there was no time, or there are too many; ask with role="
	case a.err == nil, errors.Is(a.err, awserr.NotFound):
		return ""
	case errors.As(a.err, &call) && call.Kind == awserr.Denied:
		return call.Op + " is not allowed"
	}
	return a.err.Error()
}
