package governor

import (
	"fmt"
	"time"
)

// Refusal is a request that was not sent to AWS, since it would have waited
// longer than it can.
type Refusal struct {
	Wait    time.Duration // after which it may be worth to ask again
	Rate    float64       // calls a second that AWS takes now, as far as is known
	Waiting int           // calls that wait before this request's
}

// Error says when to ask again.
func (r *Refusal) Error() string {
	return fmt.Sprintf("AWS takes about %.0f calls a second of this account now, and %d wait before these: retry in about %s", max(r.Rate, 1), r.Waiting, r.Wait)
}

// refuse makes the refusal of a request that would wait so long. The caller holds mu.
func (g *Governor) refuse(t *ticket) *Refusal {
	g.refused++
	ahead := g.admission.ahead(t)
	wait := g.pace.wait(ahead + t.calls).Round(time.Second)
	return &Refusal{Wait: max(wait, time.Second), Rate: g.pace.lasting(), Waiting: ahead}
}
