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
	lagReads = 60
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
	errs := make([]error, runs)
	var all sync.WaitGroup
	for i := range runs {
		all.Go(func() { errs[i] = r.readAndUse(ctx) })
		if err := pause(ctx, lagPause); err != nil {
			break
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

func (r lagReader) readAndUse(ctx context.Context) error {
	asked := now()
	c, err := r.issue(ctx, r.role)
	if err != nil {
		return err
	}
	answered := now()
	tries, err := r.use(ctx, c)
	if err != nil {
		return err
	}
	for _, name := range append(r.beside, r.name) {
		r.sheet.add("read to first use: "+name, r.side, now().Sub(asked).Seconds())
		r.sheet.add("first use after the answer: "+name, r.side, now().Sub(answered).Seconds())
		r.sheet.add("first use succeeds: "+name, r.side, percentIf(tries == 1))
	}
	return nil
}

// percentIf is a sample of a share: its mean is the share in percent.
func percentIf(is bool) float64 {
	if is {
		return 100
	}
	return 0
}

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
