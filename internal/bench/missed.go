package bench

import "cmp"

// reasons say where the time goes of targets that were missed when they were last
// looked into.
var reasons = map[string]string{}

func whyMissed(name string) string { return cmp.Or(reasons[name], "Not looked into yet.") }
