package main

const (
	roster  = "backend/lifecycle/roster.go"
	statics = "backend/static_index.go"
)

// scaled is the table of what makes a large mount slow.
var scaled = []mutation{
	{
		name: "scale: each pass lists the records",
		file: roster,
		old:  "{ return len(r.round) == 0 }",
		new:  "{ return true }",
		run:  "TestPassesReadASlice",
	},
	{
		name: "scale: a pass reads all records",
		file: roster,
		old:  "for len(r.round) > 0 && len(names) < verifyAtOnce {",
		new:  "for len(r.round) > 0 {",
		run:  "TestPassesReadASlice",
	},
	{
		name: "scale: a record that was changed elsewhere waits for its turn",
		file: roster,
		old:  "\tr.changed[name] = true\n",
		new:  "",
		run:  "TestInvalidatedRecordIsReadNext",
	},
	{
		name: "scale: a duty with much to do keeps the others waiting",
		file: worker,
		old:  "Sub(begun) >= dutyTime {",
		new:  "Sub(begun) >= dutyTime*60 {",
		run:  "TestWorkerTakesTurns",
	},
	{
		name: "scale: what a pass left waits for a minute",
		file: worker,
		old:  "if w.more {",
		new:  "if false {",
		run:  "TestWorkerTakesTurns",
	},
	{
		name:  "scale: taking over a user lists all static roles",
		file:  statics,
		old:   "{ return !r.Listed() }",
		new:   "{ return r != nil }",
		run:   "TestRequestTrips",
		tests: "backend",
	},
	{
		name:  "scale: a static role that was written is not read again",
		file:  "backend/noticing.go",
		old:   "\t\tb.statics.change(name)\n",
		new:   "\t\t_ = name\n",
		run:   "TestRequestsRightAfterStart",
		tests: "backend",
	},
	{
		name:  "scale: a static role is kept as it was before a write",
		file:  statics,
		old:   "if err != nil || changed {",
		new:   "if err != nil || changed && false {",
		run:   "TestStaticIndexDropsWhatIsOld",
		tests: "backend",
	},
	{
		name:  "scale: a role that is due is not attended to",
		file:  statics,
		old:   "append(due, read...)",
		new:   "append(due[:0], read...)",
		run:   "TestDueOnesAreRotated",
		tests: "backend",
	},
	{
		name:  "scale: a list of users reads as many as it is asked for",
		file:  "backend/path_users.go",
		old:   "min(limit, usersPage)",
		new:   "max(limit, 1)",
		run:   "TestRequestTrips",
		tests: "backend",
	},
}
