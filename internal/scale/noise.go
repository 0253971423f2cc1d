package scale

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"vault-plugin-secrets-aws/internal/devstack"
)

// Latency is how long requests took.
type Latency struct{ P50, P95 time.Duration }

// Noise is what one busy mount costs the others of its process.
type Noise struct {
	Quiet  Latency // a credential of any of the other mounts, nobody else asking
	Beside Latency // the same while the noisy mount issues as fast as it can
	Issued int     // by the noisy mount meanwhile
	Memory int64   // of the process at its end, in bytes
}

// How much noise is made: clients of the noisy mount, and single requests that are
// timed beside it.
const (
	noisyClients = 32
	timed        = 200
)

// MeasureNoise mounts the engine so many times, all in one process, and has one of
// them be noisy. It leaves no mount.
func MeasureNoise(ctx context.Context, s Server, mounts int) (n Noise, err error) {
	paths := make([]string, mounts)
	for i := range paths {
		paths[i] = fmt.Sprintf("noise-%02d", i)
		if err := s.mount(ctx, paths[i]); err != nil {
			return n, err
		}
		defer func() { err = errors.Join(err, s.unmount(context.WithoutCancel(ctx), paths[i])) }()
	}
	if n.Quiet, err = s.singles(ctx, paths[1:]); err != nil {
		return n, err
	}
	issued, stop := s.makeNoise(ctx, paths[0])
	if n.Beside, err = s.singles(ctx, paths[1:]); err != nil {
		stop()
		return n, err
	}
	stop()
	n.Issued = <-issued
	pid, err := s.plugin()
	if err != nil {
		return n, err
	}
	n.Memory, err = devstack.ResidentMemory(pid)
	return n, err
}

// singles times single requests, one after the other, of each mount in turn.
func (s Server) singles(ctx context.Context, paths []string) (Latency, error) {
	var took []time.Duration
	for i := range timed {
		begun := time.Now()
		if err := s.Fetch(ctx, http.MethodGet, paths[i%len(paths)]+"/creds/mine", nil, nil); err != nil {
			return Latency{}, err
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return Latency{P50: took[len(took)/2], P95: took[len(took)*95/100]}, nil
}

// makeNoise has clients of a mount ask without pause until stop is called. What is
// refused, as when AWS is thought to take no more, makes noise as well.
func (s Server) makeNoise(ctx context.Context, path string) (issued <-chan int, stop func()) {
	ctx, stop = context.WithCancel(ctx)
	counted := make(chan int, 1)
	var mu sync.Mutex
	var wg sync.WaitGroup
	count := 0
	for range noisyClients {
		wg.Go(func() {
			for ctx.Err() == nil {
				if s.issueAndRevoke(ctx, path) == nil {
					mu.Lock()
					count++
					mu.Unlock()
				}
			}
		})
	}
	go func() {
		wg.Wait()
		counted <- count
	}()
	return counted, stop
}

// issueAndRevoke keeps the account below its quota of users.
func (s Server) issueAndRevoke(ctx context.Context, path string) error {
	var lease struct {
		ID string `json:"lease_id"`
	}
	if err := s.Fetch(ctx, http.MethodGet, path+"/creds/mine", nil, &lease); err != nil {
		return err
	}
	return s.Fetch(ctx, http.MethodPut, "sys/leases/revoke", map[string]any{"lease_id": lease.ID, "sync": true}, nil)
}
