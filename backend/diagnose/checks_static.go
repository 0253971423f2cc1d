package diagnose

import (
	"errors"
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/awserr"
)

// Checks of static roles.

func checkStatics(q *inquiry) {
	for _, role := range q.Statics {
		subject := "static-roles/" + role.Name
		if role.LastError != "" {
			q.find(Error, subject, "mend what it says; the rotation is tried again by itself, or at once by rotate-role", "the last rotation failed: %s", role.LastError)
		} else if role.Expiration != nil && q.Now.After(role.Expiration.Add(overdue)) {
			q.find(Error, subject, "look for its errors in the server's log; rotate by rotate-role", "its rotation is overdue since %s", role.Expiration.UTC().Format(time.RFC3339))
		}
		for _, problem := range q.Config.ForbidsStatic(role.StaticRole) {
			q.find(Error, subject, "delete the static role, or widen the limit in config/root", "%s", problem)
		}
		if q.root.Account != "" {
			q.staticUser(subject, role)
		}
	}
}

func (q *inquiry) staticUser(subject string, role StaticRole) {
	a := q.users.of(role.Username)
	holds := func(key string) bool {
		return slices.ContainsFunc(a.value.keys, func(k keyInfo) bool { return k.ID == key && k.Active })
	}
	switch {
	case role.AssumeRoleARN != "":
		q.skip(subject, "user %q of another account, reached by %s", role.Username, role.AssumeRoleARN)
	case errors.Is(a.err, awserr.NotFound):
		q.find(Error, subject, "create the user, or delete the static role", "there is no IAM user %q", role.Username)
	case q.told(a.err, subject, "static roles"):
	case reason(a) != "":
		q.skip(subject, "user %q and its keys: %s", role.Username, reason(a))
	case role.ID != "" && a.value.info.ID != role.ID:
		q.find(Error, subject, "delete the static role and write it again, if the new user is meant", "IAM user %q was deleted and made anew: it is not the one that was taken over", role.Username)
	case role.AccessKey == "":
		q.find(Error, subject, "rotate by rotate-role", "no key is stored for user %q", role.Username)
	case !holds(role.AccessKey):
		q.find(Error, subject, "rotate by rotate-role", "access key %s, which static-creds gives out, does not exist or is inactive", role.AccessKey)
	}
}
