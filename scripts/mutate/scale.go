package main

const (
	roster     = "backend/lifecycle/roster.go"
	statics    = "backend/static_index.go"
	connecting = "backend/awsclient/ahead.go"
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
	{
		name: "transport: fewer connections are kept than there are calls in flight",
		file: transport,
		old:  "idlePerHost = governor.MostInFlight",
		new:  "idlePerHost = governor.MostInFlight / 8",
		run:  "TestPool",
	},
	{
		name: "transport: TLS sessions are not resumed",
		file: transport,
		old:  "\t\ttr.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(sessionsKept)\n",
		new:  "\t\ttr.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(sessionsKept)\n\t\ttr.TLSClientConfig.SessionTicketsDisabled = true\n",
		run:  "TestHandshakes",
	},
	{
		name: "transport: what was connected ahead is not used",
		file: connecting,
		old:  "if conn := c.take(addr); conn != nil {",
		new:  "if conn := c.take(addr); conn != nil && addr == \"\" {",
		run:  "TestConnectAhead",
	},
	{
		name: "transport: a connection that its server has closed is used",
		file: connecting,
		old:  "|| !errors.Is(s.err, os.ErrDeadlineExceeded) ||",
		new:  "|| errors.Is(s.err, os.ErrClosed) ||",
		run:  "TestSpare",
	},
	{
		name: "transport: a closed client connects ahead",
		file: connecting,
		old:  "if c.closed || c.spares[addr] != nil {",
		new:  "if c.spares[addr] != nil {",
		run:  "TestClose",
	},
	{
		name:  "transport: a new root config leaves the old one's connections",
		file:  "backend/clients.go",
		old:   "\tif b.clients.root != nil {\n\t\tb.clients.root.Close()\n\t}\n",
		new:   "",
		run:   "TestConnectsAhead",
		tests: "backend",
	},
	{
		name:  "transport: a node that does not issue connects ahead",
		file:  "backend/backend.go",
		old:   "\t\tb.worker.Start(b.life)\n\t\tb.connectAhead(storage)\n\t}\n",
		new:   "\t\tb.worker.Start(b.life)\n\t}\n\tb.connectAhead(storage)\n",
		run:   "TestConnectsAhead",
		tests: "backend",
	},
}
