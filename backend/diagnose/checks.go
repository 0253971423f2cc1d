package diagnose

import (
	"errors"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
	"vault-plugin-secrets-aws/backend/store"
)

// check is a row: it judges what is known, and calls nobody.
type check struct {
	name string
	run  func(*inquiry)
}

// checks is the table, in the order in which findings are told.
var checks = []check{
	{"config", checkConfig},
	{"credentials", checkCredentials},
	{"clock", checkClock},
	{"endpoints", checkEndpoints},
	{"root key", checkRootKey},
	{"rotation", checkRotation},
	{"mount", checkState},
	{"permissions", checkPermissions},
	{"role", checkRoles},
	{"policies", checkPolicies},
	{"groups", checkGroups},
	{"sessions", checkSessions},
	{"trust", checkTrust},
	{"static role", checkStatics},
}

func checkConfig(q *inquiry) {
	if q.Unusable != nil {
		q.find(Error, "config/root", "correct config/root; until then nothing of AWS is checked", "no AWS client can be made of config/root: %v", q.Unusable)
	}
	if !q.Written {
		q.find(Warning, "config/root", "write config/root, with access_key and secret_key unless the server's own identity is meant", "config/root is not written: the Vault server's own AWS credentials are used")
	}
	for _, f := range ConfigRules(q.Config, func() time.Time { return q.Now }, every) {
		f.Subject = "config/root"
		q.add(f)
	}
}

// every holds for all fields.
func every(...string) bool { return true }

func checkCredentials(q *inquiry) {
	err := q.identity.err
	if q.source.err != nil && errors.Is(q.source.err, awserr.Denied) {
		err = q.source.err
	}
	switch {
	case !q.identity.asked:
	case errors.Is(err, awserr.Unavailable), errors.Is(err, awserr.Throttled):
		q.find(Error, "config/root", remedy(err), "AWS does not tell who the root credentials are: %v", err)
	case err != nil:
		q.find(Error, "config/root", remedy(err), "the root credentials do not work: %v", err)
	case q.root.AccountRoot():
		q.find(Error, "config/root", "make an IAM user with the policy of config/iam-policy and write its keys to config/root, then delete the account's root keys", "the root credentials are those of the AWS account's root user, whom no policy limits")
	}
	if err != nil {
		q.skip("config/root", "permissions, and all that roles name in AWS: the root credentials do not work")
	}
}

// remedy is what to do about a failed call; there is always something.
func remedy(err error) string {
	if text := awserr.Remedy(err); text != "" {
		return text
	}
	return "check config/root against the message of AWS"
}

// How far clocks may differ. AWS refuses signatures five minutes off.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (checked 2026-11)
const (
	oddSkew     = time.Minute
	refusedSkew = 5 * time.Minute
)

func checkClock(q *inquiry) {
	var worst time.Duration
	for _, e := range q.reached {
		if e.Skew.Abs() > worst.Abs() {
			worst = e.Skew
		}
	}
	severity := Warning
	if worst.Abs() >= refusedSkew {
		severity = Error
	}
	if worst.Abs() >= oddSkew {
		q.find(severity, "clock", "set the clock of this Vault server (NTP); AWS refuses requests that are more than five minutes off", "the clock of this server is %s %s AWS's", worst.Abs(), map[bool]string{true: "behind", false: "ahead of"}[worst > 0])
	}
}

func checkEndpoints(q *inquiry) {
	for i, e := range q.reached {
		if e.Answer {
			continue
		}
		subject := e.Service + " " + e.place()
		if e.Err == nil {
			q.skip(subject, "there was no time")
			continue
		}
		severity := Error
		if i > 0 && e.Service == "sts" || e.Service == "iam" && !q.usesIAM() {
			severity = Warning
		}
		q.find(severity, subject, "check its URL and region in config/root, DNS, proxy, firewall and TLS certificates of the Vault server", "the endpoint gives no answer of AWS: %v", e.Err)
	}
}

// place is where the endpoint is, as well as it is known.
func (e endpoint) place() string {
	for _, text := range []string{e.Host, e.URL, e.Region} {
		if text != "" {
			return text
		}
	}
	return "?"
}

// usesIAM reports whether something configured needs the IAM endpoint.
func (q *inquiry) usesIAM() bool {
	return len(q.Statics) > 0 || slices.ContainsFunc(q.Roles, func(r Role) bool { return r.Issues(store.IAMUser) || len(r.IAMGroups) > 0 })
}

// oldKey is when a key should have been rotated: AWS's own security checks and
// CIS complain after this long.
const oldKey = 90 * 24 * time.Hour

func checkRootKey(q *inquiry) {
	if q.root.UserName == "" || q.Config.AccessKey == "" {
		return
	}
	if q.told(q.keys.err, "config/root", "config/rotate-root") {
		return
	}
	if why := reason(q.keys); why != "" {
		q.skip("config/root", "the age of the root key: %s", why)
		return
	}
	for _, key := range q.keys.value {
		age := q.Now.Sub(key.Created)
		switch {
		case key.ID != q.Config.AccessKey:
			q.find(Warning, "config/root", "delete "+key.ID+" in IAM if nobody uses it", "the root user has another access key, %s: config/rotate-root has no room for a new one", key.ID)
		case age > oldKey:
			q.find(Warning, "config/root", "write config/rotate-root, or rotation_period to config/root", "the root key is %d days old", int(age.Hours()/24))
		}
	}
}

// overdue is how late a rotation may be before somebody should look.
const overdue = time.Hour

func checkRotation(q *inquiry) {
	switch {
	case q.State.RotationError != "":
		q.find(Error, "config/root", "mend what it says; the rotation is tried again by itself, or at once by config/rotate-root", "the last rotation of the root key failed: %s", q.State.RotationError)
	case !q.State.NextRotation.IsZero() && q.Now.After(q.State.NextRotation.Add(overdue)):
		q.find(Error, "config/root", "look for its errors in the server's log; rotate by config/rotate-root", "the rotation of the root key is overdue since %s", q.State.NextRotation.UTC().Format(time.RFC3339))
	}
}

func checkState(q *inquiry) {
	if q.State.Draining {
		q.find(Warning, "tidy", "write tidy with drain=false", "the mount is being drained: it makes no IAM users")
	}
	if q.State.Restored != "" {
		q.find(Error, "tidy", "see what became of the users since, then write tidy with confirm_restore=true", "storage seems to have been restored: %s", q.State.Restored)
	}
	if q.State.Held != "" {
		q.find(Error, "tidy", "check the clock, then write tidy with confirm_deadlines=true", "no user is destroyed by deadline: %s", q.State.Held)
	}
	if q.State.Condemned > 0 {
		q.find(Warning, "users", "users/<name> says why; mend that, and the next try succeeds", "%d users are to be destroyed and still in AWS", q.State.Condemned)
	}
}
