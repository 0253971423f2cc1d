package awssim

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contextKeys are the condition keys of a request, by lower-case name. A key
// that is absent is something else than one without values.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
type contextKeys map[string][]string

func (k contextKeys) set(name string, values ...string) { k[strings.ToLower(name)] = values }

// context are the keys of every call, of the resource, and of the question.
func (c *call) context(q ask) contextKeys {
	keys := c.unsignedKeys()
	maps.Copy(keys, c.caller.contextKeys())
	keys.set("aws:RequestedRegion", c.req.signed.region)
	for _, t := range c.sim.world.tagsOf(q.resource) {
		keys.set("aws:ResourceTag/"+t.key, t.value)
		keys.set("iam:ResourceTag/"+t.key, t.value)
	}
	maps.Copy(keys, q.keys)
	return keys
}

// unsignedKeys are those of every call, signed or not.
func (c *call) unsignedKeys() contextKeys {
	keys := contextKeys{}
	keys.set("aws:CurrentTime", c.now.Format(time.RFC3339))
	keys.set("aws:EpochTime", strconv.FormatInt(c.now.Unix(), 10))
	keys.set("aws:SecureTransport", strconv.FormatBool(c.req.tls))
	if from, err := netip.ParseAddrPort(c.req.remote); err == nil {
		keys.set("aws:SourceIp", from.Addr().Unmap().String())
	}
	return keys
}

// contextKeys are those that describe the caller.
func (w *caller) contextKeys() contextKeys {
	keys := contextKeys{}
	keys.set("aws:userid", w.id)
	keys.set("aws:PrincipalAccount", w.account.id)
	keys.set("aws:PrincipalArn", w.principalARN())
	keys.set("aws:PrincipalType", map[callerKind]string{
		callerRoot: "Account", callerRole: "AssumedRole", callerFederated: "FederatedUser",
	}[w.kind])
	if w.kind == callerUser || w.kind == callerSessionToken {
		keys.set("aws:PrincipalType", "User")
		keys.set("aws:username", w.user.name)
	}
	for _, t := range w.tags() {
		keys.set("aws:PrincipalTag/"+t.key, t.value)
	}
	if s := w.session; s != nil {
		keys.set("aws:TokenIssueTime", s.issued.Format(time.RFC3339))
		keys.set("aws:MultiFactorAuthPresent", strconv.FormatBool(s.mfa))
		if s.sourceIdentity != "" {
			keys.set("aws:SourceIdentity", s.sourceIdentity)
		}
	}
	return keys
}

// tagsOf are the tags of the user, role or managed policy of an ARN.
func (w *world) tagsOf(resource string) []tag {
	arn, ok := parseARN(resource)
	account := w.accounts[arn.account]
	if !ok || account == nil {
		return nil
	}
	kind, _, _ := strings.Cut(arn.resource, "/")
	name := fold(arn.resource[strings.LastIndex(arn.resource, "/")+1:])
	switch {
	case kind == "user" && account.users[name] != nil:
		return account.users[name].tags
	case kind == "role" && account.roles[name] != nil:
		return account.roles[name].tags
	case kind == "policy" && account.policies[resource] != nil:
		return account.policies[resource].tags
	}
	return nil
}

// principalARN of a role session is the role's.
func (w *caller) principalARN() string {
	if w.role != nil {
		return w.role.arn()
	}
	return w.arn
}

// tags are those of the identity, overridden by the session's.
func (w *caller) tags() []tag {
	var out []tag
	if w.role != nil {
		out = w.role.tags
	} else {
		out = w.user.tags
	}
	if w.session != nil {
		out = mergeTags(out, w.session.tags)
	}
	return out
}

// tagKeys are the condition keys of tags in a request.
func tagKeys(tags []tag) contextKeys {
	keys := contextKeys{}
	var names []string
	for _, t := range tags {
		keys.set("aws:RequestTag/"+t.key, t.value)
		names = append(names, t.key)
	}
	if names != nil {
		keys.set("aws:TagKeys", names...)
	}
	return keys
}

// resolve puts values in place of ${…}. It reports false for a variable that
// has none. Policies of the version 2008-10-17 know no variables.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func (k contextKeys) resolve(pattern, version string) (string, bool) {
	if version != version2012 || !strings.Contains(pattern, "${") {
		return pattern, true
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "${")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		value, ok := k.variable(name)
		if !closed || !ok {
			return "", false
		}
		for _, c := range []byte(value) {
			out.Write([]byte{literal, c})
		}
		pattern = after
	}
}

// variable is the value of "aws:username" or "aws:PrincipalTag/team, 'none'".
func (k contextKeys) variable(name string) (string, bool) {
	if name == "*" || name == "?" || name == "$" {
		return name, true
	}
	name, fallback, hasFallback := strings.Cut(name, ",")
	if values := k[strings.ToLower(strings.TrimSpace(name))]; len(values) == 1 {
		return values[0], true
	}
	return strings.Trim(strings.TrimSpace(fallback), "'"), hasFallback
}

// matchesConditions reports whether all conditions hold. One whose operator
// is unknown fails closed: it does not hold for an Allow and holds for a Deny.
func (st *statement) matchesConditions(keys contextKeys, version string) bool {
	return !slices.ContainsFunc(st.conditions, func(c condition) bool {
		holds, known := c.holds(keys, version)
		if !known {
			holds = st.effect == "Deny"
		}
		return !holds
	})
}

// holds evaluates one condition; known is false for an operator that is not
// modelled.
func (c condition) holds(keys contextKeys, version string) (holds, known bool) {
	operator, quantifier := c.operator, ""
	if before, after, ok := strings.Cut(operator, ":"); ok {
		quantifier, operator = before, after
	}
	values, present := keys[strings.ToLower(c.key)]
	if operator == "Null" {
		want := slices.Contains(c.values, "true")
		return want != present, true
	}
	operator, ifExists := strings.CutSuffix(operator, "IfExists")
	test, negative, known := operatorTest(operator)
	if !known || quantifier != "" && quantifier != "ForAnyValue" && quantifier != "ForAllValues" {
		return false, false
	}
	if !present && quantifier == "" {
		return ifExists || negative, true
	}
	match := func(value string) bool { return c.anyValue(test, value, keys, version) != negative }
	if quantifier == "ForAllValues" {
		return !slices.ContainsFunc(values, func(v string) bool { return !match(v) }), true
	}
	return slices.ContainsFunc(values, match), true
}

// anyValue reports whether the request's value meets one of the policy's.
func (c condition) anyValue(test func(want, got string) bool, got string, keys contextKeys, version string) bool {
	return slices.ContainsFunc(c.values, func(want string) bool {
		resolved, ok := keys.resolve(want, version)
		return ok && test(resolved, got)
	})
}
