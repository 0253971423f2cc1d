package crash

import (
	"errors"
	"fmt"
)

// secondCluster are the events that need a second server.
var secondCluster = []struct {
	name string
	run  func(s *scene, second *lab) error
	not  []engine
}{
	{name: "snapshot restored to a second cluster", run: (*scene).restoreTo},
	{name: "snapshot restored to a second cluster, which tidies", run: (*scene).tidyElsewhere, not: []engine{builtin}},
}

// restore takes the storage back to before a revoke: the lease is there again,
// and its end is asked for again.
func (s *scene) restore() error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	snapshot, err := s.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	return errors.Join(s.revoke(), s.lab.restore(snapshot, s.lab))
}

// restoreTo brings a second cluster up with the same leases and lets it end
// them; what the first one does to them then is nothing new to AWS.
func (s *scene) restoreTo(second *lab) error {
	if err := s.issueAsRoot(); err != nil {
		return err
	}
	snapshot, err := s.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	if err := second.restore(snapshot, s.lab); err != nil {
		return err
	}
	s.ending = true
	there := *s
	there.lab = second
	return there.revoke()
}

// restoreOlder takes the storage back to before a user was made: nothing names
// the user any more but its tags, by which tidy finds it.
func (s *scene) restoreOlder() error {
	if err := s.forget(func() error { return nil }); err != nil || s.engine == builtin {
		return err
	}
	return s.tidied("finished")
}

// restoreMuchOlder takes the storage back so far that the user's tags tell: the
// mount stops what it does by itself until an operator's word.
func (s *scene) restoreMuchOlder() error {
	if err := errors.Join(s.forget(s.startedTwice), s.tidied("failed")); err != nil {
		return err
	}
	return errors.Join(s.write(s.mount+"/tidy", fields{"confirm_restore": true}), s.tidied("finished"))
}

// forget has storage forget a user that is issued when something has happened
// since the snapshot.
func (s *scene) forget(since func() error) error {
	if err := s.tagged(); err != nil {
		return err
	}
	snapshot, err := s.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(since(), s.issueAsRoot()); err != nil {
		return err
	}
	return s.lab.restore(snapshot, s.lab)
}

// tagged has this engine tag the users that it makes.
func (s *scene) tagged() error {
	if s.engine == builtin {
		return nil
	}
	return s.write(s.mount+"/config/root", fields{"iam_owner_tags": true})
}

func (s *scene) startedTwice() error {
	for range 2 {
		if err := errors.Join(s.reload(s.mount), s.read(s.mount+"/tidy-status", nil)); err != nil {
			return err
		}
	}
	return nil
}

// tidied has tidy destroy the users that nothing names, however young they are,
// and checks how that ends.
func (s *scene) tidied(want string) error { return s.tidiedBut(want, "0s") }

// tidiedBut spares the users that are younger.
func (s *scene) tidiedBut(want, younger string) error {
	spec := fields{"tidy_unknown_users": true, "safety_buffer": younger, "dry_run": false}
	if err := s.write(s.mount+"/tidy", spec); err != nil {
		return err
	}
	var status struct{ Data struct{ State, Error string } }
	err := s.await("tidy", func() (bool, error) {
		err := s.read(s.mount+"/tidy-status", &status)
		return status.Data.State != "running", err
	})
	if err == nil && status.Data.State != want {
		err = fmt.Errorf("tidy is %+v, want %s", status.Data, want)
	}
	return err
}

// tidyElsewhere has a second cluster, of the same mount and the same owner tag,
// look for users that nothing names: one that the first cluster has issued since
// is such a user there, and safe only as long as it is younger than the buffer.
func (s *scene) tidyElsewhere(second *lab) error {
	if err := s.tagged(); err != nil {
		return err
	}
	snapshot, err := s.Snapshot(s.ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(s.issueAsRoot(), second.restore(snapshot, s.lab)); err != nil {
		return err
	}
	there := *s
	there.lab = second
	return there.tidiedBut("finished", "24h")
}
