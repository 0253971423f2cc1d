package bench

import "slices"

// A section is a table of docs/benchmarks.md.
type section struct {
	title, about string
	rows         []row
}

// sections are all measures, in the order of the document.
var sections = []section{
	{
		"IAM users, 100 ms a call", "From a client's request to its answer.",
		[]row{
			{"issue: inline", "ms", less, faster(2)},
			{"issue: two managed, inline, tags", "ms", less, faster(4)},
			{"issue: two managed, inline, tags, group", "ms", less, faster(4)},
			{"issue: ten managed", "ms", less, target{}},
			{"revoke: inline", "ms", less, faster(3)},
			{"revoke: two managed, inline, tags", "ms", less, faster(4)},
			{"revoke: two managed, inline, tags, group", "ms", less, faster(5)},
			{"revoke: ten managed", "ms", less, target{}},
			{"time to dead: inline", "ms", less, target{}},
			{"time to dead: two managed, inline, tags", "ms", less, target{}},
			{"time to dead: two managed, inline, tags, group", "ms", less, target{}},
			{"time to dead: ten managed", "ms", less, target{}},
			{"issue, 1 % ConcurrentModification: succeeded", "%", more, target{}},
			{"issue, 1 % ConcurrentModification: time", "ms", less, target{}},
		},
	},
	{
		"AWS calls and rounds", "A round is calls that are under way at the same time: the latency of AWS is paid once a round.",
		[]row{
			{"calls to issue: inline", "calls", less, target{}},
			{"rounds to issue: inline", "rounds", less, target{}},
			{"calls to revoke: inline", "calls", less, target{}},
			{"rounds to revoke: inline", "rounds", less, target{}},
			{"calls to issue: two managed, inline, tags", "calls", less, target{}},
			{"rounds to issue: two managed, inline, tags", "rounds", less, target{}},
			{"calls to revoke: two managed, inline, tags", "calls", less, target{}},
			{"rounds to revoke: two managed, inline, tags", "rounds", less, target{}},
			{"calls to issue: two managed, inline, tags, group", "calls", less, target{}},
			{"rounds to issue: two managed, inline, tags, group", "rounds", less, target{}},
			{"calls to revoke: two managed, inline, tags, group", "calls", less, target{}},
			{"rounds to revoke: two managed, inline, tags, group", "rounds", less, target{}},
			{"calls to issue: ten managed", "calls", less, target{}},
			{"rounds to issue: ten managed", "rounds", less, target{}},
			{"calls to revoke: ten managed", "calls", less, target{}},
			{"rounds to revoke: ten managed", "rounds", less, target{}},
			{"calls of the first assumed_role", "calls", less, target{}},
			{"calls of the first federation_token", "calls", less, target{}},
			{"calls of the first session_token", "calls", less, target{}},
		},
	},
	{
		"STS credentials, 100 ms a call", "The first read comes right after config/root and the role were written to a new mount.",
		[]row{
			{"first assumed_role", "ms", less, faster(1.7)},
			{"first federation_token", "ms", less, target{}},
			{"first session_token", "ms", less, target{}},
			{"assumed_role", "ms", less, target{}},
			{"federation_token", "ms", less, target{}},
			{"session_token", "ms", less, target{}},
		},
	},
	{
		"Until the key works", "The simulator's `realistic` lag: a new key is unknown to STS for 2 to 14 s. Used every 100 ms until the\nfirst success. The pools: one that nobody else reads, and 20 mounts together.",
		[]row{
			{"read succeeds: plain", "%", more, target{}},
			{"read succeeds: propagation_timeout=25s", "%", more, target{}},
			{"read to first use: plain", "s", less, target{}},
			{"read to first use: propagation_timeout=25s", "s", less, target{}},
			{"first use after the answer: plain", "s", less, target{}},
			{"first use after the answer: propagation_timeout=25s", "s", less, target{}},
			{"first use succeeds: plain", "%", more, target{}},
			{"first use succeeds: propagation_timeout=25s", "%", more, target{}},
			{"pool: read", "ms", neither, atMost(20)},
			{"pool: read, 17 a second", "ms", neither, target{}},
			{"pool: reads answered from it", "%", neither, target{}},
			{"pool: first use succeeds", "%", neither, atLeast(99.9)},
		},
	},
	{
		"200 reads at once, IAM throttled to 15 calls a second, 30 at once",
		"Clients leave after 60 s. A clear refusal is a 502 that says when to come again. Another client reads once, 5 s later;\na refusal counts as its answer.",
		[]row{
			{"throttled reads: succeeded", "reads", more, atLeast(195)},
			{"throttled reads: refused without a hint", "reads", less, atMost(0)},
			{"throttled reads: users without a lease", "users", less, atMost(0)},
			{"throttled reads: until the last answer", "s", less, target{}},
			{"throttled reads: AWS calls", "calls", less, target{}},
			{"throttled reads: AWS calls throttled", "%", less, atMost(10)},
			{"throttled reads: the other client's read", "s", less, target{}},
			{"throttled reads: the other client's delay", "s", less, atMost(2)},
		},
	},
	{
		"300 leases revoked at once, IAM throttled to 15 calls a second, 30 at once",
		"By revoke-prefix, which leaves the rest to Vault: its workers, its repetitions. Watched for two minutes: 120 s stands for longer.",
		[]row{
			{"mass revoke: until the last key is dead", "s", less, faster(3)},
			{"mass revoke: until the last user is gone", "s", less, target{}},
			{"mass revoke: the same, over calls ÷ rate", "times", less, atMost(1.3)},
			{"mass revoke: AWS calls", "calls", less, target{}},
			{"mass revoke: keys alive when ours are gone", "keys", less, target{}},
			{"mass revoke: users left when ours are gone", "users", less, atMost(0)},
			{"mass revoke: leases left when ours are gone", "leases", less, atMost(0)},
			{"mass revoke: leases irrevocable", "leases", less, atMost(0)},
		},
	},
	{
		"No latency", "What the engines themselves take: the built-in one runs in Vault's process, the plugin in its own.",
		[]row{
			{"no latency: issue", "ms", less, atMostOver(10)},
			{"no latency: revoke", "ms", less, target{}},
			{"no latency: assumed_role", "ms", less, target{}},
			{"no latency: read of a role", "ms", less, target{}},
			{"no latency: renewals", "per s", more, target{}},
		},
	},
	{
		"Allocations of the handlers", "Of the plugin's own, the AWS SDK's included; storage is memory and AWS answers from a constant.",
		[]row{
			{"allocations: read of a role", "allocs", neither, target{}},
			{"allocations: issue, iam_user", "allocs", neither, target{}},
			{"allocations: renew, iam_user", "allocs", neither, target{}},
			{"allocations: revoke, iam_user", "allocs", neither, target{}},
			{"allocations: issue, assumed_role", "allocs", neither, target{}},
		},
	},
	{
		"The process", "Start: from SIGKILL of the plugin to the first answer. Failover: of three nodes, until a read of a\ncredential succeeds; most of it is Vault's election.",
		[]row{
			{"start to first answer", "ms", neither, target{}},
			{"failover to first credential: the leader steps down", "s", neither, target{}},
			{"failover to first credential: the leader is killed", "s", neither, target{}},
			{"resident memory at rest", "MiB", neither, atMost(60)},
			{"resident memory under 200 reads at once", "MiB", neither, target{}},
			{"scale: start to first answer", "ms", neither, atMost(2000)},
			{"scale: resident memory", "MiB", neither, atMost(250)},
			{"scale: LIST of 10,000 roles", "ms", less, target{}},
		},
	},
}

// rows are the rows of all sections.
func rows() (all []row) {
	for _, s := range sections {
		all = slices.Concat(all, s.rows)
	}
	return all
}
