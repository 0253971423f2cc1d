package main

// simulation is the table of what the simulated world must notice, whatever the
// other tests say: it judges the judge.
var simulation = []mutation{
	{
		name:  "sim: a revoke does not condemn",
		file:  condemn,
		old:   "return m.destroyRecorded(ctx, connect, r.condemned(m.clock.Now(), reasonRevoked))",
		new:   "return m.destroyRecorded(ctx, connect, r)",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: the entry is struck before the record is written",
		file:  user,
		old:   "\tif err := m.writeRecord(ctx, a.record); err != nil {\n\t\treturn err\n\t}\n",
		new:   "\tdefer func() { _ = m.writeRecord(ctx, a.record) }()\n",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: the worker leaves the condemned",
		file:  worker,
		old:   "m.condemnedDuty(connect), ",
		new:   "",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: the worker rolls nothing back",
		file:  worker,
		old:   "m.rollbacks(connect), ",
		new:   "",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: a rotation stores an unproven key",
		file:  keychange,
		old:   "if err := m.proveKey(ctx, r, key); err != nil {",
		new:   "if err := ctx.Err(); err != nil {",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: a renewal does not move the deadline",
		file:  condemn,
		old:   "\tr.Deadline = known.Deadline\n",
		new:   "",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: users are not ended by their deadline",
		file:  worker,
		old:   ", m.deadlineDuty(connect)",
		new:   "",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: the current key of a static role makes room",
		file:  statickey,
		old:   "return []string{other.ID}, nil",
		new:   "return []string{current}, nil",
		tests: "internal/sim", run: fixedSeeds,
	},
	{
		name:  "sim: the key before a deleted one is forgotten",
		file:  statickey,
		old:   `if current != "" && at < 0 && slices.Contains(ids(keys), r.Previous) {`,
		new:   "if false {",
		tests: "internal/sim", run: fixedSeeds,
	},
}

// fixedSeeds are the seeds of make test that stay the same.
const fixedSeeds = "TestSeeds/^[1-4]$"
