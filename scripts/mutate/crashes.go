package main

// crashes is the table of what the crash matrix has to notice at the writes to
// storage.
var crashes = []mutation{
	{
		name: "L2 crash matrix: no record is written at issue",
		file: user,
		old:  "\tif err := m.writeRecord(ctx, a.record); err != nil {\n\t\treturn err\n\t}\n",
		new:  "",
		run:  "TestCrashEvents", tests: "backend",
	},
	{
		name: "L2 crash matrix: a failed request leaves no entry and no clean-up",
		file: undo,
		old:  "\terr := Recovered(func() error { return m.undo(ctx, iam, a) })\n",
		new:  "\terr := m.journal.Strike(ctx, a.entry.ID)\n",
		run:  "TestCrashStorage", tests: "backend",
	},
	{
		name: "L9 crash matrix: a revoke does not condemn",
		file: condemn,
		old:  "r.condemned(m.clock.Now(), reasonRevoked)",
		new:  "r",
		run:  "TestCrashEvents", tests: "backend",
	},
	{
		name: "R1: crash matrix: the old key goes whatever is stored",
		file: keychange,
		old:  "used := stored != \"\" && stored == e.Intent.New",
		new:  "used := true",
		run:  "TestCrashStorage", tests: "backend",
	},
	{
		name: "judge: what nothing owns is no leak",
		file: "internal/crashtest/judge.go",
		old:  "\tif !mine {\n\t\treturn []string{\"user \" + u.Name}\n\t}\n",
		new:  "\tif !mine {\n\t\treturn nil\n\t}\n",
		run:  "TestJudge",
	},
	{
		name: "judge: a lease whose key is dead is well",
		file: "internal/crashtest/judge.go",
		old:  "if !l.Ending && !l.Key.Works {",
		new:  "if false {",
		run:  "TestJudge",
	},
	{
		name: "judge: a root key that is dead is well",
		file: "internal/crashtest/judge.go",
		old:  "if !e.Root.Works {",
		new:  "if false {",
		run:  "TestJudge",
	},
}
