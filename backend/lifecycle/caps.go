package lifecycle

import (
	"fmt"
	"unique"
)

// Caps is how many users may live at once; 0 is no limit.
type Caps struct {
	Role  int // of the user's role
	Mount int // of all roles
}

// CapError says that a limit on the number of live users is reached.
type CapError struct {
	Of    string // "role \"deploy\"", or "this mount"
	Limit int
}

func (e *CapError) Error() string {
	return fmt.Sprintf("max_users of %s is reached: %d IAM users live; revoke leases that are no longer needed, or raise max_users", e.Of, e.Limit)
}

// admit counts a user that is about to be made, unless a cap is reached. While
// the records are still being read, those that are known count.
func (x *index) admit(spec UserSpec) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	role := unique.Make(spec.Bearer.Role)
	if limit := spec.Caps.Role; limit > 0 && x.ofRole[role] >= limit {
		return &CapError{Of: fmt.Sprintf("role %q", spec.Bearer.Role), Limit: limit}
	}
	if limit := spec.Caps.Mount; limit > 0 && len(x.users)+x.roster.Pending() >= limit {
		return &CapError{Of: "this mount", Limit: limit}
	}
	if _, taken := x.users[spec.Name]; !taken {
		x.set(spec.Name, standing{state: announced, role: role})
	}
	return nil
}

// retract uncounts a user that was not made, or whose making is left to the
// journal.
func (x *index) retract(user string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.users[user].state == announced {
		x.unset(user)
	}
}
