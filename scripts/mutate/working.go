package main

// working are mutations of the background worker, and of what counts as an error.
var working = []mutation{
	{
		name: "worker: a panic ends it",
		file: worker,
		old:  "err := Recovered(func() error { return w.attend(ctx, duty) })",
		new:  "err := w.attend(ctx, duty)",
		run:  "TestWorkerSurvivesAPanic",
	},
	{
		name: "worker: an entry that fails ends the pass",
		file: worker,
		old:  "\t\tw.attendSome(ctx, duty, some)\n",
		new:  "\t\tw.attendSome(ctx, duty, some)\n\t\tif len(w.failing) > 0 {\n\t\t\treturn nil\n\t\t}\n",
		run:  "TestWorkerOneBadEntry",
	},
	{
		name: "worker: an entry that fails is tried in every pass",
		file: worker,
		old:  "!w.failing.due(name, w.manager.clock.Now())",
		new:  "false",
		run:  "TestWorkerBacksOff",
	},
	{
		name: "worker: the waits between tries have no end",
		file: backoff,
		old:  "min(max(2*last.wait, backoffFirst), backoffLast)",
		new:  "max(2*last.wait, backoffFirst)",
		run:  "TestWorkerBacksOff",
	},
	{
		name: "worker: the same error is logged every time",
		file: backoff,
		old:  "return last.gist != gist(err)",
		new:  "return true",
		run:  "TestWorkerLogs",
	},
	{
		name: "worker: AWS's request ids make errors differ",
		file: backoff,
		old:  `return call.Op + " " + call.Code + " " + string(call.Kind)`,
		new:  "return call.Error()",
		run:  "TestWorkerLogs",
	},
	{
		name: "errors: an answer that is cut off is the user's mistake",
		file: "backend/awserr/awserr.go",
		old:  `code == "" && status/100 == 2:`,
		new:  "false:",
		run:  "TestKindOf",
	},
	{
		name: "errors: a refusal that is cut off is one",
		file: classify,
		old:  "&& !cutOff(err) {",
		new:  "{",
		run:  "TestStrangeAnswers",
	},
	{
		name: "worker: entries of other kinds are an error",
		file: rollback,
		old:  "errors.Is(err, ErrNotOurs) || ",
		new:  "",
		run:  "TestWorkerLeavesOtherEntriesAlone",
	},
	{
		name: "worker: Wake does not wait for the pass",
		file: worker,
		old:  "\t\tw.pass(ctx)\n\t\tclose(passed)\n",
		new:  "\t\tclose(passed)\n\t\tw.pass(ctx)\n",
		run:  "TestWorkerWake",
	},
	{
		name: "worker: its end waits for the entry it is at",
		file: rollback,
		old:  "ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)",
		new:  "ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackDeadline)",
		run:  "TestWorkerStops",
	},
	{
		name: "worker: storage that does not answer holds it for ever",
		file: worker,
		old:  "ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)",
		new:  "ctx, cancel := context.WithCancel(ctx)",
		run:  "TestL6Deadlines",
	},
}
