package awssim

import "time"

// bucket is the token bucket of one account.
type bucket struct {
	tokens float64
	at     time.Time
}

// throttle refuses calls of IAM beyond the account's rate. STS has a bucket
// of its own at AWS, so large that no test meets it.
func (s *Sim) throttle(c *call) error {
	limit := s.settings.Throttle
	if limit.Rate <= 0 || c.service != serviceIAM || c.account == nil {
		return nil
	}
	burst := float64(max(limit.Burst, 1))
	b := s.buckets[c.account.id]
	if b == nil {
		b = &bucket{tokens: burst, at: c.now}
		s.buckets[c.account.id] = b
	}
	b.tokens = min(burst, b.tokens+limit.Rate*c.now.Sub(b.at).Seconds())
	b.at = c.now
	if b.tokens < 1 {
		return throttled()
	}
	b.tokens--
	return nil
}
