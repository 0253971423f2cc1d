// Package e2e drives the built plugin through a real Vault server with the
// vault command, as a user would; AWS is the simulator.
//
// Every script in testdata/script is a story of its own: it starts its own
// simulator and its own Vault server, and leaves nothing behind. Comments such
// as "Step 8" number what users do with the engine; e2e_test.go has the list.
// Build first, then run them all, or one:
//
//	make build vault
//	go test ./internal/e2e
//	go test ./internal/e2e -run TestScripts/iam_user -v
//
// # Commands
//
// Besides those of testscript, whose "exec vault" serves for standard input
// and for the background, scripts have
//
//	stack [-bare] [-trace] [NAME=VALUE...]
//	                               start simulator and Vault, the latter with these
//	                               variables besides its few, and register the plugin
//	vault ARG...                   the vault command, as root unless VAULT_TOKEN is set
//	api METHOD PATH [BODY]         Vault's HTTP API: prints the status, then the body
//	credential NAME                take the credential out of the last JSON answer:
//	                               NAME_ACCESS, NAME_SECRET, NAME_TOKEN, NAME_LEASE
//	set NAME PATTERN               what the parentheses of a pattern hold in the last output
//	envfile FROM TO                copy a file, putting in the values of $VARIABLES
//	aws NAME ACTION [KEY=VALUE...] call AWS with a credential: aws DEPLOY iam:GetUser
//	iam-user NAME USER POLICY      make an IAM user with this policy file, and keys
//	awssim users [PATTERN]         list the simulated users whose names match; fails if none does
//	awssim calls [PATTERN]         list the calls the simulator took; fails if none matches
//	awssim fault KEY=VALUE...      let calls go wrong
//	awssim clear                   let no more calls go wrong
//	awssim post PATH BODY          call its control API
//	await DURATION COMMAND...      repeat one of these until it does as it should
//	shows PATTERN COMMAND...       run one of these; its output has to match
//	journal MOUNT                  list the journal entries of a mount; fails if there is none
//	age MOUNT DURATION             set the journal entries of a mount back in time
//	age-static MOUNT ROLE DURATION set the stored key of a static role back in time
//	stored MOUNT KEY               print what lies in a mount's storage
//	remember NAME PATH...          keep what these paths say; PATH/ is all that is listed there
//	unchanged NAME                 they say the same; fields may have come, empty is as good as null
//	server-log PATTERN             list the lines of Vault's log that match; fails if none does
//	server-log -mark               what is logged so far counts no more
//	secret NAME VALUE              a secret besides those of credentials
//	no-secrets MOUNT...            search logs, refusals, lists and records of the
//	                               mounts for the secrets of this script
//	kill-plugin                    SIGKILL the plugin processes of this Vault server; prints their ids
//	serve-imds NAME ROLE           stand in for the EC2 instance metadata service: sets IMDS
//	serve-container NAME           stand in for the ECS container endpoint: sets CONTAINER
//
// ADMIN is a credential that may do everything in the simulated account. A
// command after "!" must be refused by what it talks to; it fails the script
// if it does not get that far.
package e2e
