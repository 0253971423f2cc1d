package governor

// State is how a governor stands.
type State struct {
	Rate      float64 // calls a second that AWS takes, as far as is known
	InFlight  int     // calls that are sent and not answered
	Waiting   int     // requests and calls that wait for their turn
	Throttled uint64  // attempts that AWS has throttled since the start
	Refused   uint64  // requests that were refused here, since their turn would have come too late
}

// State tells how the governor stands.
func (g *Governor) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := State{Rate: g.pace.rate, InFlight: g.inFlight, Throttled: g.throttled, Refused: g.refused}
	for _, q := range []*queue{&g.admission, &g.sending} {
		for i := range q.lines {
			s.Waiting += q.lines[i].tickets
		}
	}
	return s
}

// Known are the accounts that were met so far, by their ids.
func (a *Accounts) Known() map[string]Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := make(map[string]Account, len(a.of))
	for id, account := range a.of {
		known[id] = account
	}
	return known
}
