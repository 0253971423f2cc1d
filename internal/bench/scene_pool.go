package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	poolReads = 1000
	poolSize  = 20 // the most that a role may have
	poolRoles = 5  // which makes the most that a mount may have
	// poolFill is how long the worker may take to fill a pool.
	poolFill = 2 * time.Minute
)

// errNoPool is what an engine without pools answers; its rows stay empty.
var errNoPool = errors.New("the engine has no pools")

// pool reads credentials that were made ahead of time, under the realistic lag,
// and uses each of them at once. A read waits until the pool has one: what is
// measured is a pool that is large enough for its readers.
func pool(ctx context.Context, w *world) error {
	e, err := w.alone(ctx, ours)
	if err != nil {
		return err
	}
	if err := w.preset(ctx, "realistic"); err != nil {
		return err
	}
	// A pool is filled at the rate that AWS takes: that is not what is measured.
	if err := w.feel(ctx, `{"throttle":{"rate":0,"burst":0},"throttle_sts":{"rate":0,"burst":0}}`); err != nil {
		return err
	}
	err = e.readPools(ctx)
	if errors.Is(err, errNoPool) {
		fmt.Fprintln(w.Out, "pool: not available:", err)
		err = nil
	}
	return errors.Join(err, w.calm(ctx), e.disable(ctx))
}

// readPools reads all roles at once, each role's credentials one after the other.
func (e *engine) readPools(ctx context.Context) error {
	errs := make([]error, poolRoles)
	for i := range errs {
		if err := e.writePooled(ctx, pooled(i)); err != nil {
			return err
		}
	}
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = e.readPool(ctx, pooled(i), e.Quick.of(poolReads/poolRoles)) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func pooled(i int) string { return fmt.Sprintf("pooled%d", i) }

func (e *engine) writePooled(ctx context.Context, role string) error {
	fields := iamUser(something, nil)
	fields["pool_size"], fields["pool_max_age"] = poolSize, "1h"
	if err := e.write(ctx, "roles/"+role, fields); err != nil {
		return err
	}
	var read struct {
		Data struct {
			Size int `json:"pool_size"`
		}
	}
	if err := e.vault.Fetch(ctx, http.MethodGet, e.mount+"/roles/"+role, nil, &read); err != nil {
		return err
	}
	if read.Data.Size != poolSize {
		return errNoPool
	}
	return nil
}

// readPool reads and uses credentials of one role.
func (e *engine) readPool(ctx context.Context, role string, reads int) error {
	for range reads {
		if err := await(ctx, poolFill, func() error { return e.stocked(ctx, role) }); err != nil {
			return fmt.Errorf("role %s: %w", role, err)
		}
		var c credential
		took, err := timed(func() (err error) { c, err = e.issue(ctx, role); return err })
		if err != nil {
			return err
		}
		e.sheet.took("pool: read", ours, took)
		tries, err := e.use(ctx, c)
		if err != nil {
			return err
		}
		e.sheet.add("pool: first use succeeds", ours, percentIf(tries == 1))
	}
	return nil
}

// stocked checks that the pool of a role has a user.
func (e *engine) stocked(ctx context.Context, role string) error {
	users, err := e.users(ctx)
	if err != nil {
		return err
	}
	for name := range users {
		if strings.Contains(name, "pool") && strings.Contains(name, role) {
			return nil
		}
	}
	return errors.New("the pool is empty")
}
