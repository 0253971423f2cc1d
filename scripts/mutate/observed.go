package main

// observed is the table of what breaks what a mount tells of itself: metrics, the log
// of events, help, and the API that clients are generated from.
var observed = []mutation{
	{
		name: "API: an answer holds what nothing declares",
		file: "backend/api_answers.go",
		old:  "\t\t\"names_unique\":        flag(\"Whether each name carries enough randomness of the engine's own.\"),\n",
		new:  "",
		run:  "TestMount/root",
	},
	{
		name: "API: a field is declared to be of another type",
		file: "backend/api_answers.go",
		old:  "optional(number(\"Life of the session, in seconds. STS types only.\"))",
		new:  "optional(text(\"Life of the session.\"))",
		run:  "TestMount/session",
	},
	{
		name: "API: Vault's document loses the references of a plugin",
		file: "backend/openapi.go",
		old:  "part[\"ref\"] = reference",
		new:  "_ = reference",
		run:  "TestComposedDocument",
	},
	{
		name: "API: clients of the built-in engine call another operation",
		file: "backend/api.go",
		old:  "{\"write\", \"role\", nil}",
		new:  "{\"write\", \"roles-name\", nil}",
		run:  "TestOperationIDs",
	},
	{
		name: "help: descriptions are as long as they are",
		file: "backend/api.go",
		old:  "length+1+n > limit:",
		new:  "length < 0:",
		run:  "TestHelpFitsATerminal",
	},
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
