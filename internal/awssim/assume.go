package awssim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultRoleSession = time.Hour
	// maxChained is the longest session of a role that is assumed with
	// temporary credentials.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
	maxChained = time.Hour
)

// assumption is one AssumeRole under judgement.
type assumption struct {
	*call
	arn  string
	role *role // nil: there is none, which the caller must not learn
	keys contextKeys
	mfa  bool // the request brought a code of the caller's device
}

func assumeRole(c *call) ([]node, error) {
	a := &assumption{call: c, arn: c.in.text("RoleArn")}
	if err := a.checkCaller(); err != nil {
		return nil, err
	}
	mfa, err := c.checkMFA()
	if err != nil {
		return nil, err
	}
	a.mfa = mfa
	s := &session{kind: callerRole, name: c.in.text("RoleSessionName")}
	if err := a.inherit(s); err != nil {
		return nil, err
	}
	a.describeRequest(s)
	if err := a.judge(s); err != nil {
		return nil, err
	}
	return a.grant(s)
}

// checkCaller refuses whoever can assume no role at all, finds the role, and
// holds chained sessions to their hour.
func (a *assumption) checkCaller() error {
	arn, ok := parseARN(a.arn)
	name, isRole := strings.CutPrefix(arn.resource, "role/")
	if !ok || !isRole || arn.service != serviceIAM {
		return validationError("%s is invalid", a.arn)
	}
	if a.caller.user != nil && a.caller.user.isRoot() {
		return accessDenied("Roles may not be assumed by root accounts.")
	}
	if a.caller.session != nil && a.duration(defaultRoleSession) > maxChained {
		return validationError("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	a.role = a.sim.world.role(arn, name)
	return nil
}

// role finds a role by ARN, in any account.
func (w *world) role(arn arnParts, pathAndName string) *role {
	account := w.accounts[arn.account]
	if account == nil || account.partition.name != arn.partition {
		return nil
	}
	r := account.roles[fold(pathAndName[strings.LastIndex(pathAndName, "/")+1:])]
	if r == nil || r.path+r.name != "/"+pathAndName {
		return nil
	}
	return r
}

// inherit hands on what a chained session passes down: source identity and
// transitive tags, which the new session cannot change.
func (a *assumption) inherit(s *session) error {
	s.sourceIdentity = a.in.text("SourceIdentity")
	old := a.caller.session
	if old == nil || old.sourceIdentity == "" {
		return nil
	}
	if s.sourceIdentity != "" && s.sourceIdentity != old.sourceIdentity {
		return a.refused("sts:SetSourceIdentity")
	}
	s.sourceIdentity = old.sourceIdentity
	return nil
}

// describeRequest sets the condition keys that AssumeRole brings.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
func (a *assumption) describeRequest(s *session) {
	a.keys = tagKeys(a.in.tags("Tags"))
	a.keys.set("sts:RoleSessionName", s.name)
	if id := a.in.text("ExternalId"); id != "" {
		a.keys.set("sts:ExternalId", id)
	}
	if s.sourceIdentity != "" {
		a.keys.set("sts:SourceIdentity", s.sourceIdentity)
	}
	if names := a.in.list("TransitiveTagKeys"); names != nil {
		a.keys.set("sts:TransitiveTagKeys", names...)
	}
	if a.mfa {
		a.keys.set("aws:MultiFactorAuthPresent", "true")
	}
}

// judge holds each action that the request amounts to against both policies.
func (a *assumption) judge(s *session) error {
	actions := []string{"sts:AssumeRole"}
	if len(a.in.elements("Tags")) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if s.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if err := a.mayTake(action); err != nil {
			return err
		}
	}
	return nil
}

// mayTake needs the trust policy's word and the caller's own policies'. Only
// in the role's own account, a trust policy that names the caller itself is
// enough. Without the trust policy's word the answer does not tell whether
// the role exists.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
func (a *assumption) mayTake(action string) error {
	if a.role == nil {
		return a.refused(action)
	}
	q := ask{action, a.arn, a.keys}
	level, said := a.role.trusts(a.caller, action, a.context(q))
	if said != allowed {
		return a.refused(action)
	}
	if a.role.account != a.account {
		if a.permit(q) != nil {
			return a.refused(action)
		}
		return nil
	}
	if level == trusted {
		return a.unlessDenied(q)
	}
	return a.permit(q)
}

// unlessDenied is permit for a caller whom a trust policy names: what its own
// policies do not say does not matter, what its session policies do not say
// does.
func (a *assumption) unlessDenied(q ask) error {
	own := q
	own.keys = a.context(q)
	for _, set := range a.caller.policySets() {
		said := set.decide(own)
		if said == explicitDeny || said != allowed && set.kind == "session policy" {
			return a.permit(q)
		}
	}
	return nil
}

// refused is the answer that reveals nothing.
func (a *assumption) refused(action string) error {
	return a.denied(ask{action: action, resource: a.arn}, "")
}

// grant makes the session of an assumption that was judged.
func (a *assumption) grant(s *session) ([]node, error) {
	s.account, s.role = a.role.account, a.role
	d, err := a.roleDuration()
	if err != nil {
		return nil, err
	}
	packed, err := a.sessionInput(s)
	if err != nil {
		return nil, err
	}
	if old := a.caller.session; old != nil {
		s.chained = true
		s.takeTransitive(old)
	}
	a.grantSession(s, d)
	return append(s.describeRole(packed), optional("SourceIdentity", s.sourceIdentity)...), nil
}

// roleDuration is how long the session is to last, which the role bounds.
func (a *assumption) roleDuration() (time.Duration, error) {
	d := a.duration(defaultRoleSession)
	if d > time.Duration(a.role.maxSession)*time.Second {
		return 0, validationError("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return d, nil
}

// takeTransitive adds the transitive tags of the session before.
func (s *session) takeTransitive(old *session) {
	for _, t := range old.tags {
		if slices.ContainsFunc(old.transitive, func(key string) bool { return fold(key) == fold(t.key) }) {
			s.tags = mergeTags(s.tags, []tag{t})
			s.transitive = append(s.transitive, t.key)
		}
	}
}

func (s *session) describeRole(packed int) []node {
	who := s.caller()
	out := []node{
		s.describe(),
		branch("AssumedRoleUser", leaf("AssumedRoleId", who.id), leaf("Arn", who.arn)),
		leaf("PackedPolicySize", strconv.Itoa(packed)),
	}
	return append(out, s.describeToken(packed)...)
}
