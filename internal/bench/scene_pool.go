package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// poolMounts share the reads: how fast one fills its pools is not measured.
	poolMounts = 21
	poolReads  = 54 // of each but the first: a thousand are from the pool, although one in twenty finds it empty
	poolSize   = 20 // the most that a role may have

	poolFill  = 25 * time.Second        // before the first read
	poolPause = 1200 * time.Millisecond // between two reads of a mount
)

// errNoPool is what an engine without pools answers; its rows stay empty.
var errNoPool = errors.New("the engine has no pools")

// pool reads credentials that were made ahead of time, under the realistic lag,
// and uses each of them at once: first from one pool, while nobody else reads,
// then from many that are filled again meanwhile. It leaves the pools behind: it
// is the last scene of its stage.
func pool(ctx context.Context, w *world) error {
	var mounts []*engine
	for range poolMounts {
		e, err := w.alone(ctx, ours)
		if err != nil {
			return err
		}
		mounts = append(mounts, e)
	}
	if err := w.preset(ctx, "realistic"); err != nil {
		return err
	}
	err := w.readOne(ctx, mounts[0])
	if err == nil {
		err = w.readPools(ctx, mounts[1:])
	}
	if errors.Is(err, errNoPool) {
		fmt.Fprintln(w.Out, "pool: not available:", err)
		err = nil
	}
	return err
}

// readOne empties the pool of one mount.
func (w *world) readOne(ctx context.Context, e *engine) error {
	if err := e.writePooled(ctx); err != nil {
		return err
	}
	if err := pause(ctx, poolFill); err != nil {
		return err
	}
	return e.readPool(ctx, w.Quick.of(poolSize), "pool: read")
}

func (w *world) readPools(ctx context.Context, mounts []*engine) error {
	for _, e := range mounts {
		if err := e.writePooled(ctx); err != nil {
			return err
		}
	}
	if err := pause(ctx, poolFill); err != nil {
		return err
	}
	errs := make([]error, len(mounts))
	var all sync.WaitGroup
	for i, e := range mounts {
		all.Go(func() { errs[i] = e.readPool(ctx, w.Quick.of(poolReads), "pool: read, 17 a second") })
	}
	all.Wait()
	return errors.Join(errs...)
}

// writePooled writes a role with a pool. Its propagation_timeout has an answer
// say since when the key is ready.
func (e *engine) writePooled(ctx context.Context) error {
	fields := iamUser(something, nil)
	fields["pool_size"], fields["propagation_timeout"] = poolSize, "25s"
	if err := e.write(ctx, "roles/pooled", fields); err != nil {
		return err
	}
	var read struct {
		Data struct {
			Size int `json:"pool_size"`
		}
	}
	if err := e.vault.Fetch(ctx, http.MethodGet, e.mount+"/roles/pooled", nil, &read); err != nil {
		return err
	}
	if read.Data.Size != poolSize {
		return errNoPool
	}
	return nil
}

// readPool reads and uses credentials, for a row of their time. One that is not
// from the pool is counted, and not measured.
func (e *engine) readPool(ctx context.Context, reads int, row string) error {
	for range reads {
		asked := now()
		c, err := e.issue(ctx, "pooled")
		if err != nil {
			return err
		}
		took := now().Sub(asked)
		fromPool := c.Data.ReadyAfter.Before(asked)
		e.sheet.add("pool: reads answered from it", ours, percent[fromPool])
		if fromPool {
			e.sheet.took(row, ours, took)
			if err := e.useOnce(ctx, c); err != nil {
				return err
			}
		}
		if err := pause(ctx, poolPause-now().Sub(asked)); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) useOnce(ctx context.Context, c credential) error {
	tries, err := e.use(ctx, c)
	e.sheet.add("pool: first use succeeds", ours, percent[err == nil && tries == 1])
	return err
}
