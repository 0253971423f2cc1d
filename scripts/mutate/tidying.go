package main

// tidying are mutations of tidy, drain, owner tags, and of the state of a mount.
var tidying = []mutation{
	{
		name: "state: a restart is no new incarnation",
		file: state,
		old:  "s.Incarnation, s.Started = s.Incarnation+1, now",
		new:  "s.Started = now",
		run:  "TestIncarnations",
	},
	{
		name: "drain: new users are made",
		file: user,
		old:  "if s.Draining {",
		new:  "if s.Draining && false {",
		run:  "TestDraining",
	},
	{
		name: "secondary: nobody rolls back what it has made",
		file: "backend/backend.go",
		old:  "return !state.HasState(consts.ReplicationDRSecondary) && !state.HasState(consts.ReplicationPerformanceStandby)",
		new:  "_ = state\n\t_ = consts.ReplicationDRSecondary\n\treturn b.WriteSafeReplicationState()",
		run:  "TestMount/replication:_a_secondary",
	},
	{
		name: "secondary: rotates what is the primary's",
		file: "backend/backend.go",
		old:  "\t\tif !b.WriteSafeReplicationState() {\n\t\t\treturn nil, nil\n\t\t}\n",
		new:  "",
		run:  "TestMount/replication:_a_secondary",
	},
	{
		name: "tidy: a pass that failed to look acts on what it saw",
		file: "backend/lifecycle/tidy_look.go",
		old:  "plan, err := t.look(ctx, spec, iam)\n\tif err != nil {\n\t\treturn err\n\t}",
		new:  "plan, _ := t.look(ctx, spec, iam)",
		run:  "TestMount/tidy:_a_list_that_is_refused",

		tests: "backend",
	},
	{
		name: "tidy: a dry run acts",
		file: "backend/lifecycle/tidy_look.go",
		old:  "if spec.DryRun {",
		new:  "if false {",
		run:  "TestMount/tidy:_an_unknown_user",

		tests: "backend",
	},
	{
		name: "tidy: young users of ours are destroyed",
		file: "backend/lifecycle/tidy_look.go",
		old:  "if !t.manager.overdue(user.Created, spec.SafetyBuffer) {",
		new:  "if false {",
		run:  "TestMount/tidy:_max_deletes",

		tests: "backend",
	},
	{
		name: "tidy: more than max_deletes go",
		file: "backend/lifecycle/tidy_act.go",
		old:  "if i == spec.MaxDeletes {",
		new:  "if false {",
		run:  "TestMount/tidy:_max_deletes",

		tests: "backend",
	},
	{
		name: "tidy: users of others are destroyed",
		file: "backend/lifecycle/owner.go",
		old:  `s.Owner != "" && tags[ownerTag] == s.Owner`,
		new:  "true",
		run:  "TestMount/tidy:_an_unknown_user",

		tests: "backend",
	},
	{
		name: "tidy: a user of a later incarnation is one of many",
		file: "backend/lifecycle/tidy_look.go",
		old:  "if incarnation > state.Incarnation {",
		new:  "if false {",
		run:  "TestMount/tidy:_a_user_of_a_later",

		tests: "backend",
	},
	{
		name: "tidy: another account's records are forgotten",
		file: "backend/lifecycle/tidy_look.go",
		old:  "|| r.account.Value() != account ||",
		new:  "||",
		run:  "TestMount/tidy:_the_root_credentials",

		tests: "backend",
	},
	{
		name: "restored: rotations go on",
		file: "backend/path_config_rotate_root.go",
		old:  "\tif err := b.users.Halted(ctx); err != nil {\n\t\treturn lifecycle.Rotated{}, err\n\t}\n",
		new:  "",
		run:  "TestMount/tidy:_a_user_of_a_later",
	},
	{
		name: "restored: the operator's word does not last",
		file: "backend/lifecycle/tidy_look.go",
		old:  "s.Restored, s.Incarnation = why, its",
		new:  "s.Restored = why",
		run:  "TestMount/tidy:_a_user_of_a_later",

		tests: "backend",
	},
	{
		name: "owner: roles set the engine's tags",
		file: "backend/store/role_rules.go",
		old:  "strings.HasPrefix(strings.ToLower(key), ownTags)",
		new:  "strings.HasPrefix(key, ownTags)",
		run:  "TestMount/owner_tags",

		tests: "backend",
	},
	{
		name: "drain: what is owed does not count",
		file: "backend/lifecycle/owed.go",
		old:  "return o.Complete && o.Intents+o.Condemned+o.Pooled+o.Overdue+o.Unreadable == 0",
		new:  "return o.Complete",
		run:  "TestMount/drain",

		tests: "backend",
	},
}
