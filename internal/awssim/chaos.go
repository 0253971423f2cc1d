package awssim

import "net/http"

// chaos is the fault that Settings.Chaos makes a call meet, or nil. Like a
// fault that was injected it says what goes wrong; unlike one it is drawn.
func (s *Sim) chaos(c *call) *Fault {
	if c.req.met.chance("chaos") >= s.settings.Chaos {
		return nil
	}
	kinds := []Fault{
		{Kind: FaultError, Status: http.StatusInternalServerError, Code: "ServiceFailure", Message: "simulated"},
		{Kind: FaultError, Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable", Message: "simulated"},
		{Kind: FaultError, When: AfterEffect, Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "simulated"},
		{Kind: FaultThrottle},
		{Kind: FaultReset},
		{Kind: FaultReset, When: AfterEffect},
		{Kind: FaultTruncate, When: AfterEffect},
		{Kind: FaultHTML},
	}
	if c.service == serviceIAM && !readsOnly(c.operationName()) {
		kinds = append(kinds,
			Fault{Kind: FaultError, Status: http.StatusConflict, Code: "ConcurrentModification", Message: "simulated"},
			Fault{Kind: FaultError, Status: http.StatusConflict, Code: "EntityTemporarilyUnmodifiable", Message: "simulated"})
	}
	return &kinds[int(c.req.met.chance("kind of chaos")*float64(len(kinds)))]
}
