package crash

import (
	"fmt"
	"net/http"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// site is an AWS call of an operation.
type site struct {
	action string
	nth    int // of its action, from 1
	index  int // of all calls, from 1
}

// String names the site: "iam:CreateUser", "sts:GetCallerIdentity #2".
func (s site) String() string {
	if s.nth < 2 {
		return s.action
	}
	return fmt.Sprintf("%s #%d", s.action, s.nth)
}

// sites are the calls that an operation made.
func sites(calls []awssim.Call) []site {
	count, all := map[string]int{}, []site{}
	for i, c := range calls {
		count[c.Action]++
		all = append(all, site{action: c.Action, nth: count[c.Action], index: i + 1})
	}
	return all
}

// mishap is what happens at a call.
type mishap struct {
	name  string
	fault func(at site) awssim.Fault
	kill  func(l *lab) error // while the simulator holds the reply
	// revive starts what kill has ended, unless Vault does.
	revive func(l *lab) error
	not    []engine // the engines that it cannot happen to
}

// hangTime is longer than any deadline: Vault's own is 90 s.
const hangTime = 95 * time.Second

var mishaps = []mishap{
	{name: "refusal", fault: once(awssim.Fault{Kind: awssim.FaultError, Status: http.StatusForbidden, Code: "AccessDenied"})},
	{name: "error before the effect", fault: once(awssim.Fault{Kind: awssim.FaultError})},
	{name: "error after the effect", fault: once(awssim.Fault{Kind: awssim.FaultError, When: awssim.AfterEffect})},
	{name: "reset after the effect", fault: once(awssim.Fault{Kind: awssim.FaultReset, When: awssim.AfterEffect})},
	{name: "no reply from here on", fault: fromHereOn(awssim.Fault{Kind: awssim.FaultReset, When: awssim.AfterEffect})},
	{name: "hang until the deadline, no effect", fault: once(awssim.Fault{Kind: awssim.FaultHang, Duration: hangTime})},
	{name: "hang until the deadline, after the effect", fault: once(held(awssim.AfterEffect))},
	{name: "SIGKILL of the plugin before the effect", fault: once(held(awssim.BeforeEffect)), kill: (*lab).killPlugin, not: []engine{builtin}},
	{name: "SIGKILL of the plugin after the effect", fault: once(held(awssim.AfterEffect)), kill: (*lab).killPlugin, not: []engine{builtin}},
	{name: "SIGKILL of Vault before the effect", fault: once(held(awssim.BeforeEffect)), kill: killServer, revive: (*lab).restart},
	{name: "SIGKILL of Vault after the effect", fault: once(held(awssim.AfterEffect)), kill: killServer, revive: (*lab).restart},
	{name: "SIGKILL of both after the effect", fault: once(held(awssim.AfterEffect)), kill: killNode, revive: (*lab).restart},
}

func held(when awssim.FaultTime) awssim.Fault {
	return awssim.Fault{Kind: awssim.FaultHang, When: when, Duration: hangTime}
}

// once is a fault that only the call of the site meets.
func once(f awssim.Fault) func(site) awssim.Fault {
	return func(at site) awssim.Fault {
		f.Action, f.Nth, f.Count = at.action, at.nth, 1
		return f
	}
}

// fromHereOn is a fault that the call of the site and all later ones meet.
func fromHereOn(f awssim.Fault) func(site) awssim.Fault {
	return func(at site) awssim.Fault {
		f.Nth = at.index
		return f
	}
}

func killServer(l *lab) error { l.Kill(); return nil }

func killNode(l *lab) error { l.KillAll(); return nil }
