package main

const contract = "internal/awscontract"

// simulator breaks one rule of the simulator at a time; the case of the
// contract suite that is about the rule must fail.
var simulator = []mutation{
	sim("users.go", "DeleteUser passes over access keys", `{len(u.keys) > 0, "delete access keys first"},`, "", "DeleteUser with access key$"),
	sim("users.go", "DeleteUser passes over login profiles", `{u.login != nil, "delete login profile first"},`, "", "DeleteUser with login profile"),
	sim("users.go", "DeleteUser passes over MFA devices", `{len(u.devices) > 0, "delete MFA device first"},`, "", "DeleteUser with MFA device"),
	sim("users.go", "DeleteUser passes over SSH keys and the like", `{len(u.sideKeys) > 0, "remove referenced objects first"},`, "", "DeleteUser with service-specific credential"),
	sim("users.go", "DeleteUser passes over groups", `{len(u.groups) > 0, "remove users from group first"},`, "", "DeleteUser with group"),
	sim("users.go", "DeleteUser passes over inline policies", `{len(u.inline) > 0, "delete policies first"},`, "", "DeleteUser with inline policy"),
	sim("users.go", "DeleteUser passes over attached policies", `{len(u.attached) > 0, "detach all policies first"},`, "", "DeleteUser with attached policy"),
	sim("users.go", "a rename overwrites", "other != nil && other != u", "other != nil && false", "UpdateUser: new name that is taken"),
	sim("users.go", "tags in CreateUser need no permission", "if len(tags) > 0 && c.sim.asksForTagging() {", "if len(tags) > 0 && false {", "Access: tags in CreateUser"),
	sim("groups.go", "DeleteGroup passes over members", "case len(g.members()) > 0:", "case false:", "DeleteGroup with a member"),
	sim("roles.go", "DeleteRole passes over policies", "case len(r.inline) > 0:", "case false:", "DeleteRole with an inline policy"),
	sim("policies.go", "DeletePolicy passes over attachments", "c.account.attachments(p)+c.account.boundaryUses(p) > 0:", "c.account.boundaryUses(p) > 0:", "DeletePolicy that is attached"),
	sim("policies.go", "DeletePolicy passes over boundaries", "c.account.attachments(p)+c.account.boundaryUses(p) > 0:", "c.account.attachments(p) > 0:", "DeletePolicy that is a boundary"),
	sim("policies.go", "DeletePolicy passes over versions", "case len(p.versions) > 1:", "case false:", "DeletePolicy with another version"),
	sim("state.go", "names are case-sensitive", "func fold(name string) string { return strings.ToLower(name) }", "func fold(name string) string { return strings.Clone(name) }", "CreateUser: name that is taken but for case"),

	sim("keys.go", "a third key is made", "len(u.keys) >= maxKeys {\n\t\treturn nil, limit", "len(u.keys) > maxKeys {\n\t\treturn nil, limit", "CreateAccessKey: third key$"),
	sim("keylag.go", "inactive keys work", "if k.active && !k.deleted {", "if !k.deleted {", "Signature: inactive key"),
	sim("keylag.go", "deleted keys work", "delete(s.world.keys, k.id)\n\ts.delayDeadKey(k)\n\tk.deleted = true", "s.delayDeadKey(k)", "Signature: deleted key"),
	sim("sigv4.go", "any signature is right", "if hmac.Equal([]byte(want), []byte(s.value)) {", "if hmac.Equal([]byte(want), []byte(s.value)) || true {", "Signature: wrong secret"),
	sim("caller.go", "session tokens are not compared", "sig.token != sess.token || ", "", "Signature: session with another token"),
	sim("caller.go", "the date of a signature is not looked at", "if err := sig.checkTime(c.now, s.settings.MaxSkew); err != nil {", "if err := sig.checkTime(c.now, s.settings.MaxSkew); err != nil && false {", "Signature, date: 20 minutes old"),
	sim("caller.go", "expired sessions work", "if !c.now.Before(sess.expires) {", "if false {", "Session: works until it expires"),
	sim("partition.go", "IAM may be signed for any Region", "return region == p.home", "return region != \"\"", "Signature of IAM, Region: another"),
	sim("caller.go", "federated users may use IAM", "sess.kind == callerFederated || ", "", "Federated user: no IAM"),
	sim("caller.go", "session tokens may use IAM without MFA", "sess.kind == callerSessionToken && !sess.mfa", "false", "Session token: no IAM without MFA"),
	sim("caller.go", "sessions may get sessions", `if name == "GetFederationToken" || name == "GetSessionToken" {`, "if false {", "Session of a role: may not get other sessions"),
	sim("sts.go", "GetCallerIdentity can be denied", `{name: "GetCallerIdentity", run: getCallerIdentity}`, `{name: "GetCallerIdentity", run: getCallerIdentity, asks: onAccount}`, "GetCallerIdentity: cannot be denied"),
	sim("sts.go", "sessions of the root user are not cut", "return min(d, maxRootSession)", "return max(d, maxRootSession)", "GetSessionToken: of the root user"),
	sim("sts.go", "old MFA codes are taken", "d.accept(code, c.now)", "(d.accept(code, c.now) || true)", "GetSessionToken with MFA: old code"),

	sim("limits.go", "a broken limit is passed over", "case n == 1:", "case n < 0:", "CreateUser, UserName: one character more"),
	sim("limits.go", "wrong characters are passed over", "case len(v.says) > 0:", "case false:", "CreateUser, UserName: slash"),
	sim("limits.go", "a missing parameter is passed over", "case m.required:", "case false:", "CreateUser, UserName: absent"),
	sim("limits.go", "enums are passed over", "if len(s.enum) > 0 && !slices.Contains(s.enum, value) {", "if false && !slices.Contains(s.enum, value) {", "UpdateAccessKey, Status: no such status"),
	sim("paging.go", "lists never page", "if len(items) <= limit {", "if len(items) >= 0 {", "ListUsers: pages"),
	sim("paging.go", "a marker starts again", "return key(items[i]) > after", "return key(items[i]) >= after", "ListUserPolicies: pages"),
	sim("inline.go", "only one inline policy is counted", "if other != name {", "if other != name && false {", "PutUserPolicy, size of all policies: two policies, one character more"),
	sim("inline.go", "a replaced policy is counted", "if other != name {", "if other != \"\" {", "PutUserPolicy, size of all policies: the one that is replaced"),
	sim("inline.go", "white space is counted", "if !unicode.IsSpace(r) {", "if !unicode.IsSpace(r) || true {", "PutUserPolicy, size of all policies: white space"),
	sim("versions.go", "managed policies have no limit", "if compactSize(text.raw) > maxManagedSize {", "if false && compactSize(text.raw) > maxManagedSize {", "CreatePolicy, size: one character more"),
	sim("versions.go", "managed policies may be of the old version", "if text.doc.version != version2012 {", "if false {", "CreatePolicy, PolicyDocument: old version"),
	sim("attach.go", "an eleventh policy is attached", "if len(e.attached) >= maxAttached {", "if len(e.attached) > maxAttached {", "AttachUserPolicy: eleventh"),
	sim("attach.go", "attaching twice counts twice", "if slices.Contains(e.attached, p) {", "if slices.Contains(e.attached, p) && false {", "AttachUserPolicy: second time"),
	sim("groups.go", "an eleventh group is joined", "if len(u.groups) >= maxGroupsPerUser {", "if len(u.groups) > maxGroupsPerUser {", "AddUserToGroup: eleventh group"),
	sim("tags.go", "a key may come twice", "if seen[k.key(t.key)] {", "if seen[k.key(t.key)] && false {", "CreateUser, Tags: key twice$"),
	sim("tags.go", "there is no limit to tags", "if len(out) > maxTags {", "if len(out) > 2*maxTags {", "TagUser: 50 tags in all"),
	sim("policydoc.go", "identity policies may have a principal", "if st.principals != nil || st.notPrincipals != nil {", "if false {", "PutUserPolicy, PolicyDocument: Principal"),
	sim("render.go", "documents are not encoded", "return leaf(name, escapeURI(policy))", "return leaf(name, policy)", "GetUserPolicy: URL-encoded"),

	sim("evaluate.go", "a deny is passed over", "if st.effect == \"Deny\" {\n\t\t\treturn explicitDeny", "if st.effect == \"Deny\" {\n\t\t\tcontinue", "Access: a deny wins"),
	sim("evaluate.go", "resources are passed over", "st.matchesResource(q, version) && ", "", "Access: by resource"),
	sim("evaluate.go", "session policies are passed over", "(w.session.limited || w.kind == callerFederated)", "false", "Session policy: limits what the role may"),
	sim("evaluate.go", "a federated user without session policy may do all", "w.session.limited || w.kind == callerFederated", "w.session.limited", "Federated user: no session policy, no permission"),
	sim("boundary.go", "the boundary of whose policies are changed is no condition", "} else if e, err := h.entity(c); err == nil && e.boundary != nil {", "} else if e, err := h.entity(c); err == nil && e.boundary != nil && false {", "Boundary: can be made a condition of"),
	sim("evaluate.go", "boundaries are passed over", "if v.boundary != nil {", "if v.boundary != nil && false {", "Boundary: limits what policies allow"),
	sim("conditions.go", "conditions are passed over", "return !holds\n", "return !holds && false\n", "Condition: iam:PolicyARN"),
	sim("conditions.go", "variables are texts", "if version != version2012 || ", "if ", "Variable: unknown in the old version"),

	sim("assume.go", "trust policies are passed over", "if said != allowed {\n\t\treturn a.refused", "if said != allowed && false {\n\t\treturn a.refused", "Trust: another user"),
	sim("trust.go", "a deny in a trust policy is passed over", "if st.effect == \"Deny\" {\n\t\t\treturn untrusted", "if st.effect == \"Deny\" {\n\t\t\tcontinue\n\t\t}\n\t\tif false {\n\t\t\treturn untrusted", "Trust: a deny of the role wins"),
	sim("trust.go", "trust goes by name", "v.trusted[name] == w.uniqueID() || v.trusted[name] == \"\" && name == w.principalARN()", "name == w.principalARN()", "Trust: a user of the same name made later"),
	sim("trust.go", "whoever is trusted need not exist", "return \"\", malformedPolicy(`Invalid principal in policy: \"AWS\":\"%s\"`, name)\n}\n\n// arnParts", "return \"\", nil\n}\n\n// arnParts", "CreateRole, trust policy: user who does not exist"),
	sim("conditions.go", "ExternalId is passed over", "holds, known := c.holds(keys, version)", "holds, known := c.holds(keys, version)\n\t\tif c.key == \"sts:ExternalId\" {\n\t\t\treturn false\n\t\t}", "Trust: ExternalId"),
	sim("assume.go", "trust in an account is trust in its users", "if level == trusted {", "if level != untrusted {", "Trust: the account, and no policy of the user"),
	sim("assume.go", "one side is enough across accounts", "if a.permit(q) != nil {", "if false {", "Cross-account: the user does not"),
	sim("assume.go", "a missing role is told", "if a.role == nil {\n\t\treturn a.refused(action)", "if a.role == nil {\n\t\treturn cannotFind(\"role\", a.arn)", "AssumeRole: no such role"),
	sim("assume.go", "the root user may assume roles", "if a.caller.user != nil && a.caller.user.isRoot() {", "if false {", "AssumeRole: by the root user"),
	sim("assume.go", "chained sessions have no hour", "if a.caller.session != nil && a.duration(", "if false && a.duration(", "Role chaining: a second more"),
	sim("assume.go", "a role's maximum is passed over", "if d > time.Duration(a.role.maxSession)*time.Second {", "if false {", "AssumeRole, DurationSeconds: more than the role's maximum"),
	sim("assume.go", "tags need no permission", "if len(a.in.elements(\"Tags\")) > 0 {", "if false {", "Session tags: the trust policy must allow"),
	sim("assume.go", "a source identity needs no permission", "if s.sourceIdentity != \"\" {\n\t\tactions", "if false {\n\t\tactions", "Source identity: the trust policy must allow"),
	sim("assume.go", "a source identity can be changed", "if s.sourceIdentity != \"\" && s.sourceIdentity != old.sourceIdentity {", "if false {", "Role chaining: the source identity stays"),
	sim("session.go", "any key may be transitive", "return fold(t.key) == fold(key) }) {\n\t\t\treturn 0", "return fold(t.key) == fold(key) || true }) {\n\t\t\treturn 0", "Session tags: transitive ones must be"),
	sim("assume.go", "the source identity is no condition", "a.keys.set(\"sts:SourceIdentity\"", "a.keys.set(\"sts:Nothing\"", "Trust: condition on the source identity"),
	sim("sts.go", "any text is a source identity", "optionalIn(\"SourceIdentity\", sourceIdentityType)", "optionalIn(\"SourceIdentity\", sessionPolicyDocumentType)", "AssumeRole, SourceIdentity: space"),
	sim("assume.go", "transitive tags end with their session", "s.takeTransitive(old)", "", "Role chaining: transitive tags go on"),
	sim("signin.go", "federated users may choose how long", "sess.kind == callerRole && !sess.chained", "!sess.chained", "Sign-in: federated user"),
	sim("signin.go", "chained roles may choose how long", "sess.kind == callerRole && !sess.chained", "sess.kind == callerRole", "Sign-in: chained role"),
	sim("session.go", "any number of tags fits", "= 460 ", "= 46000 ", "Session tags: more than fit"),
}

// sim is a mutation of one of the simulator's files, and the beginning of the
// id of the case that must fail.
func sim(file, name, old, with, test string) mutation {
	return mutation{
		name: "awssim: " + name, file: "internal/awssim/" + file, old: old, new: with,
		run: "TestAWSSim/^" + test, tests: contract,
	}
}
