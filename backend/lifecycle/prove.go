package lifecycle

import (
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
// the provers ask. A refusal after patience has passed is returned; where ctx ends
// before, its error.
func (m *Manager) prove(ctx context.Context, patience time.Duration, provers ...Identifier) error {
	end := m.clock.Now().Add(patience)
	for accepted := 0; ; {
		err := accepts(ctx, provers)
		if accepted++; err != nil {
			accepted = 0
		}
		switch {
		case accepted == proofs:
			return nil
		case err != nil && m.clock.Now().After(end):
			return err
		}
		if err := m.clock.Sleep(ctx, proofEvery); err != nil {
			return err
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
