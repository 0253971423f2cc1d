// Package endurance runs the built plugin in real Vault servers for longer than
// a test of one thing does, under load and with things dying, and counts what
// is left: nothing may leak.
//
//	HA     a cluster of three nodes whose leader steps down or is killed
//	Soak   many lifecycles on a hostile AWS, the plugin killed every few seconds
//	Load   many clients at once on an AWS that throttles
//
// Each returns a report whose String is the closing line of its make target;
// scripts/endure is the command behind those. The tests here run short forms.
//
// What counts as leaked: a user that is in AWS after every lease was revoked,
// the journal and the records were set back in time as if they had been left for
// an hour, and the worker has passed.
package endurance
