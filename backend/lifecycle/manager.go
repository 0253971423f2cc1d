package lifecycle

import (
	"crypto/rand"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// Manager makes and destroys the credentials of one mount. It is safe for
// concurrent use.
type Manager struct {
	journal Journal
	records Records
	states  StateStore
	clock   Clock
	log     hclog.Logger

	// users is held by whoever makes, renews or destroys the user of that name;
	// rollback and the worker pass by those that are held (L11).
	users   KeyedLock
	index   index
	graves  graves
	serial  serial
	waiting atomic.Int32 // credentials whose propagation is waited for
	state   state
	brake   brake
	watched time.Time // when the worker, and only it, watched the clock last
	tally   tally
	undone  undone
	stock   stock         // users made ahead of time
	process string        // tells this process from every other
	stir    chan struct{} // has the worker do a pass soon

	rotating sync.Mutex // held by the one rotation of the root key; nothing else waits for it
}

// Storage is where a mount writes things down.
type Storage struct {
	Journal Journal
	Records Records
	States  StateStore
}

// NewManager returns the manager of a mount.
func NewManager(storage Storage, clock Clock, log hclog.Logger) *Manager {
	return &Manager{
		journal: storage.Journal, records: storage.Records, states: storage.States, clock: clock, log: log,
		process: rand.Text(), stir: make(chan struct{}, 1),
	}
}
