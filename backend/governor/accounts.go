package governor

import "sync"

// Account is the governors of one account's APIs.
type Account struct {
	IAM *Governor
	STS *Governor
}

// Accounts are the governors of the accounts that a mount sees. What they have
// learned outlives the clients, which a new root key makes anew.
type Accounts struct {
	clock Clock

	mu sync.Mutex
	of map[string]Account
}

// NewAccounts returns governors that have learned nothing yet.
func NewAccounts(clock Clock) *Accounts {
	return &Accounts{clock: clock, of: make(map[string]Account)}
}

// Of returns the governors of an account, by its id; "" is the one of the root
// credentials, whose id is known only once AWS was asked.
func (a *Accounts) Of(id string) Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.of[id]; !known {
		a.of[id] = Account{IAM: New(a.clock), STS: New(a.clock)}
	}
	return a.of[id]
}
