package main

// diagnosis is the table of what the tests of config/iam-policy and diagnose have
// to notice.
var diagnosis = []mutation{
	{
		name: "iam-policy: wildcards of a role are printed",
		file: "backend/permissions/refusals.go",
		old:  `return strings.ContainsAny(text, "*?") || strings.Contains(text, "${")`,
		new:  `return strings.Contains(text, "\x00")`,
		run:  "TestMount/iam-policy:_refused", tests: "backend",
	},
	{
		name: "iam-policy: a template without literal text is for everybody",
		file: "backend/permissions/refusals.go",
		old:  `if m.UserPrefix == "" && len(m.userRoles(everyOne)) > 0 {`,
		new:  `if false {`,
		run:  "TestMount/iam-policy:_refused", tests: "backend",
	},
	{
		name: "iam-policy: the boundary is no condition",
		file: "backend/permissions/users.go",
		old:  "if g.boundaries != nil {",
		new:  "if false {",
		run:  "TestMount/iam-policy:_keeps", tests: "backend",
	},
	{
		name: "iam-policy: any policy may be attached",
		file: "backend/permissions/users.go",
		old:  "need.Condition = with(need.Condition, policyKey, of(g.roles, func(r *store.Role) []string { return r.PolicyARNs }))",
		new:  "",
		run:  "TestMount/iam-policy:_keeps", tests: "backend",
	},
	{
		name: "iam-policy: an action that nothing needs",
		file: "backend/permissions/users.go",
		old:  `"iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies",`,
		new:  `"iam:ListAccessKeys", "iam:ListAttachedUserPolicies", "iam:ListUserPolicies", "iam:UpdateUser",`,
		run:  "TestIAMPolicyIsLeast", tests: "backend",
	},
	{
		name: "iam-policy: an action is forgotten",
		file: "backend/permissions/users.go",
		old:  `m.onAllUsers("iam:ListGroupsForUser"),`,
		new:  "",
		run:  "TestIAMPolicySuffices", tests: "backend",
	},
	{
		name: "iam-policy: what a template writes at the time of asking counts as literal",
		file: "backend/naming/prefix.go",
		old:  "name, err := t.at(in.when).Name(in.Inputs)",
		new:  "name, err := t.Name(in.Inputs)",
		run:  "TestPrefix",
	},
}
