package awscontract

import "time"

// now is the time of the clients.
func now() time.Time { return time.Now() }
