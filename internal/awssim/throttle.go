package awssim

import "time"

// bucket is the token bucket of one account and class of operations.
type bucket struct {
	tokens float64
	at     time.Time
}

// throttle refuses calls beyond the account's rate. IAM's buckets are an
// account's, STS's an account's in a Region; EC2 has none here.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (s *Sim) throttle(c *call) error {
	if c.account == nil || c.caller == nil {
		return nil
	}
	switch c.service {
	case serviceIAM:
		return s.take(s.settings.Throttle, c.account.id, c.now)
	case serviceSTS:
		return s.take(s.settings.ThrottleSTS, c.account.id+"/"+c.req.signed.region, c.now)
	}
	return nil
}

// take takes a token out of a bucket.
func (s *Sim) take(limit Throttle, of string, now time.Time) error {
	if limit.Rate <= 0 {
		return nil
	}
	burst := float64(max(limit.Burst, 1))
	b := s.buckets[of]
	if b == nil {
		b = &bucket{tokens: burst, at: now}
		s.buckets[of] = b
	}
	b.tokens = min(burst, b.tokens+limit.Rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		return throttled()
	}
	b.tokens--
	return nil
}
