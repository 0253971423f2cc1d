package awssim

import (
	"slices"
	"strings"
)

// checkTrust holds the grammar of trust policies.
func checkTrust(st *statement) error {
	switch {
	case st.effect == "":
		return malformedPolicy("Missing required field Effect")
	case st.effect != "Allow" && st.effect != "Deny":
		return malformedPolicy("Invalid effect: %s", st.effect)
	case st.notPrincipals != nil && st.effect == "Allow":
		return malformedPolicy("Allow with NotPrincipal is not allowed.")
	case st.notPrincipals != nil:
		return malformedPolicy("AssumeRole policy must not contain NotPrincipal field.")
	case st.principals[bareText] != nil:
		return malformedPolicy("Principal must be a JSON object.")
	case st.principals == nil:
		return malformedPolicy("Missing required field Principal")
	case len(st.principals) == 0:
		return malformedPolicy("Missing required field Principal cannot be empty!")
	case st.resources != nil:
		return malformedPolicy("Has prohibited field Resource")
	case st.notResources != nil:
		return malformedPolicy("AssumeRole policy must not contain resources.")
	case st.actions != nil && st.notActions != nil:
		return malformedPolicy("Syntax error in policy.")
	case len(st.actions)+len(st.notActions) == 0:
		return malformedPolicy("Missing required field Action")
	}
	for _, action := range slices.Concat(st.actions, st.notActions) {
		if !strings.HasPrefix(strings.ToLower(action), "sts:") {
			return malformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")
		}
	}
	for kind := range st.principals {
		if !slices.Contains([]string{"AWS", "Service", "Federated"}, kind) {
			return malformedPolicy("Invalid principal in policy: %q", kind)
		}
	}
	return checkShared(st)
}

// setTrust reads a trust policy. The users and roles it names must exist, in
// accounts that the simulator knows, and are remembered by id: one of the
// same name that is made later is somebody else.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func (s *Sim) setTrust(r *role, raw string) error {
	text, err := parsePolicy(raw, trustRules())
	if err != nil {
		return err
	}
	if compactSize(raw) > maxTrustSize {
		return limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustSize)
	}
	trusted := map[string]string{}
	for _, st := range text.doc.statements {
		if err := s.options.Dialect.checkServices(st.principals["Service"]); err != nil {
			return err
		}
		for _, name := range st.principals["AWS"] {
			id, err := s.world.principalID(name)
			if err != nil {
				return err
			}
			trusted[name] = id
		}
	}
	r.trust, r.trusted = text, trusted
	return nil
}

// principalID is the unique id of the user or role that a trust policy names;
// "" for everybody, an account, a session, and in accounts unknown here.
func (w *world) principalID(name string) (string, error) {
	if name == "*" || accountPattern.MatchString(name) {
		return "", nil
	}
	arn, ok := parseARN(name)
	if !ok {
		return "", malformedPolicy(`Invalid principal in policy: "AWS":"%s"`, name)
	}
	a := w.accounts[arn.account]
	if a == nil || arn.service != serviceIAM || arn.resource == "root" {
		return "", nil
	}
	for _, u := range a.users {
		if u.arn() == name {
			return u.id, nil
		}
	}
	for _, r := range a.roles {
		if r.arn() == name {
			return r.id, nil
		}
	}
	return "", malformedPolicy(`Invalid principal in policy: "AWS":"%s"`, name)
}

// arnParts are the parts of an ARN that IAM and STS use.
type arnParts struct{ partition, service, account, resource string }

func parseARN(text string) (arnParts, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return arnParts{}, false
	}
	return arnParts{parts[1], parts[2], parts[4], parts[5]}, true
}

// trustLevel is how a trust policy names a caller.
type trustLevel int

const (
	untrusted trustLevel = iota
	delegated            // only its account: the caller's own policies decide
	trusted              // itself, or everybody
)

// trusts says whether a role's trust policy lets a caller take an action, and
// on whose word. A deny that meets the caller in any way wins.
func (r *role) trusts(w *caller, action string, keys contextKeys) (trustLevel, decision) {
	level, said := untrusted, implicitDeny
	v := r.inForce(w.now, r.present())
	if v.trust == nil {
		return level, said // too new
	}
	doc := v.trust.doc
	for i := range doc.statements {
		st := &doc.statements[i]
		named := v.names(st, w)
		if named == untrusted || !st.matches(ask{action: action, keys: keys}, doc.version) {
			continue
		}
		if st.effect == "Deny" {
			return untrusted, explicitDeny
		}
		level, said = max(level, named), allowed
	}
	return level, said
}

// names says how directly a statement's AWS principals name a caller.
func (v view) names(st *statement, w *caller) trustLevel {
	level := untrusted
	for _, name := range st.principals["AWS"] {
		switch {
		case name == "*":
			return trusted
		case name == w.account.id || name == w.account.arn(serviceIAM, "root"):
			level = max(level, delegated)
		case name == w.arn && w.kind != callerUser && w.kind != callerSessionToken:
			return trusted // a session by its own ARN
		case v.trusted[name] == w.uniqueID() || v.trusted[name] == "" && name == w.principalARN():
			return trusted
		}
	}
	return level
}

// uniqueID is the id of the user or role behind a caller.
func (w *caller) uniqueID() string {
	if w.role != nil {
		return w.role.id
	}
	return w.user.id
}
