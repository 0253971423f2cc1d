package awssim

import (
	"maps"
	"time"
)

// Whoever checks signatures learns of keys late: a new one is unknown for a
// while, a deleted or deactivated one goes on working.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency
// Measured by others: a deleted key worked for 3 to 4 seconds (OFFENSAI 2025).

// keyLag is what checkers of signatures do not know yet of a key.
type keyLag struct {
	unknownUntil time.Time // new or reactivated
	workingUntil time.Time // deleted or deactivated
}

// delayNewKey starts the lag of a key that begins to work.
func (s *Sim) delayNewKey(k *accessKey) {
	k.lag = keyLag{unknownUntil: s.now().Add(s.settings.NewKeyLag.drawn(s.fate(k.owner, "new key")))}
}

// delayDeadKey starts the lag of a key that ends to work. One that never
// worked yet never will.
func (s *Sim) delayDeadKey(k *accessKey) {
	if s.now().Before(k.lag.unknownUntil) {
		return
	}
	k.lag = keyLag{workingUntil: s.now().Add(s.settings.DeadKeyLag.drawn(s.fate(k.owner, "dead key")))}
}

// fate draws a chance for something that happens to a user, in place of the
// call that makes it happen.
func (s *Sim) fate(u *user, purpose string) float64 {
	e := encounter{seed: s.options.Seed, actor: u.arn(), action: purpose}
	s.encounters[e]++
	e.nth = s.encounters[e]
	return e.chance("lag")
}

// works reports whether signatures with the key are accepted.
func (k *accessKey) works(now time.Time) bool {
	if k.active && !k.deleted {
		return !now.Before(k.lag.unknownUntil)
	}
	return now.Before(k.lag.workingUntil)
}

// bury keeps a deleted key for as long as it goes on working.
func (s *Sim) bury(k *accessKey) {
	maps.DeleteFunc(s.world.deadKeys, func(_ string, dead *accessKey) bool { return !dead.works(s.now()) })
	delete(s.world.keys, k.id)
	s.delayDeadKey(k)
	k.deleted = true
	if k.works(s.now()) {
		s.world.deadKeys[k.id] = k
	}
}

// setStatus makes a key Active or Inactive.
func (s *Sim) setStatus(k *accessKey, status string) {
	switch active := status == "Active"; {
	case active && !k.active:
		k.active = true
		s.delayNewKey(k)
	case !active && k.active:
		s.delayDeadKey(k)
		k.active = false
	}
}

// key finds a long-term key that is there or was a moment ago.
func (w *world) key(id string) *accessKey {
	if k := w.keys[id]; k != nil {
		return k
	}
	return w.deadKeys[id]
}
