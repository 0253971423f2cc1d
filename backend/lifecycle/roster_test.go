package lifecycle_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/lifecycle"

	"github.com/google/go-cmp/cmp"
)

// lookups is how often records were listed and read since the last count.
func (w *world) lookups() (lists, reads int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		switch c.op {
		case "records:RecordNames":
			lists++
		case "records:Record":
			reads++
		}
	}
	w.calls = nil
	return lists, reads
}

// TestPassesReadASlice: after the first pass none reads all records, or lists
// them more than once a round; a round sees every record, and so what changed
// behind our back.
func TestPassesReadASlice(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.instant = true
		for i := range 2500 {
			w.recordUser(fmt.Sprintf("vault-%04d", i), 24*time.Hour)
		}
		p := w.start()
		_, stop := p.work(t.Context())
		type pass struct{ Lists, Reads int }
		var got []pass
		for range 5 {
			time.Sleep(time.Second) // each pass has its own minute, and takes no time
			lists, reads := w.lookups()
			got = append(got, pass{lists, reads})
			time.Sleep(time.Minute - time.Second)
		}
		want := []pass{{1, 2500}, {1, 1000}, {0, 1000}, {0, 500}, {1, 1000}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lookups by pass (-want +got):\n%s", diff)
		}
		w.locked(func() {
			delete(w.users, "vault-2400")
			delete(w.records, "vault-2400")
		})
		time.Sleep(4 * time.Minute)
		if known := p.manager.UsersOfRole("deploy"); len(known) != 2499 {
			t.Errorf("%d users are known a round after one of 2500 went", len(known))
		}
		stop()
	})
}

// TestInvalidatedRecordIsReadNext: a record that was changed elsewhere is read in
// the next pass, whatever the round.
func TestInvalidatedRecordIsReadNext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.instant = true
		for i := range 2500 {
			w.recordUser(fmt.Sprintf("vault-%04d", i), 24*time.Hour)
		}
		p := w.start()
		_, stop := p.work(t.Context())
		time.Sleep(61 * time.Second) // the round is under way
		r := w.recordOf("vault-2400")
		r.AccessKey = "AKIA-NEW"
		w.locked(func() { w.records["vault-2400"] = r })
		p.manager.InvalidateRecord("vault-2400")
		time.Sleep(time.Minute)
		if user, known := p.manager.UserOfKey("AKIA-NEW"); !known {
			t.Errorf("UserOfKey: %q, %t", user, known)
		}
		stop()
	})
}

// TestWorkerTakesTurns: a duty with hours of work does not keep the others
// waiting, and is gone on with at once.
func TestWorkerTakesTurns(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.instant = true
		p := w.start()
		done := map[lifecycle.EntryID]bool{}
		long := lifecycle.Duty{
			Name: "long",
			Items: func(context.Context) (items []lifecycle.EntryID, _ error) {
				for i := range 100 {
					if id := lifecycle.EntryID(fmt.Sprintf("%03d", i)); !done[id] {
						items = append(items, id)
					}
				}
				return items, nil
			},
			Attend: func(ctx context.Context, item lifecycle.EntryID) error {
				done[item] = true
				return w.clock.Sleep(ctx, 20*time.Second)
			},
		}
		var passes []int
		first := lifecycle.Duty{
			Name:   "first",
			Items:  func(context.Context) ([]lifecycle.EntryID, error) { return []lifecycle.EntryID{"x"}, nil },
			Attend: func(context.Context, lifecycle.EntryID) error { passes = append(passes, len(done)); return nil },
		}
		worker := lifecycle.NewWorker(p.manager, p.connect, first, long)
		ctx, cancel := context.WithCancel(t.Context())
		worker.Start(ctx)
		time.Sleep(3*time.Minute + time.Second)
		cancel()
		worker.Wait(t.Context())
		if diff := cmp.Diff([]int{0, 3, 6, 9}, passes); diff != "" {
			t.Errorf("items done before each pass (-want +got):\n%s", diff)
		}
	})
}
