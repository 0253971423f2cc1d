package backend

import (
	"context"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/store"

	"github.com/hashicorp/vault/sdk/logical"
)

// figures are what metrics are read from at one scrape: what is in memory, and
// two records of storage.
type figures struct {
	now      time.Time
	version  string
	started  time.Time
	happened func(which func(lifecycle.Counted) bool) uint64
	users    lifecycle.Standing
	apis     map[apiLabels]governor.State
	rootKey  time.Time // when the root key was made by a rotation; zero: it was not
	late     map[string]lateness
}

// apiLabels tell the governors apart: iam or sts, of the root credentials'
// account or of all others, which static roles name.
type apiLabels struct{ api, account string }

// lateness is how many rotations are overdue, and the longest of them.
type lateness struct {
	count int
	most  time.Duration
}

func (b *Backend) figures(ctx context.Context, storage logical.Storage) (figures, error) {
	now := b.options.Clock.Now()
	f := figures{
		now: now, version: b.options.Version, started: b.started,
		happened: b.users.Happened, users: b.users.Standing(), apis: apiStates(b.accounts),
		late: make(map[string]lateness),
	}
	records := store.Records{Storage: storage}
	config, _, err := records.RootConfig(ctx)
	if err != nil {
		return f, err
	}
	state, err := records.RotationState(ctx)
	if err != nil {
		return f, err
	}
	if config.AccessKey != "" {
		f.rootKey = config.LastRotation
	}
	if !state.ByVault {
		f.late["root"] = latenessOf(now, nextRotation(config, state))
	}
	if due, known := b.statics.rotations(); known {
		f.late["static"] = latenessOf(now, due...)
	}
	return f, nil
}

// latenessOf counts the times that have passed; a zero one never comes.
func latenessOf(now time.Time, due ...time.Time) (l lateness) {
	for _, at := range due {
		if !at.IsZero() && now.After(at) {
			l.count++
			l.most = max(l.most, now.Sub(at))
		}
	}
	return l
}

// apiStates adds up the governors by their labels. The rate of several accounts
// is the lowest.
func apiStates(accounts *governor.Accounts) map[apiLabels]governor.State {
	states := make(map[apiLabels]governor.State)
	for id, account := range accounts.Known() {
		label := "other"
		if id == "" {
			label = "root"
		}
		for api, g := range map[string]*governor.Governor{"iam": account.IAM, "sts": account.STS} {
			key := apiLabels{api: api, account: label}
			sum, met := states[key]
			states[key] = added(sum, g.State(), met)
		}
	}
	return states
}

func added(sum, one governor.State, met bool) governor.State {
	rate := one.Rate
	if met {
		rate = min(rate, sum.Rate)
	}
	return governor.State{
		Rate: rate, InFlight: sum.InFlight + one.InFlight, Waiting: sum.Waiting + one.Waiting,
		Throttled: sum.Throttled + one.Throttled, Refused: sum.Refused + one.Refused,
	}
}

// observeCall is told of each attempt of a call of AWS.
func (b *Backend) observeCall(a awsclient.Attempt) {
	b.metrics.Observe(a.Took, a.Action, a.Code)
}

// age is the seconds since t; 0 if that is not yet.
func (f figures) age(t time.Time) float64 { return max(f.now.Sub(t).Seconds(), 0) }
