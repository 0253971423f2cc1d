package devstack

import "time"

// now is the time of the machine, on which the servers run that are waited for.
func now() time.Time { return time.Now() }
