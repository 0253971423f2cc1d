package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

const (
	conflictRuns  = 60
	conflictLanes = 3 // clients at once, on each engine
	oneIn         = 100
)

// conflicts issues while AWS refuses one call in a hundred, of each engine, with
// ConcurrentModification.
func conflicts(ctx context.Context, w *world) error {
	pair, err := w.together(ctx)
	if err != nil {
		return err
	}
	var all []awssim.Fault
	for _, e := range pair {
		if err := e.writeKinds(ctx); err != nil {
			return err
		}
		for n := 1; n <= 20; n++ {
			all = append(all, awssim.Fault{
				Action: "iam:*", AccessKey: e.root.AccessKey, Nth: n*oneIn - oneIn/2, Count: 1,
				Kind: awssim.FaultError, Status: http.StatusConflict, Code: "ConcurrentModification", Message: "The request was rejected.",
			})
		}
	}
	if err := w.inject(ctx, all); err != nil {
		return err
	}
	if err := w.feel(ctx, slow); err != nil {
		return err
	}
	for _, e := range pair {
		e.meetConflicts(ctx, w.Quick.of(conflictRuns))
	}
	if _, err := w.sim.Control(ctx, http.MethodDelete, "faults", nil); err != nil {
		return err
	}
	return w.calm(ctx)
}

func (w *world) inject(ctx context.Context, faults []awssim.Fault) error {
	text, err := json.Marshal(faults)
	if err != nil {
		return err
	}
	_, err = w.sim.Control(ctx, http.MethodPost, "faults", text)
	return err
}

// meetConflicts issues so many credentials.
func (e *engine) meetConflicts(ctx context.Context, runs int) {
	var lanes sync.WaitGroup
	for range conflictLanes {
		lanes.Go(func() {
			for range runs / conflictLanes {
				began := now()
				_, err := e.issue(ctx, "tagged")
				e.noteConflict(now().Sub(began), err)
			}
		})
	}
	lanes.Wait()
}

func (e *engine) noteConflict(took time.Duration, err error) {
	e.sheet.add("issue, 1 % ConcurrentModification: succeeded", e.side, percent[err == nil])
	if err != nil {
		fmt.Fprintf(e.Out, "conflicts: %s: %v\n", e.side, err)
		return
	}
	e.sheet.took("issue, 1 % ConcurrentModification: time", e.side, took)
}
