package devstack

import "time"

// now is the machine's clock, by which the servers run.
func now() time.Time { return time.Now() }
