package main

const (
	pool       = "backend/lifecycle/pool.go"
	poolTake   = "backend/lifecycle/pool_take.go"
	poolDuties = "backend/lifecycle/pool_duties.go"
	pools      = "backend/pool.go"
)

// pooled is the table of what breaks the users that are made ahead of time.
var ahead = []mutation{
	{
		name: "P1 memory counts, and not the record",
		file: poolTake,
		old:  "\tcase err != nil || r.State != Pooled || r.Process != m.process:\n",
		new:  "\tcase err != nil:\n",
		run:  "TestPoolRecordCounts",
	},
	{
		name: "P1 a user is handed out although its record could not be rewritten",
		file: poolTake,
		old:  "\t\tm.discard(ctx, r)\n\t\treturn false, err\n",
		new:  "\t\tm.stock.drop(u.Name)\n\t\treturn true, nil\n",
		run:  "TestPoolTakenUnderMishaps",
	},
	{
		name: "P1 a user whose record may be rewritten is put back",
		file: poolTake,
		old:  "\t\tm.discard(ctx, r)\n\t\treturn false, err\n",
		new:  "\t\tm.stock.putBack(u)\n\t\treturn false, err\n",
		run:  "TestMount/pool:_a_record", tests: "backend",
	},
	{
		name: "P1 the record is rewritten after the answer",
		file: poolTake,
		old:  "now.Add(t.TTL)\n\tif err := Recovered(func() error { return m.writeRecord(ctx, r) }); err != nil {",
		new:  "now.Add(t.TTL)\n\tgo func() { _ = m.writeRecord(ctx, r) }()\n\tif false {",
		run:  "TestPool$",
	},
	{
		name: "P2 a user that could not be handed out is forgotten",
		file: poolTake,
		old:  "\tm.stock.spoil(r.UserName)\n",
		new:  "\tm.stock.drop(r.UserName)\n\treturn\n",
		run:  "TestPoolTakenUnderMishaps",
	},
	{
		name: "P2 a user about which nothing was written is taken for ever",
		file: pool,
		old:  "\tu.taken = false\n",
		new:  "",
		run:  "TestPoolTakenUnderMishaps",
	},
	{
		name: "P2 the users of another process are left",
		file: poolDuties,
		old:  "users = slices.DeleteFunc(users, func(user EntryID) bool { return m.stock.has(string(user)) })",
		new:  "users = nil",
		run:  "TestPoolOfAnotherProcess",
	},
	{
		name: "P2 a mount is drained although users are pooled",
		file: "backend/lifecycle/owed.go",
		old:  "o.Intents+o.Condemned+o.Pooled+o.Overdue",
		new:  "o.Intents+o.Condemned+o.Overdue",
		run:  "TestPoolThrownAway",
	},
	{
		name: "P2 a user is recorded as issued before anybody has it",
		file: user,
		old:  "\t\tr.State, r.Process = Pooled, spec.Process\n",
		new:  "\t\tr.Process = spec.Process\n",
		run:  "TestPool$",
	},
	{
		name: "P3 users of a role that was changed are handed out",
		file: pool,
		old:  "u.role == role && u.of == of && ",
		new:  "u.role == role && ",
		run:  "TestPoolIsEmpty",
	},
	{
		name: "P3 users of another account are handed out",
		file: pool,
		old:  "u.of == of && u.account == account && ",
		new:  "u.of == of && ",
		run:  "TestPoolIsEmpty",
	},
	{
		name: "P3 users of a role that was changed are kept",
		file: pool,
		old:  "return u.of == p.Of && ",
		new:  "return ",
		run:  "TestPoolThrownAway",
	},
	{
		name: "P3 users are never too old",
		file: pool,
		old:  "return age > u.maxAge || ",
		new:  "return ",
		run:  "TestPoolThrownAway",
	},
	{
		name: "P3 the root config does not count",
		file: pools,
		old:  "json.Marshal([]any{r, c, longest})",
		new:  "json.Marshal([]any{r, longest, c.MaxUsers})",
		run:  "TestMount/pool:_is_made_anew", tests: "backend",
	},
	{
		name: "P3 a rotation of the root key ends the pool",
		file: pools,
		old:  "c.AccessKey, c.SecretKey, c.LastRotation = 0, 0, \"\", \"\", time.Time{}",
		new:  "c.SecretKey, c.LastRotation = 0, 0, \"\", time.Time{}",
		run:  "TestMount/pool:_is_left_alone", tests: "backend",
	},
	{
		name: "P3 the longest lease does not count",
		file: pools,
		old:  "longest = b.longestLease(lease)",
		new:  "longest = 0",
		run:  "TestMount/pool:_with_an_expiry_policy", tests: "backend",
	},
	{
		name: "P4 a key is handed out that STS was not asked for",
		file: pool,
		old:  " && !u.taken && !u.ReadyAt.IsZero() && ",
		new:  " && !u.taken && ",
		run:  "TestPoolIsProven",
	},
	{
		name: "P4 a mount makes users ahead of time without end",
		file: pool,
		old:  "return of, min(total, MaxPoolMount-len(s.users))",
		new:  "return of, total",
		run:  "TestPoolSharesOut",
	},
	{
		name: "P4 a limit that is reached is an error",
		file: poolDuties,
		old:  "errors.As(err, &capped) || errors.Is(err, ErrDraining)",
		new:  "errors.As(err, &capped) && false || errors.Is(err, ErrDraining)",
		run:  "TestPoolCounts",
	},
	{
		name: "P4 users are taken while storage seems to have been restored",
		file: poolTake,
		old:  "s.Draining || s.Restored != \"\" || ",
		new:  "s.Draining || ",
		run:  "TestPoolThrownAway",
	},
	{
		name: "P4 users are taken of a process that has ended",
		file: pools,
		old:  " || b.life.Err() != nil {",
		new:  " {",
		run:  "TestMount/pool:_a_restart", tests: "backend",
	},
	{
		name: "P4 a pool that is being read does not hear of a change",
		file: poolDuties,
		old:  "\tm.stock.kept.Store(true)\n",
		new:  "",
		run:  "TestPoolEndsWhileFilled",
	},
	{
		name: "P4 a pool that has nothing in stock yet does not hear of a change",
		file: poolDuties,
		old:  "m.stock.kept.Store(len(wanted) > 0)",
		new:  "m.stock.kept.Store(len(m.stock.users) > 0)",
		run:  "TestPoolEndsWhileFilled",
	},
	{
		name: "G2 refills leave nothing to those who come in a burst",
		file: pace,
		old:  "return max(1, p.rate/2)",
		new:  "return 1",
		run:  "TestRefillSpares",
	},
	{
		name: "G2 a request waits for what a refill waits for",
		file: governing,
		old:  "\t\tg.stopTimer() // it wakes early",
		new:  "\t\t_ = g // it wakes early",
		run:  "TestRefillSpares",
	},
}
