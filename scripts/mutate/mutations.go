package main

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// mutation is one way to break the code.
type mutation struct {
	name string // the invariant, and what is broken of it
	file string
	old  string // occurs once in the file
	new  string
	run  string // the tests, by go test's -run, of which one must fail

	tests string // their folder; "": the file's
}

// dir is the folder of the tests' package.
func (m mutation) dir() string { return cmp.Or(m.tests, path.Dir(m.file)) }

// apply spoils the text of the mutation's file.
func (m mutation) apply(text string) (string, error) {
	if n := strings.Count(text, m.old); n != 1 {
		return "", fmt.Errorf("%s has %d places, not one, that read %q", m.file, n, m.old)
	}
	return strings.Replace(text, m.old, m.new, 1), nil
}

const (
	user      = "backend/lifecycle/user.go"
	destroy   = "backend/lifecycle/destroy.go"
	deadlines = "backend/lifecycle/deadlines.go"
	rollback  = "backend/lifecycle/rollback.go"
	condemn   = "backend/lifecycle/condemn.go"
	overdue   = "backend/lifecycle/overdue.go"
	index     = "backend/lifecycle/index.go"
	caps      = "backend/lifecycle/caps.go"
	state     = "backend/lifecycle/state.go"
	settle    = "backend/lifecycle/settle.go"
	rootkey   = "backend/lifecycle/rootkey.go"
	keychange = "backend/lifecycle/keychange.go"
	statickey = "backend/lifecycle/statickey.go"
	worker    = "backend/lifecycle/worker.go"
	backoff   = "backend/lifecycle/backoff.go"
	parallel  = "backend/lifecycle/parallel.go"
	clock     = "backend/lifecycle/clock.go"
	secret    = "backend/lifecycle/secret.go"

	iamCalls    = "backend/awsclient/iam.go"
	failover    = "backend/awsclient/failover.go"
	groups      = "backend/awsclient/groups.go"
	client      = "backend/awsclient/client.go"
	classify    = "backend/awsclient/classify.go"
	credentials = "backend/awsclient/credentials.go"
	endpoints   = "backend/awsclient/endpoints.go"
	transport   = "backend/awsclient/transport.go"
)

// mutations is the whole table. Names begin with the invariant (L1 to L12 of
// backend/lifecycle/doc.go) or the known defect (W…) that the row is about.
var mutations = []mutation{
	{
		name: "L1 CreateUser is sent although the journal failed",
		file: user,
		old:  "if err != nil {\n\t\treturn IssuedUser{}, fmt.Errorf(\"journal",
		new:  "if err != nil && false {\n\t\treturn IssuedUser{}, fmt.Errorf(\"journal",
		run:  "TestL1",
	},
	{
		name: "L2 the entry is struck although the user could not be destroyed",
		file: user,
		old:  "if err := m.DestroyUser(ctx, iam, a.doomed()); err != nil {\n\t\t\treturn err\n\t\t}",
		new:  "_ = m.DestroyUser(ctx, iam, a.doomed())",
		run:  "TestL2NoUserIsForgottenTwice",
	},
	{
		name: "L2 the entry is struck although a CreateUser may be under way",
		file: user,
		old:  "if a.lost {\n\t\treturn nil",
		new:  "if a.lost && false {\n\t\treturn nil",
		run:  "TestL2",
	},
	{
		name: "L2 a user whose strike failed is not condemned",
		file: user,
		old:  "if a.recorded {",
		new:  "if false {",
		run:  "TestL2NoUserIsForgotten$",
	},
	{
		name: "L2 the entry is struck before the user is made",
		file: user,
		old:  "\ta := attempt{entry:",
		new:  "\t_ = m.journal.Strike(ctx, id)\n\ta := attempt{entry:",
		run:  "TestL2NoUserIsForgotten$",
	},
	{
		name: "L2 the clean-up starts while calls are under way",
		file: parallel,
		old:  "\twg.Wait()\n",
		new:  "",
		run:  "TestL2NoUserIsForgotten$",
	},
	{
		name: "L2 a panic leaves the request without clean-up",
		file: user,
		old:  "err = Recovered(func() (err error) {",
		new:  "err = func(f func() error) error { return f() }(func() (err error) {",
		run:  "TestIssueUserPanics",
	},
	{
		name: "L2 a panic of CreateUser counts as a refusal",
		file: settle,
		old:  "err := Recovered(call)",
		new:  "err := call()",
		run:  "TestL2NoUserIsForgotten$",
	},
	{
		name: "L2 rollback strikes the entry of a CreateUser that was sent again",
		file: rollback,
		old:  "if e.Intent.Resent && ",
		new:  "if false && ",
		run:  "TestL7RollbackWaits|TestL2NoUserIsForgottenTwice",
	},
	{
		name: "L2 nobody notes that CreateUser is sent again",
		file: user,
		old:  "\ta.entry.Intent.Resent = true\n",
		new:  "",
		run:  "TestL2NoUserIsForgottenTwice",
	},
	{
		name: "W2 a lost answer to CreateUser counts as a refusal",
		file: user,
		old:  "if a.lost = true; ",
		new:  "if a.lost = false; ",
		run:  "TestL2NoUserIsForgotten$",
	},
	{
		name: "W8 a failed request leaves its user to the rollback",
		file: user,
		old:  "m.abandon(ctx, iam, a)",
		new:  "_ = a",
		run:  "TestIssueUserFails",
	},
	{
		name: "L3 a part that is gone already is an error",
		file: destroy,
		old:  "if errors.Is(err, awserr.NotFound) {\n\t\t\t\treturn nil",
		new:  "if errors.Is(err, awserr.NotFound) {\n\t\t\t\treturn err",
		run:  "TestL3",
	},
	{
		name: "L3 what hangs on the user besides what is known is not looked for",
		file: destroy,
		old:  "if !errors.Is(err, awserr.InUse) {",
		new:  "if true {",
		run:  "TestL3",
	},
	{
		name: "L3 a conflict that passes is not waited for",
		file: destroy,
		old:  "return m.settle(ctx, conflict, func() error { return m.deleteListed(ctx, iam, u.Name) })",
		new:  "return m.deleteListed(ctx, iam, u.Name)",
		run:  "TestL3DestroyUser",
	},
	{
		name: "L4 known parts are detached although a key could not be deleted",
		file: destroy,
		old:  "if err := m.deleteKeys(ctx, iam, user, parts.AccessKeys); err != nil {",
		new:  "if err := m.deleteKeys(ctx, iam, user, parts.AccessKeys); err != nil && false {",
		run:  "TestL4",
	},
	{
		name: "L4 listed parts are detached although a key could not be deleted",
		file: destroy,
		old:  "if err := m.deleteAllKeys(ctx, iam, user); err != nil {\n\t\treturn err\n\t}\n\tvar",
		new:  "if err := m.deleteAllKeys(ctx, iam, user); err != nil && false {\n\t\treturn err\n\t}\n\tvar",
		run:  "TestL4",
	},
	{
		name: "L4 keys go side by side with the rest",
		file: destroy,
		old:  "\tif err := m.deleteKeys(ctx, iam, user, parts.AccessKeys); err != nil {\n\t\treturn err\n\t}\n\terr := m.detachAndDelete",
		new:  "\tgo func() { _ = m.deleteKeys(ctx, iam, user, parts.AccessKeys) }()\n\terr := m.detachAndDelete",
		run:  "TestL3",
	},
	{
		name: "L4 the key is made before what restricts it",
		file: user,
		old:  "if !spec.KeyLast {",
		new:  "if true {",
		run:  "TestIssueUser$",
	},
	{
		name: "W4 a list is asked for before the keys are gone",
		file: destroy,
		old:  "if err := m.deleteAllKeys(ctx, iam, user); err != nil {\n\t\treturn err\n\t}\n\tvar",
		new:  "if _, err := iam.ListGroups(ctx, user); err != nil {\n\t\treturn err\n\t}\n\tif err := m.deleteAllKeys(ctx, iam, user); err != nil {\n\t\treturn err\n\t}\n\tvar",
		run:  "TestW4",
	},
	{
		name: "W12 a list that is refused stops the rollback",
		file: destroy,
		old:  "\terr := m.deleteWith(ctx, iam, user, parts)\n",
		new:  "\tif listed != nil {\n\t\treturn listed\n\t}\n\terr := m.deleteWith(ctx, iam, user, parts)\n",
		run:  "TestW12",
	},
	{
		name: "L5 a user that was there before is destroyed",
		file: destroy,
		old:  "if created.Before(u.Born.Truncate(time.Second)) {",
		new:  "if false && created.Before(u.Born.Truncate(time.Second)) {",
		run:  "TestL5",
	},
	{
		name: "L5 a user of unknown age is destroyed",
		file: destroy,
		old:  "if err != nil {\n\t\treturn fmt.Errorf(\"tell whether the user is ours",
		new:  "if err != nil {\n\t\treturn nil\n\t}\n\tif err != nil {\n\t\treturn fmt.Errorf(\"tell whether the user is ours",
		run:  "TestL5",
	},
	{
		name: "L5 any name counts as one of our own randomness",
		file: destroy,
		old:  "if u.NameUnique {",
		new:  "if true {",
		run:  "TestL5",
	},
	{
		name: "L5 a user that was there before is adopted",
		file: user,
		old:  "a.lost && errors.Is(err, awserr.Exists)",
		new:  "errors.Is(err, awserr.Exists)",
		run:  "TestL5TakenNames",
	},
	{
		name: "L5 a user that was there before is destroyed by the request",
		file: user,
		old:  "if a.confirmed || a.lost {",
		new:  "if true {",
		run:  "TestL5TakenNames",
	},
	{
		name: "L6 a request may last as long as its entry is safe",
		file: deadlines,
		old:  "issueDeadline   = 50 * time.Second",
		new:  "issueDeadline   = RollbackMinAge",
		run:  "TestL6Deadlines",
	},
	{
		name: "L6 a request has no deadline",
		file: user,
		old:  "ctx, cancel := context.WithTimeout(ctx, issueDeadline)",
		new:  "ctx, cancel := context.WithCancel(ctx)",
		run:  "TestL6Deadlines",
	},
	{
		name: "L6 a revoke has no deadline",
		file: condemn,
		old:  "ctx, cancel := context.WithTimeout(ctx, revokeDeadline)",
		new:  "ctx, cancel := context.WithCancel(ctx)",
		run:  "TestL6Deadlines",
	},
	{
		name: "L6 the rollback of an entry has no deadline",
		file: rollback,
		old:  "ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)",
		new:  "ctx, cancel := context.WithCancel(ctx)",
		run:  "TestL6Deadlines",
	},
	{
		name: "L6 the clean-up ends with the request",
		file: deadlines,
		old:  "context.WithTimeout(context.WithoutCancel(ctx), limit)",
		new:  "context.WithTimeout(ctx, limit)",
		run:  "TestL6TheClientLeaves$",
	},
	{
		name: "L6 a request that is overdue commits",
		file: user,
		old:  "if err := m.inTime(a.entry); err != nil {",
		new:  "if err := m.inTime(a.entry); err != nil && false {",
		run:  "TestL6Overdue$",
	},
	{
		name: "L6 a request whose strike took too long hands its user out",
		file: user,
		old:  "return m.inTime(a.entry)\n}",
		new:  "return nil\n}",
		run:  "TestL6Overdue$",
	},
	{
		name: "L6 another clock than the wall's decides what is overdue",
		file: deadlines,
		old:  "m.clock.Now().Round(0).Sub(start.Round(0))",
		new:  "time.Since(start)",
		run:  "TestL6OverdueAfterSleep",
	},
	{
		name: "L6 waits do not end with the request",
		file: clock,
		old:  "timer := time.NewTimer(d)",
		new:  "time.Sleep(d)\n\ttimer := time.NewTimer(0)",
		run:  "TestL6TheClientLeavesAWait",
	},
	{
		name: "L7 NoSuchEntity is believed of any user",
		file: destroy,
		old:  "if u.Born.IsZero() || m.overdue(u.Born, wait) {",
		new:  "if true {",
		run:  "TestL7Gone",
	},
	{
		name: "L7 NoSuchEntity is believed of an announced user too soon",
		file: destroy,
		old:  "wait = announcedGoneAge",
		new:  "wait = confirmedGoneAge",
		run:  "TestL7Gone",
	},
	{
		name: "L7 NoSuchEntity is never believed",
		file: destroy,
		old:  "if u.Born.IsZero() || m.overdue(u.Born, wait) {",
		new:  "if u.Born.IsZero() {",
		run:  "TestL7Gone",
	},
	{
		name: "L7 the account does not matter",
		file: destroy,
		old:  `if users == "" || roots == "" || users == roots {`,
		new:  "if true {",
		run:  "TestL7WrongAccount",
	},
	{
		name: "L7 NoSuchEntity is believed in another account",
		file: destroy,
		old:  "if err := m.sameAccount(ctx, iam, u); err != nil {\n\t\treturn err\n\t}\n\twait",
		new:  "if err := m.sameAccount(ctx, iam, u); err != nil && false {\n\t\treturn err\n\t}\n\twait",
		run:  "TestL7WrongAccount",
	},
	{
		name: "L8 a lost CreateUser is the answer",
		file: user,
		old:  "const createAttempts = 3",
		new:  "const createAttempts = 1",
		run:  "TestL8ALostReply",
	},
	{
		name: "L8 CreateUser is repeated under a common name",
		file: user,
		old:  "if a.lost = true; !spec.NameUnique {",
		new:  "if a.lost = true; false {",
		run:  "TestL8NotRepeated",
	},
	{
		name: "L8 the key of a lost answer stays",
		file: user,
		old:  "err = m.settle(ctx, fresh, func() error { return m.deleteAllKeys(ctx, iam, user) })",
		new:  "err = nil",
		run:  "TestL8ALostReply",
	},
	{
		name: "L8 a lost CreateAccessKey is the answer",
		file: user,
		old:  "if err != nil && !awserr.Refused(err) && ctx.Err() == nil {",
		new:  "if false {",
		run:  "TestL8ALostReply",
	},
	{
		name: "L8 a user that is not visible yet is an error",
		file: settle,
		old:  "return isBusy(err) || errors.Is(err, awserr.NotFound)",
		new:  "return isBusy(err)",
		run:  "TestL8ALostReply",
	},
	{
		name: "L8 a busy user is an error",
		file: settle,
		old:  "{ return errors.Is(err, awserr.Busy) }",
		new:  "{ return false && errors.Is(err, awserr.Busy) }",
		run:  "TestL8ALostReply",
	},
	{
		name: "L11 a name being issued is rolled back when its entry looks old",
		file: rollback,
		old:  "if unlock = m.users.Try(e.Intent.UserName); unlock == nil {",
		new:  "if unlock = m.users.Try(e.Intent.UserName); unlock == nil {\n\t\tunlock = func() {}\n\t}\n\tif false {",
		run:  "TestL11",
	},
	{
		name: "L11 an entry is rolled back whose request has committed meanwhile",
		file: rollback,
		old:  "\tif e, err = m.journal.Load(ctx, id); err != nil {\n\t\tunlock()\n\t\treturn e, nil, err\n\t}\n",
		new:  "",
		run:  "TestL11",
	},
	{
		name: "L12 a node that may not write destroys",
		file: rollback,
		old:  "if err := m.journal.Reassert(ctx, e); err != nil {",
		new:  "if err := m.journal.Reassert(ctx, e); err != nil && false {",
		run:  "TestL12",
	},
	{
		name: "rollback: young entries are rolled back",
		file: rollback,
		old:  "if m.overdue(e.RecordedAt, RollbackMinAge) {",
		new:  "if true {",
		run:  "TestRollbackAge",
	},
	{
		name: "R1: the new key is stored unproven",
		file: keychange,
		old:  "if err := m.proveKey(ctx, r, key); err != nil {",
		new:  "if err := ctx.Err(); err != nil {",
		run:  "TestR1",
	},
	{
		name: "R1: one proof is enough",
		file: keychange,
		old:  "proofs = 3",
		new:  "proofs = 1",
		run:  "TestR1",
	},
	{
		name: "R1: proofs need not be in a row",
		file: keychange,
		old:  "\t\t\taccepted = 0\n",
		new:  "\t\t\taccepted--\n",
		run:  "TestR1ProofsInARow",
	},
	{
		name: "R1: the old key goes whatever is stored",
		file: keychange,
		old:  `used := stored != "" && stored == e.Intent.New`,
		new:  `used := stored != ""`,
		run:  "TestR1",
	},
	{
		name: "R1: a new key is not journalled by its name",
		file: keychange,
		old:  "e.Intent.New = key.ID",
		new:  "_ = key.ID",
		run:  "TestR1",
	},
	{
		name: "L1: a root key is not journalled",
		file: keychange,
		old:  "e, err := j.RecordKey(ctx, intent)",
		new:  "e, err := KeyEntry{Intent: intent}, error(nil)",
		run:  "TestR1",
	},
	{
		name: "L7: a rotation is finished in another account",
		file: keychange,
		old:  "compareAccounts(e.Intent.Account, identity.Account)",
		new:  `compareAccounts("", identity.Account)`,
		run:  "TestRotateRootOtherAccount",
	},
	{
		name: "L8: a root key whose answer was lost stays",
		file: keychange,
		old:  "if slices.Contains(known, id) {",
		new:  "if true || slices.Contains(known, id) {",
		run:  "TestR1",
	},
	{
		name: "L7: a list that does not show a lost key is believed at once",
		file: keychange,
		old:  "if e.Intent.Lost > 0 && !m.overdue(e.Intent.BegunAt, confirmedGoneAge) {",
		new:  "if false {",
		run:  "TestR1LostOnStaleList",
	},
	{
		name: "L7: a lost key is forgotten by the next rotation",
		file: keychange,
		old:  "\tintent.Lost = left.lost\n",
		new:  "",
		run:  "TestR1LostOnStaleList",
	},
	{
		name:  "S1: the current key makes room",
		file:  statickey,
		old:   "return []string{other.ID}, nil",
		new:   "return []string{current}, nil",
		run:   "TestMount/static",
		tests: "backend",
	},
	{
		name:  "S1: a key that somebody else made since makes room",
		file:  statickey,
		old:   "if other.Created.After(keys[at].Created) {",
		new:   "if other.Created.IsZero() {",
		run:   "TestMount/static",
		tests: "backend",
	},
	{
		name:  "S1: the previous key goes at once",
		file:  keychange,
		old:   "if intent.KeepOld {",
		new:   "if false {",
		run:   "TestMount/static",
		tests: "backend",
	},
	{
		name:  "S1: an active key of an adopted user makes room",
		file:  statickey,
		old:   "if !key.Active {",
		new:   "if key.Active {",
		run:   "TestMount/static",
		tests: "backend",
	},
	{
		name: "migration: a key by hand is left to the built-in engine with period 0",
		file: "backend/store/static_role.go",
		old:  "cmp.Or(r.BuiltinPeriod, neverPeriod), true",
		new:  "cmp.Or(r.BuiltinPeriod, 0), true",
		run:  "TestStaticRolePeriod",
	},
	{
		name: "migration: a key by schedule is left to the built-in engine without a period",
		file: "backend/path_static_roles.go",
		old:  "role.BuiltinPeriod = cron.Next(first).Sub(first)",
		new:  "_ = cron",
		run:  "TestMount/static:_a_role_without_a_period",
	},
	{
		name:  "migration: the built-in engine does not find the user in our journal entries",
		file:  "backend/lifecycle/ports.go",
		old:   "`json:\"UserName\"`",
		new:   "`json:\"user_name\"`",
		run:   "TestMount/storage:_the_built-in",
		tests: "backend",
	},
	{
		name:  "migration: the built-in engine does not know the kind of our journal entries",
		file:  "backend/lifecycle/ports.go",
		old:   "const UserIntentKind = \"user\"",
		new:   "const UserIntentKind = \"iam-user\"",
		run:   "TestMount/storage:_the_built-in",
		tests: "backend",
	},
	{
		name:  "migration: OpenBao's static keys, which have no expiration, are never rotated",
		file:  "backend/static_duty.go",
		old:   "if creds != nil && creds.Expiration == nil && nextStatic(role, b.options.Clock.Now()) != nil {",
		new:   "if false {",
		run:   "TestMount/storage:_OpenBao",
		tests: "backend",
	},
	{
		name:  "W47: one slow role holds the others up",
		file:  "backend/static_duty.go",
		old:   "AtOnce: staticAtOnce,",
		new:   "AtOnce: staticAtOnce - 7,",
		run:   "TestMount/static:_one_slow",
		tests: "backend",
	},
	{
		name: "worker: a panic ends it",
		file: worker,
		old:  "err := Recovered(func() error { return w.attend(ctx, duty) })",
		new:  "err := w.attend(ctx, duty)",
		run:  "TestWorkerSurvivesAPanic",
	},
	{
		name: "worker: an entry that fails ends the pass",
		file: worker,
		old:  "\t\tw.attendSome(ctx, duty, some)\n",
		new:  "\t\tw.attendSome(ctx, duty, some)\n\t\tif len(w.failing) > 0 {\n\t\t\treturn nil\n\t\t}\n",
		run:  "TestWorkerOneBadEntry",
	},
	{
		name: "worker: an entry that fails is tried in every pass",
		file: worker,
		old:  "!w.failing.due(name, w.manager.clock.Now())",
		new:  "false",
		run:  "TestWorkerBacksOff",
	},
	{
		name: "worker: the waits between tries have no end",
		file: backoff,
		old:  "min(max(2*last.wait, backoffFirst), backoffLast)",
		new:  "max(2*last.wait, backoffFirst)",
		run:  "TestWorkerBacksOff",
	},
	{
		name: "worker: the same error is logged every time",
		file: backoff,
		old:  "return last.gist != gist(err)",
		new:  "return true",
		run:  "TestWorkerLogs",
	},
	{
		name: "worker: AWS's request ids make errors differ",
		file: backoff,
		old:  `return call.Op + " " + call.Code + " " + string(call.Kind)`,
		new:  "return call.Error()",
		run:  "TestWorkerLogs",
	},
	{
		name: "worker: entries of other kinds are an error",
		file: rollback,
		old:  "errors.Is(err, ErrNotOurs) || ",
		new:  "",
		run:  "TestWorkerLeavesOtherEntriesAlone",
	},
	{
		name: "worker: Wake does not wait for the pass",
		file: worker,
		old:  "\t\tw.pass(ctx)\n\t\tclose(passed)\n",
		new:  "\t\tclose(passed)\n\t\tw.pass(ctx)\n",
		run:  "TestWorkerWake",
	},
	{
		name: "worker: its end waits for the entry it is at",
		file: rollback,
		old:  "ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)",
		new:  "ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackDeadline)",
		run:  "TestWorkerStops",
	},
	{
		name: "worker: storage that does not answer holds it for ever",
		file: worker,
		old:  "ctx, cancel := context.WithTimeout(ctx, rollbackDeadline)",
		new:  "ctx, cancel := context.WithCancel(ctx)",
		run:  "TestL6Deadlines",
	},
	{
		name: "secrets: fmt prints them",
		file: secret,
		old:  "func (Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }",
		new:  "func (s Secret) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, string(s)) }",
		run:  "TestSecretNeverPrints",
	},
	{
		name: "secrets: JSON shows them",
		file: secret,
		old:  "func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }",
		new:  "func (s Secret) MarshalText() ([]byte, error) { return []byte(s), nil }",
		run:  "TestSecretNeverPrints",
	},

	{
		name: "client: L8 CreateUser is repeated after a lost answer",
		file: iamCalls,
		old:  "c.iam.CreateUser(ctx, in, creating)",
		new:  "c.iam.CreateUser(ctx, in)",
		run:  "TestL8CreatesAreNotRepeated/CreateUser,_reset_after",
	},
	{
		name: "client: L8 CreateAccessKey is repeated after a lost answer",
		file: iamCalls,
		old:  "c.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user}, creating)",
		new:  "c.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})",
		run:  "TestL8CreatesAreNotRepeated/CreateAccessKey,_reset_after",
	},
	{
		name: "client: L8 a throttled create is not repeated",
		file: classify,
		old:  "errors.As(err, &api) && awserr.KindOf(api.ErrorCode(), 0) == awserr.Throttled",
		new:  "errors.As(err, &api) && false",
		run:  "TestMaxRetries$/throttled,_once",
	},
	{
		name: "client: L8 a create is repeated after a 5xx",
		file: classify,
		old:  "awserr.KindOf(api.ErrorCode(), 0) == awserr.Throttled",
		new:  "awserr.KindOf(api.ErrorCode(), 0) != awserr.Denied",
		run:  "TestL8CreatesAreNotRepeated/503",
	},
	{
		name: "client: max_retries counts attempts",
		file: classify,
		old:  "o.MaxAttempts = retries + 1",
		new:  "o.MaxAttempts = max(retries, 1)",
		run:  "TestMaxRetries$/once$",
	},
	{
		name: "client: an answer without a key is a key",
		file: iamCalls,
		old:  "if out.AccessKey == nil {",
		new:  "if false {",
		run:  "TestIncompleteAnswers",
	},
	{
		name: "client: W7 the first page is all",
		file: "backend/awsclient/static.go",
		old:  "&iam.ListAccessKeysInput{UserName: &user})\n\tfor pages.HasMorePages() {",
		new:  "&iam.ListAccessKeysInput{UserName: &user})\n\tfor range 1 {",
		run:  "TestListsAreComplete",
	},
	{
		name: "client: policies of groups stay encoded",
		file: groups,
		old:  "url.QueryUnescape(aws.ToString(out.PolicyDocument))",
		new:  "url.QueryUnescape(url.QueryEscape(aws.ToString(out.PolicyDocument)))",
		run:  "TestGroupPolicies",
	},
	{
		name: "client: W20 another STS endpoint is asked after a refusal",
		file: failover,
		old:  "!errors.Is(err, awserr.Unavailable) || ctx.Err() != nil",
		new:  "err == nil || errors.Is(err, awserr.Busy)",
		run:  "TestSTSFallback$",
	},
	{
		name: "client: W20 an endpoint that died is asked first each time",
		file: failover,
		old:  "return e.restUntil.Load() > now",
		new:  "return now < 0",
		run:  "TestSTSEndpointRests",
	},
	{
		name: "client: W20 an endpoint that died never has its place again",
		file: failover,
		old:  "return e.restUntil.Load() > now",
		new:  "return e.restUntil.Load() != 0 && now > 0",
		run:  "TestSTSFallback$",
	},
	{
		name: "client: W20 no other STS endpoint is asked",
		file: failover,
		old:  "!errors.Is(err, awserr.Unavailable) || ctx.Err() != nil",
		new:  "!errors.Is(err, awserr.Busy)",
		run:  "TestSTSFallback$",
	},
	{
		name: "client: IAM is signed for the configured region",
		file: client,
		old:  "o.Region = homeRegion(base.Region)",
		new:  "o.Region = base.Region",
		run:  "TestSigningRegion",
	},
	{
		name: "client: a region of no partition is signed for us-east-1",
		file: endpoints,
		old:  "\t\t\treturn p.home\n\t\t}\n\t}\n\treturn region\n",
		new:  "\t\t\treturn p.home\n\t\t}\n\t}\n\treturn defaultRegion\n",
		run:  "TestSigningRegion",
	},
	{
		name: "client: redirects are followed",
		file: transport,
		old:  "{ return http.ErrUseLastResponse }",
		new:  "{ return nil }",
		run:  "TestRedirectsAreNotFollowed",
	},
	{
		name: "client: redirects are followed with ambient credentials",
		file: credentials,
		old:  "base.HTTPClient = withoutRedirects(buildable.GetTransport())",
		new:  "client := withoutRedirects(buildable.GetTransport())\n\t\tclient.CheckRedirect = nil\n\t\tbase.HTTPClient = client",
		run:  "TestAmbient",
	},
	{
		name: "client: static keys go where the environment says",
		file: credentials,
		old:  "case s.Ambient():",
		new:  "case s.Ambient() || s.Region == \"\":",
		run:  "TestStaticKeysConsultNothingAmbient",
	},
	{
		name: "client: AWS_CA_BUNDLE does not hold for static keys",
		file: transport,
		old:  "transport.TLSClientConfig.RootCAs = roots",
		new:  "_ = roots",
		run:  "TestCABundle",
	},
	{
		name: "client: W10 each call has a connection of its own",
		file: transport,
		old:  "tr.IdleConnTimeout = idleTimeout",
		new:  "tr.IdleConnTimeout, tr.DisableKeepAlives = idleTimeout, true",
		run:  "TestConnectionsAreReused",
	},
	{
		name: "client: no credentials look like an outage",
		file: classify,
		old:  "errors.As(err, &none) {",
		new:  "errors.As(err, &none) && false {",
		run:  "TestNoCredentials",
	},
	{
		name: "client: a link-local address in an unusual spelling is an endpoint",
		file: endpoints,
		old:  "case err != nil && numeric.MatchString(host):",
		new:  "case false:",
		run:  "TestCheckEndpoint",
	},
}
