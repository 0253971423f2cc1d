package main

const (
	governing = "backend/governor/governor.go"
	pace      = "backend/governor/pace.go"
	queue     = "backend/governor/queue.go"
	attempts  = "backend/awsclient/governed.go"
)

// governed is the table of what breaks the governor (G1 to G5 of
// backend/governor/doc.go) and its use.
var governed = []mutation{
	{
		name: "G1 what nobody asks for is saved for ever",
		file: pace,
		old:  "p.tokens = min(p.rate, p.tokens+passed*p.rate)",
		new:  "p.tokens += passed * p.rate",
		run:  "TestG1",
	},
	{
		name: "G1 a request takes one token, whatever it needs",
		file: governing,
		old:  "g.pace.tokens -= float64(t.calls)",
		new:  "g.pace.tokens--",
		run:  "TestG1",
	},
	{
		name: "G1 throttling teaches nothing",
		file: pace,
		old:  "p.rate = max(p.rate/2, leastRate)",
		new:  "",
		run:  "TestPace|TestThrottledReads",
	},
	{
		name: "G1 somebody else's throttling halves the rate",
		file: pace,
		old:  "odd := p.share < oddShare && p.ceiling > 0",
		new:  "odd := false",
		run:  "TestOddThrottling",
	},
	{
		name: "G1 no throttling halves the rate",
		file: pace,
		old:  "odd := p.share < oddShare && p.ceiling > 0",
		new:  "odd := true",
		run:  "TestThrottledReads",
	},
	{
		name: "G1 every call of one burst halves the rate",
		file: pace,
		old:  "if !admitted.After(p.cut) {",
		new:  "if false {",
		run:  "TestPace",
	},
	{
		name: "G1 the rate never doubles",
		file: pace,
		old:  "if p.ceiling == 0 {",
		new:  "if false {",
		run:  "TestPace$",
	},
	{
		name: "G1 the SDK's repetitions are not counted",
		file: attempts,
		old:  "\"Signing\", middleware.Before",
		new:  "\"Retry\", middleware.Before",
		run:  "TestGovernedAttempts",
	},
	{
		name: "G1 a new root key has everything learned anew",
		file: "backend/clients.go",
		old:  "\t\tAccounts:    b.accounts,\n",
		new:  "",
		run:  "TestMount/failure:_what_AWS's_throttling_taught",
	},
	{
		name: "G2 classes take turns",
		file: queue,
		old:  "\treturn 2*int(t.class) + 1\n",
		new:  "\treturn 1\n",
		run:  "TestOrder",
	},
	{
		name: "G2 a key waits behind the rest of other removals",
		file: destroy,
		old:  "\tctx = governor.As(ctx, governor.KillKey)\n",
		new:  "",
		run:  "TestMassRevoke",
	},
	{
		name: "G2 a request that has begun waits behind those that have not",
		file: queue,
		old:  "if t.begun {",
		new:  "if false {",
		run:  "TestBegun",
	},
	{
		name: "G3 who asked first has all its turns first",
		file: queue,
		old:  "l.turns = append(l.turns[1:], t.entity)",
		new:  "l.turns[0] = t.entity",
		run:  "TestOrder",
	},
	{
		name: "G3 all requests are one entity's",
		file: "backend/path_creds.go",
		old:  "requester(req))\n",
		new:  "\"\")\n",
		run:  "TestMount/failure:_one_client's_many_reads",
	},
	{
		name: "G4 a request keeps what it did not use",
		file: governing,
		old:  "\tg.putBack(r.left)\n",
		new:  "",
		run:  "TestG4GivesBack",
	},
	{
		name: "G4 what one gives back is granted to another that leaves",
		file: governing,
		old:  "\tg.leaveTogether()\n",
		new:  "\tif !t.ends.IsZero() {\n\t\tg.leave(q, t)\n\t\treturn g.refuse(t)\n\t}\n",
		run:  "TestLeaveTogether",
	},
	{
		name: "G4 a call that is never sent keeps its place",
		file: governing,
		old:  "if q.remove(t) && q == &g.sending {",
		new:  "if q.remove(t) && false {",
		run:  "TestG4NeverSent",
	},
	{
		name: "G4 what is given back is given back twice",
		file: governing,
		old:  "\tr.left = 0\n",
		new:  "",
		run:  "TestG4GivesBackOnce",
	},
	{
		name: "G4 who left keeps its place",
		file: governing,
		old:  "\tg.leave(q, t)\n\treturn ctx.Err()\n",
		new:  "\treturn ctx.Err()\n",
		run:  "TestG4",
	},
	{
		name: "G4 an answered call stays in flight",
		file: governing,
		old:  "\tg.inFlight--\n",
		new:  "",
		run:  "TestG4",
	},
	{
		name: "G4 a call that waits for credentials keeps the call for them out",
		file: attempts,
		old:  "\"Signing\", middleware.Before",
		new:  "\"Retry\", middleware.After",
		run:  "TestGovernedCredentials",
	},
	{
		name: "G5 a wait that must fail is begun",
		file: governing,
		old:  "if g.hopeless(ctx, t) {",
		new:  "if false {",
		run:  "TestRefusal",
	},
	{
		name: "G5 the queue has no end",
		file: governing,
		old:  "g.admission.waiting(t) >= maxWaiting",
		new:  "false",
		run:  "TestBounded",
	},
	{
		name: "G5 a refused request is begun",
		file: user,
		old:  "ctx, release, err := iam.Reserve(ctx, spec.calls(), patience)",
		new:  "ctx, release, err := ctx, func() {}, error(nil)",
		run:  "TestRefusedBeforeTheJournal",
	},
	{
		name: "G5 a user is made call by call",
		file: user,
		old:  "const userAndKey = 2",
		new:  "const userAndKey = -1",
		run:  "TestReservesAllCalls",
	},
}
