package main

// helper is the table of what breaks the client-side helper.
var helper = []mutation{
	{
		name: "helper: an IAM user for every aws command",
		file: "cmd/vault-aws-credentials/format.go",
		old:  "{container: true, render: renderProcess}",
		new:  "{render: renderProcess}",
		run:  "TestRefusals",
	},
	{
		name: "helper: an error shows the parameters",
		file: "cmd/vault-aws-credentials/vault.go",
		old:  "return fmt.Errorf(\"ask Vault: %w\", unsent.Err)",
		new:  "return err",
		run:  "TestRefusals",
	},
	{
		name: "helper: the cache keeps IAM users",
		file: "cmd/vault-aws-credentials/vault.go",
		old:  "if err != nil || !c.session() {",
		new:  "if err != nil {",
		run:  "TestCache",
	},
	{
		name: "helper: the cache answers another token",
		file: "cmd/vault-aws-credentials/vault.go",
		old:  "Parameters: o.parameters, Accessor: accessor,",
		new:  "Parameters: o.parameters,",
		run:  "TestCache",
	},
	{
		name: "helper: the cache answers another namespace",
		file: "cmd/vault-aws-credentials/vault.go",
		old:  "Namespace: client.Namespace(),",
		new:  "",
		run:  "TestCache",
	},
	{
		name: "helper: the cache gives out sessions that end",
		file: "cmd/vault-aws-credentials/cache.go",
		old:  "now.Add(cacheMargin)",
		new:  "now",
		run:  "TestCache",
	},
	{
		name: "helper: the cache follows links",
		file: "cmd/vault-aws-credentials/cache.go",
		old:  "case found.Mode().Type() != kind || !os.SameFile(found, opened):",
		new:  "case false:",
		run:  "TestHostileCache",
	},
	{
		name: "helper: the cache takes what others may change",
		file: "cmd/vault-aws-credentials/cache.go",
		old:  "case opened.Mode().Perm()&0o077 != 0:",
		new:  "case false:",
		run:  "TestHostileCache",
	},
	{
		name: "helper: the cache takes what belongs to others",
		file: "cmd/vault-aws-credentials/owner_unix.go",
		old:  "int(stat.Uid) != os.Geteuid()",
		new:  "int(stat.Uid) < os.Geteuid()",
		run:  "TestHostileCache",
	},
}
