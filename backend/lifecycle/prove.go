package lifecycle

import (
	"cmp"
	"context"
	"time"
)

// How it is proven that AWS knows a new key: STS accepts it so often in a row,
// asked at a fixed period, since its servers learn of a key one by one.
const (
	proofs     = 3
	proofEvery = time.Second
)

// prove asks until STS has accepted a key so often in a row, in every region that
// the provers ask. Where ctx ends before, it returns STS's last refusal, else the
// context's error.
func (m *Manager) prove(ctx context.Context, provers ...Identifier) (refusal error) {
	for accepted := 0; ; {
		err := accepts(ctx, provers)
		if accepted++; err != nil {
			accepted = 0
		}
		if accepted == proofs {
			return nil
		}
		if ctx.Err() == nil {
			refusal = err // the end of the wait is no word of AWS
		}
		if err := m.clock.Sleep(ctx, proofEvery); err != nil {
			return cmp.Or(refusal, err)
		}
	}
}

// accepts asks STS once, in every region at the same time.
func accepts(ctx context.Context, provers []Identifier) error {
	calls := make([]func() error, len(provers))
	for i, prover := range provers {
		calls[i] = func() error {
			_, err := prover.Identity(ctx)
			return err
		}
	}
	return sideBySide(calls...)
}
