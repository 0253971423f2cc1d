package main

// roleFields are the mutations of what a role sets: lifetimes and attribution.
var roleFields = []mutation{
	{
		name: "lifetimes: a request outlives max_ttl",
		file: "backend/user_lifetime.go",
		old:  "{\"the role's max_ttl\", o.role.MaxTTL}",
		new:  "{\"the role's max_ttl\", 0}",
		run:  "TestMount/lifetimes:_role,_config/lease",
	},
	{
		name: "lifetimes: ttl counts although the role says nothing",
		file: "backend/user_lifetime.go",
		old:  "if !asked || !o.role.LimitsTTL() {",
		new:  "if !asked {",
		run:  "TestMount/lifetimes:_ttl_of_a_request",
	},
	{
		name: "lifetimes: ttl has no lower end",
		file: "backend/user_lifetime.go",
		old:  "if ttl <= 0 {",
		new:  "if false {",
		run:  "TestMount/lifetimes:_ttl_that_is_no_life",
	},
	{
		name: "lifetimes: config/lease counts before the role",
		file: "backend/store/lease.go",
		old:  "LeaseMax: cmp.Or(r.MaxTTL, config.LeaseMax)",
		new:  "LeaseMax: cmp.Or(config.LeaseMax, r.MaxTTL)",
		run:  "TestMount/lifetimes:_role,_config/lease",

		tests: "backend",
	},
	{
		name: "lifetimes: a renewal does not read the role",
		file: "backend/user_lifetime.go",
		old:  "if now != nil && now.Issues(store.IAMUser) {",
		new:  "if false && now.Issues(store.IAMUser) {",
		run:  "TestMount/lifetimes:_a_renewal_goes_by",
	},
	{
		name: "lifetimes: a lease forgets its role's limits",
		file: "backend/user_lifetime.go",
		old:  "role := &store.Role{DefaultTTL: l.DefaultTTL, MaxTTL: l.MaxTTL}",
		new:  "role := &store.Role{}",
		run:  "TestMount/lifetimes:_a_deleted_role",
	},
	{
		name: "lifetimes: a renewal forgets the ttl asked for",
		file: "backend/user_lifetime.go",
		old:  "if l.TTL > 0 {",
		new:  "if false {",
		run:  "TestMount/lifetimes:_a_renewal_goes_by",
	},
	{
		name: "lifetimes: the default may exceed the maximum",
		file: "backend/store/role_rules.go",
		old:  "case r.MaxTTL == 0 || r.DefaultTTL <= r.MaxTTL:",
		new:  "default:",
		run:  "TestMount/lifetimes:_bad_input",

		tests: "backend",
	},
	{
		name: "attribution: the request names the session all the same",
		file: "backend/attribution.go",
		old:  "case o.role.RoleSessionNameTemplate != \"\" && requested != \"\":",
		new:  "case false:",
		run:  "TestMount/attribution:_with_a_template",
	},
	{
		name: "attribution: an empty value is put in",
		file: "backend/naming/attribution.go",
		old:  "if t.valueOf(value, in) == \"\" {",
		new:  "if false {",
		run:  "TestAttribution",
	},
	{
		name: "attribution: branches that are not taken do not count",
		file: "backend/naming/check.go",
		old:  "return c.list(branch.ElseList)",
		new:  "return (&checker{language: c.language}).list(branch.ElseList)",
		run:  "TestAttribution",
	},
	{
		name: "attribution: source identities are normalised",
		file: "backend/naming/attribution.go",
		old:  "identity: true, raw: true,",
		new:  "identity: true,",
		run:  "TestAttributionNames|FuzzSourceIdentity",
	},
	{
		name: "attribution: the first alias counts",
		file: "backend/attribution.go",
		old:  "if alias.GetMountAccessor() != accessor {",
		new:  "if false {",
		run:  "TestMount/attribution:_session_name_and_source",
	},
	{
		name: "attribution: an entity that is not told is none",
		file: "backend/attribution.go",
		old:  "EntityInfo(id)\n\tif err != nil {",
		new:  "EntityInfo(id)\n\tif err != nil && id == \"\" {",
		run:  "TestEntityLookupFails",
	},
	{
		name: "attribution: any key may be transitive",
		file: "backend/store/role_rules.go",
		old:  "strings.EqualFold(tag, key)",
		new:  "tag != \"\"",
		run:  "TestMount/attribution:_transitive_tags",

		tests: "backend",
	},
	{
		name: "attribution: the source identity stays here",
		file: "backend/awsclient/sts.go",
		old:  "SourceIdentity:    optional(spec.SourceIdentity),",
		new:  "",
		run:  "TestMount/attribution:_session_name_and_source",

		tests: "backend",
	},
	{
		name: "attribution: transitive keys stay here",
		file: "backend/awsclient/sts.go",
		old:  "TransitiveTagKeys: spec.TransitiveTags,",
		new:  "",
		run:  "TestMount/attribution:_transitive_tags",

		tests: "backend",
	},
	{
		name: "attribution: a wrong template is stored",
		file: "backend/path_roles.go",
		old:  "config.Forbids(role), b.attributionProblems(role))",
		new:  "config.Forbids(role))",
		run:  "TestMount/attribution:_bad_input",
	},
	{
		name: "attribution: the remedy is that of any refusal",
		file: "backend/awserr/remedy.go",
		old:  "action: \"sts:SetSourceIdentity\"",
		new:  "action: \"sts:None\"",
		run:  "TestMount/attribution:_a_trust_policy",

		tests: "backend",
	},
}
