package bench

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/devstack"
)

const (
	readers    = 200
	otherComes = 5 * time.Second // after the 200
	// readsSettle is how long after the last answer users are counted: what is
	// cleaned up after a client left may take that long.
	readsSettle = 15 * time.Second
)

// throttledReads has 200 clients read at once, and one of another client later,
// on an account that takes 15 calls a second.
func throttledReads(ctx context.Context, w *world) error {
	for _, s := range []side{builtin, ours} {
		e, err := w.alone(ctx, s)
		if err != nil {
			return err
		}
		if err := e.throttledReads(ctx); err != nil {
			return err
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
		if s == ours {
			if err := w.peak("resident memory under 200 reads at once"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *engine) throttledReads(ctx context.Context) error {
	if err := e.write(ctx, "roles/inline", iamUser(something, nil)); err != nil {
		return err
	}
	other, err := e.otherClient(ctx)
	if err != nil {
		return err
	}
	if err := e.feel(ctx, throttled); err != nil {
		return err
	}
	mark, err := e.mark(ctx)
	if err != nil {
		return err
	}
	e.readAtOnce(ctx, other)
	calls, err := e.calls(ctx, mark)
	if err != nil {
		return err
	}
	e.sheet.add("throttled reads: AWS calls", e.side, float64(len(calls)))
	e.sheet.add("throttled reads: AWS calls throttled", e.side, throttledShare(calls))
	return nil
}

// otherClient is a client with a token of its own, which the engine tells from
// others by its accessor.
func (e *engine) otherClient(ctx context.Context) (devstack.Client, error) {
	var made struct {
		Auth struct {
			Token string `json:"client_token"`
		}
	}
	err := e.vault.Fetch(ctx, http.MethodPost, "auth/token/create", map[string]any{"policies": []string{"root"}}, &made)
	client := e.vault
	client.Token = made.Auth.Token
	return client, err
}

// readAtOnce sends the reads and notes what became of them.
func (e *engine) readAtOnce(ctx context.Context, other devstack.Client) {
	began := now()
	answers := make([]devstack.Answer, readers)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = e.readFor(ctx, e.vault) })
	}
	var late devstack.Answer
	all.Go(func() {
		if pause(ctx, otherComes) == nil {
			asked := now()
			late = e.readFor(ctx, other)
			e.sheet.add("throttled reads: the other client's read", e.side, now().Sub(asked).Seconds())
			e.sheet.add("throttled reads: the other client's delay", e.side, (now().Sub(asked) - unthrottledRead).Seconds())
		}
	})
	all.Wait()
	e.sheet.add("throttled reads: until the last answer", e.side, now().Sub(began).Seconds())
	e.judge(ctx, append(answers, late))
}

// unthrottledRead is what a read takes at least there, three calls of 40 ms on
// average one after the other: what is beyond it is delay.
const unthrottledRead = 120 * time.Millisecond

// readFor reads as a client that leaves after a minute; no answer is status 0.
func (e *engine) readFor(ctx context.Context, client devstack.Client) devstack.Answer {
	ctx, cancel := context.WithTimeout(ctx, clientPatience)
	defer cancel()
	answer, err := client.Call(ctx, http.MethodGet, e.mount+"/creds/inline", nil)
	if err != nil {
		return devstack.Answer{}
	}
	return answer
}

// judge counts answers; the last one is the other client's.
func (e *engine) judge(ctx context.Context, answers []devstack.Answer) {
	succeeded, unclear, leased := 0, 0, 0
	for i, a := range answers {
		if a.OK() {
			leased++
		}
		if i == len(answers)-1 {
			break
		}
		switch {
		case a.OK():
			succeeded++
		case !clear502(a):
			unclear++
		}
	}
	e.sheet.add("throttled reads: succeeded", e.side, float64(succeeded))
	e.sheet.add("throttled reads: refused without a hint", e.side, float64(unclear))
	_ = pause(ctx, readsSettle)
	if users, err := e.users(ctx); err == nil {
		e.sheet.add("throttled reads: users without a lease", e.side, float64(len(users)-leased))
	}
}

// clear502 reports whether a refusal says that it is AWS's rate, and when to come
// again.
func clear502(a devstack.Answer) bool {
	var said struct{ Errors []string }
	if a.Status != http.StatusBadGateway || json.Unmarshal(a.Body, &said) != nil {
		return false
	}
	return strings.Contains(strings.ToLower(strings.Join(said.Errors, " ")), "retry in")
}

// throttledShare is in percent.
func throttledShare(calls []awssim.Call) float64 {
	count := 0
	for _, c := range calls {
		if c.Code == "Throttling" {
			count++
		}
	}
	return 100 * float64(count) / float64(max(len(calls), 1))
}
