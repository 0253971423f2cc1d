package main

// observed is the table of what breaks metrics and the log of events.
var observed = []mutation{
	{
		name: "metrics: what only the active node knows is 0 on a standby",
		file: "backend/metrics_table.go",
		old:  "func (f figures) known(tell emit, value float64) {\n\tif f.users.Complete {",
		new:  "func (f figures) known(tell emit, value float64) {\n\tif true {",
		run:  "TestMount/metrics",
	},
	{
		name: "metrics: a code that anybody can make up is a label",
		file: "backend/awsclient/observed.go",
		old:  "case awserr.Known(failed.Code):",
		new:  "case failed.Code != \"\":",
		run:  "TestObserved",
	},
	{
		name: "metrics: the wait for the governor counts as AWS's time",
		file: "backend/awsclient/observed.go",
		old:  "\"Governor\", middleware.After)",
		new:  "\"Governor\", middleware.Before)",
		run:  "TestObserved",
	},
	{
		name: "events: a user that is left to the worker is told as destroyed",
		file: condemn,
		old:  "\t\twhat = WasDeferred\n",
		new:  "",
		run:  "TestEvents",
	},
	{
		name: "events: what requests do is at info",
		file: "backend/lifecycle/events.go",
		old:  "{hclog.Debug, \"revoked a user\"}",
		new:  "{hclog.Info, \"revoked a user\"}",
		run:  "TestEvent",
	},
}
