package sim_test

import (
	"fmt"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// awsFaults are the kinds of trouble with AWS. It never does what it throttles or
// refuses, and never answers 200 to what it did not do.
func awsFaults() []awssim.Fault {
	return []awssim.Fault{
		{Kind: awssim.FaultReset},
		{Kind: awssim.FaultReset, When: awssim.AfterEffect},
		{Kind: awssim.FaultHang},
		{Kind: awssim.FaultHang, When: awssim.AfterEffect},
		{Kind: awssim.FaultHang, Duration: 5 * time.Second, When: awssim.AfterEffect},
		{Kind: awssim.FaultThrottle},
		{Kind: awssim.FaultHTML},
		{Kind: awssim.FaultHTML, When: awssim.AfterEffect},
		{Kind: awssim.FaultTruncate, When: awssim.AfterEffect},
		{Kind: awssim.FaultDelay},
		{Kind: awssim.FaultError},
		{Kind: awssim.FaultError, When: awssim.AfterEffect},
		{Kind: awssim.FaultError, Status: 409, Code: "ConcurrentModification"},
		{Kind: awssim.FaultError, Status: 409, Code: "EntityTemporarilyUnmodifiable"},
		{Kind: awssim.FaultError, Status: 409, Code: "DeleteConflict"},
		{Kind: awssim.FaultError, Status: 403, Code: "AccessDenied"},
		{Kind: awssim.FaultError, Status: 409, Code: "LimitExceeded"},
		{Kind: awssim.FaultError, Status: 403, Code: "InvalidClientTokenId"},
	}
}

// faultyActions are what faults are aimed at. Those that are delayed come
// without a second one in the list.
var faultyActions = []string{
	"*", "iam:*", "sts:*", "iam:Create*", "iam:Delete*", "iam:List*",
	"iam:CreateUser", "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:DeleteUser",
	"iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:AddUserToGroup", "iam:GetUser", "iam:ListAccessKeys", "sts:GetCallerIdentity",
}

// ailAWS makes some calls go wrong.
func (w *world) ailAWS() {
	kinds := awsFaults()
	f := kinds[w.rng.IntN(len(kinds))]
	f.Action = faultyActions[w.rng.IntN(len(faultyActions))]
	f.Nth, f.Count = 1+w.rng.IntN(4), 1+w.rng.IntN(6)
	if w.rng.IntN(6) == 0 {
		f.Count = 0 // until somebody ends it
	}
	if f.Kind == awssim.FaultDelay {
		if !w.clock.right() { // how old a lost CreateUser is nobody could tell
			return
		}
		f.Duration, f.Count = w.between(time.Second, longestDelay), 1
	}
	w.note("fault %+v", f)
	w.sim.Inject(f)
}

// longestDelay is how long a request may be under way: AWS accepts it until its
// signature is 15 minutes old.
const longestDelay = 15 * time.Minute

// ailStorage makes some operations on storage go wrong for a while.
func (w *world) ailStorage() {
	f := storageFault{
		kind:   []string{"before", "after", "hang"}[w.rng.IntN(3)],
		verb:   []string{"get", "put", "delete", "list"}[w.rng.IntN(4)],
		prefix: []string{"", "wal/", "users/", "journal/", "config/", "static-"}[w.rng.IntN(6)],
		until:  time.Now().Add(w.between(time.Millisecond, 30*time.Second)),
	}
	if w.rng.IntN(5) == 0 {
		f.until = time.Now().Add(w.between(time.Minute, 30*time.Minute))
	}
	w.note("storage: %s %s of %q until %s", f.kind, f.verb, f.prefix, f.until.Sub(w.begun))
	w.store.ail(f)
}

// moodOfAWS changes how AWS feels: slow, busy, forgetful.
func (w *world) moodOfAWS() {
	names := []string{"calm", "realistic", "hostile"}
	name := names[w.rng.IntN(len(names))]
	settings := calm()
	if name != "calm" {
		preset, err := awssim.Preset(name)
		if err != nil {
			w.t.Fatal(err)
		}
		settings = preset
	}
	w.note("AWS is %s", name)
	w.reach("AWS " + name)
	w.sim.Configure(func(s *awssim.Settings) { *s = settings })
}

// easeFaults ends what goes wrong.
func (w *world) easeFaults() {
	w.countFaults()
	w.sim.ClearFaults()
	w.store.heal()
	w.cutOff(0)
}

// countFaults counts the faults that calls have met.
func (w *world) countFaults() {
	calls := w.sim.Journal()
	for _, c := range calls[w.counted:] {
		if c.Fault == "" {
			continue
		}
		when := "before"
		if c.Effect {
			when = "after"
		}
		w.reach(fmt.Sprintf("fault %s %s", c.Fault, when))
	}
	w.counted = len(calls)
}
