package main

const roster = "backend/lifecycle/roster.go"

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
}
