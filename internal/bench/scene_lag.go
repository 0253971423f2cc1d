package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	lagReads = 50
	// lagPause is between two reads, so that what AWS takes per second is enough
	// for both and no more than 20 wait for propagation at a time.
	lagPause = 450 * time.Millisecond
	// usePause is between two uses of a key.
	usePause = 100 * time.Millisecond
	// usePatience is when a key is given up: the longest lag is 14 s.
	usePatience = 60 * time.Second
)

// lag reads keys of which AWS does not know at once, and uses them until they
// work.
func lag(ctx context.Context, w *world) error {
	readers, err := w.lagReaders(ctx)
	if err != nil {
		return err
	}
	if err := w.preset(ctx, "realistic"); err != nil {
		return err
	}
	errs := make([]error, len(readers))
	var all sync.WaitGroup
	for i, r := range readers {
		all.Go(func() { errs[i] = r.readMany(ctx, w.Quick.of(lagReads)) })
	}
	all.Wait()
	return errors.Join(append(errs, w.calm(ctx))...)
}

// A lagReader reads a role of an engine, which has an account of its own.
type lagReader struct {
	*engine
	role, name string   // name is as in the rows
	beside     []string // further rows of that engine
}

func (w *world) lagReaders(ctx context.Context) (readers []lagReader, err error) {
	const plain, waiting = "plain", "propagation_timeout=25s"
	for _, r := range []lagReader{
		{&engine{side: builtin}, "plain", plain, []string{waiting}}, // it has no other way
		{&engine{side: ours}, "plain", plain, nil},
		{&engine{side: ours}, "waiting", waiting, nil},
	} {
		if r.engine, err = w.alone(ctx, r.side); err != nil {
			return nil, err
		}
		role := iamUser(something, nil)
		if r.role == "waiting" {
			role["propagation_timeout"] = "25s"
		}
		if err := r.write(ctx, "roles/"+r.role, role); err != nil {
			return nil, err
		}
		readers = append(readers, r)
	}
	return readers, nil
}

// readMany reads one key after the other and uses each of them.
func (r lagReader) readMany(ctx context.Context, runs int) error {
	var all sync.WaitGroup
	defer all.Wait()
	for range runs {
		all.Go(func() { r.readAndUse(ctx) })
		if err := pause(ctx, lagPause); err != nil {
			return err
		}
	}
	return nil
}

// readAndUse notes what became of a read. Under the lag it may fail: IAM's own
// reads, and calls that follow a CreateUser, may miss what was just made.
func (r lagReader) readAndUse(ctx context.Context) {
	asked := now()
	c, err := r.issue(ctx, r.role)
	r.note("read succeeds", percent[err == nil])
	if err != nil {
		fmt.Fprintf(r.Out, "lag: %s: %v\n", r.side, err)
		return
	}
	answered := now()
	tries, err := r.use(ctx, c)
	r.note("first use succeeds", percent[err == nil && tries == 1])
	if err != nil {
		fmt.Fprintf(r.Out, "lag: %s: %v\n", r.side, err)
		return
	}
	r.note("read to first use", now().Sub(asked).Seconds())
	r.note("first use after the answer", now().Sub(answered).Seconds())
}

func (r lagReader) note(what string, value float64) {
	r.sheet.add(what+": "+r.name, r.side, value)
	for _, name := range r.beside {
		r.sheet.add(what+": "+name, r.side, value)
	}
}

// percent is a sample of a share, whose mean is the share.
var percent = map[bool]float64{true: 100, false: 0}

// use uses a key until it works and returns how often it was tried.
func (e *engine) use(ctx context.Context, c credential) (tries int, err error) {
	client := sts.New(sts.Options{
		Region: e.sim.Region, BaseEndpoint: &e.sim.Endpoint, HTTPClient: e.sim.HTTP, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(c.Data.AccessKey, c.Data.SecretKey, ""),
	})
	ctx, cancel := context.WithTimeout(ctx, usePatience)
	defer cancel()
	for {
		tries++
		if _, err = client.GetCallerIdentity(ctx, nil); err == nil {
			return tries, nil
		}
		if pause(ctx, usePause) != nil {
			return tries, fmt.Errorf("the key does not work after %s: %w", usePatience, err)
		}
	}
}
