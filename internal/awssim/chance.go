package awssim

import (
	"hash/fnv"
	"strconv"
	"time"
)

// encounter is what chance is drawn from: who does what to whom for the how
// many-eth time. Concurrent calls of different actors, actions or targets thus
// meet the same fate whichever of them comes first.
type encounter struct {
	seed                  uint64
	actor, action, target string
	nth                   int
}

// meet counts a call. The caller holds s.mu.
func (s *Sim) meet(c *call) encounter {
	e := encounter{seed: s.options.Seed, actor: s.world.actor(c.accessKey()), action: c.action(), target: c.target()}
	s.encounters[e]++
	e.nth = s.encounters[e]
	return e
}

// actor is the ARN behind an access key id, whose own characters depend on
// what else was created before; or the id of a key that nobody has.
func (w *world) actor(id string) string {
	if key := w.key(id); key != nil {
		return key.owner.arn()
	}
	if sess := w.sessions[id]; sess != nil {
		return sess.caller().arn
	}
	return id
}

// chance draws a number of 0 to 1 for one purpose.
func (e encounter) chance(purpose string) float64 {
	hash := fnv.New64a()
	for _, part := range []string{strconv.FormatUint(e.seed, 16), e.actor, e.action, e.target, strconv.Itoa(e.nth), purpose} {
		_, _ = hash.Write([]byte(part)) // never fails
		_, _ = hash.Write([]byte{0})
	}
	return float64(mix(hash.Sum64())>>11) / (1 << 53)
}

// mix spreads what FNV leaves close together (the finalizer of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// arrive is a request's way in: it is counted, and its latency is drawn.
func (s *Sim) arrive(req *request) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.readCall(req)
	req.met = s.meet(c)
	least, most := s.settings.Latency, s.settings.LatencyMost
	if most <= least {
		return least
	}
	return least + time.Duration(req.met.chance("latency")*float64(most-least))
}
