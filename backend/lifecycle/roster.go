package lifecycle

import "slices"

// Roster says which records of a kind are to be read, so that an index over all
// of them is built once and then kept: no pass reads or lists them all. It knows
// names only. Whoever has it guards it; the zero value is ready to use.
//
// A round lists the records, has the new ones read and the known ones verified, a
// slice in each pass, and ends when all were. Small mounts are listed in every pass.
type Roster struct {
	listed  bool
	pending map[string]bool // listed, and not read since
	changed map[string]bool // told of, and not read since
	round   []string        // of the listing, those that are still to be verified
}

// verifyAtOnce is how many known records are read again in one pass.
const verifyAtOnce = 1000

// WantsList reports whether the round is over and the next one begins with a list.
func (r *Roster) WantsList() bool { return len(r.round) == 0 }

// Listed reports whether the records were listed once.
func (r *Roster) Listed() bool { return r.listed }

// List begins a round: names is a listing of all records, which List sorts and
// keeps; those that are not known are to be read.
func (r *Roster) List(names []string, known func(name string) bool) {
	slices.Sort(names)
	r.listed, r.round, r.pending = true, names, make(map[string]bool)
	for _, name := range names {
		if !known(name) {
			r.pending[name] = true
		}
	}
}

// Change has a record read that was written or removed. Before the first listing
// there is nothing to do: all are still to be read.
func (r *Roster) Change(name string) {
	if !r.listed {
		return
	}
	if r.changed == nil {
		r.changed = make(map[string]bool)
	}
	r.changed[name] = true
}

// Read notes that a record was read, or is not there.
func (r *Roster) Read(name string) {
	delete(r.pending, name)
	delete(r.changed, name)
}

// Unread is the records that have to be read before the index is right, sorted.
func (r *Roster) Unread() (names []string) {
	for name := range r.pending {
		names = append(names, name)
	}
	for name := range r.changed {
		if !r.pending[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Complete reports whether every record has been read once.
func (r *Roster) Complete() bool { return r.listed && len(r.pending) == 0 }

// Pending is how many records were listed and not read yet.
func (r *Roster) Pending() int { return len(r.pending) }

// Verify takes the next slice of the round: known records, to be read again.
func (r *Roster) Verify() (names []string) {
	for len(r.round) > 0 && len(names) < verifyAtOnce {
		if name := r.round[0]; !r.pending[name] && !r.changed[name] {
			names = append(names, name)
		}
		r.round = r.round[1:]
	}
	return names
}
