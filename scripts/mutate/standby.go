package main

// standbys are mutations of nodes that may not write, and of clients of an earlier config.
var standbys = []mutation{
	{
		name: "standby: AWS is asked for a credential before Vault forwards the request",
		file: "backend/path_config_root.go",
		old:  "\top.ForwardPerformanceStandby = true\n",
		new:  "",
		run:  "TestMount/replication:_what",
	},
	{
		name: "standby: a write is not forwarded",
		file: "backend/path_config_root.go",
		old:  "op.ForwardPerformanceStandby, op.ForwardPerformanceSecondary = true, true",
		new:  "op.ForwardPerformanceStandby, op.ForwardPerformanceSecondary = false, false",
		run:  "TestMount/replication:_what",
	},
	{
		name: "standby: the worker starts on any node",
		file: "backend/backend.go",
		old:  "\tif b.ownsUsers() {\n\t\tb.worker.Start(b.life)\n\t\tb.connectAhead(storage)\n\t}",
		new:  "\tb.worker.Start(b.life)",
		run:  "TestMount/replication:_no_AWS",
	},
	{
		name: "standby: a tick has any node work",
		file: "backend/backend.go",
		old:  "\tif !b.ownsUsers() {\n\t\treturn nil\n\t}\n",
		new:  "",
		run:  "TestMount/replication:_no_AWS",
	},
	{
		name: "standby: a client outlives its config",
		file: "backend/clients.go",
		old:  "b.clients.root != nil && b.clients.key == key",
		new:  "b.clients.root != nil",
		run:  "TestMount/replication:_records",
	},
}
