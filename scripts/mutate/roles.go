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
}
