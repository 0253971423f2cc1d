package bench

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const overheadRuns = 150

// overhead is what the engines themselves take, when AWS takes nothing.
func overhead(ctx context.Context, w *world) error {
	pair, err := w.together(ctx)
	if err != nil {
		return err
	}
	for _, e := range pair {
		if err := e.write(ctx, "roles/inline", iamUser(something, nil)); err != nil {
			return err
		}
		if err := e.write(ctx, "roles/assumed_role", sessionRole(e.account, "assumed_role")); err != nil {
			return err
		}
	}
	return takeTurns(pair, w.Quick.of(overheadRuns), func(e *engine) error { return e.overhead(ctx) })
}

func (e *engine) overhead(ctx context.Context) error {
	var c credential
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"no latency: issue", func() (err error) { c, err = e.issue(ctx, "inline"); return err }},
		{"no latency: revoke", func() error { return e.revoke(ctx, c.LeaseID) }},
		{"no latency: assumed_role", func() error { _, err := e.issue(ctx, "assumed_role"); return err }},
		{"no latency: read of a role", func() error { return e.vault.Fetch(ctx, http.MethodGet, e.mount+"/roles/inline", nil, nil) }},
	} {
		took, err := timed(step.run)
		if err != nil {
			return err
		}
		e.sheet.took(step.name, e.side, took)
	}
	return nil
}

const (
	renewLeases  = 32
	renewClients = 8
	renewRuns    = 5
	renewSpan    = time.Second
)

// renewals counts how many leases a second clients can renew.
func renewals(ctx context.Context, w *world) error {
	pair, err := w.together(ctx)
	if err != nil {
		return err
	}
	var leases [2][]string
	for _, e := range pair {
		if err := e.write(ctx, "roles/inline", iamUser(something, nil)); err != nil {
			return err
		}
		for range renewLeases {
			c, err := e.issue(ctx, "inline")
			if err != nil {
				return err
			}
			leases[e.side] = append(leases[e.side], c.LeaseID)
		}
	}
	return takeTurns(pair, w.Quick.of(renewRuns), func(e *engine) error { return e.renewFor(ctx, leases[e.side]) })
}

// renewFor renews for a second with all clients.
func (e *engine) renewFor(ctx context.Context, leases []string) error {
	began := now()
	var next, done atomic.Int64
	var failed atomic.Value
	var all sync.WaitGroup
	for range renewClients {
		all.Go(func() {
			for now().Sub(began) < renewSpan && failed.Load() == nil {
				lease := leases[int(next.Add(1))%len(leases)]
				if err := e.vault.Fetch(ctx, http.MethodPut, "sys/leases/renew", map[string]string{"lease_id": lease}, nil); err != nil {
					failed.Store(err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	e.sheet.add("no latency: renewals", e.side, float64(done.Load())/now().Sub(began).Seconds())
	err, _ := failed.Load().(error)
	return err
}
