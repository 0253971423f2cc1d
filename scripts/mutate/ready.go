package main

// readiness are mutations of the wait for new keys, and of the conflicts that make a mount issue serially.
var readiness = []mutation{
	{
		name: "W11: one acceptance is enough",
		file: prove,
		old:  "proofs     = 3",
		new:  "proofs     = 1",
		run:  "TestAwaitReady",
	},
	{
		name: "W11: acceptances need not be in a row",
		file: prove,
		old:  "if accepted++; err != nil {\n\t\t\taccepted = 0\n\t\t}",
		new:  "if err == nil {\n\t\t\taccepted++\n\t\t}",
		run:  "TestAwaitReady",
	},
	{
		name: "W11: any number of credentials wait",
		file: "backend/lifecycle/ready.go",
		old:  "if m.waiting.Add(1) > maxWaiting {",
		new:  "if m.waiting.Add(1) > maxWaiting && false {",
		run:  "TestAwaitReadyIsBounded",
	},
	{
		name: "W11: a reload does not end the waits",
		file: "backend/lifecycle/ready.go",
		old:  "defer context.AfterFunc(life, cancel)()",
		new:  "defer context.AfterFunc(ctx, cancel)()",
		run:  "TestAwaitReadyEnds",
	},
	{
		name: "W11: a client that has left gets a user for nobody",
		file: "backend/propagation.go",
		old:  "\t\tb.users.AbandonUser(ctx, b.connect(o.storage), user.Name)\n",
		new:  "",
		run:  "TestMount/propagation:_a_client",
	},
	{
		name: "W10: a conflict changes nothing",
		file: "backend/lifecycle/serial.go",
		old:  "if conflicted && (err == nil || isBusy(err)) {",
		new:  "if false && conflicted {",
		run:  "TestSerialAfterAConflict",
	},
	{
		name: "W10: a policy that does not exist counts as a conflict",
		file: "backend/lifecycle/serial.go",
		old:  "if conflicted && (err == nil || isBusy(err)) {",
		new:  "if conflicted {",
		run:  "TestSerialAfterAConflict",
	},
	{
		name: "W10: one conflict slows the mount down for ever",
		file: "backend/lifecycle/serial.go",
		old:  "return now.Before(s.until)",
		new:  "return !s.until.IsZero()",
		run:  "TestSerialAfterAConflict",
	},
}
