package backend

import (
	"context"
	"net/http"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/metrics"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
)

// Options is what the plugin process decides for all its mounts. The zero value
// is ready to use.
type Options struct {
	Version string          // reported to Vault byte for byte, such as "v0.1.0"
	Ambient Ambient         // may mounts without keys use the server's own identity?
	Clock   lifecycle.Clock // nil: the machine's

	// Transport carries the requests of mounts with keys of their own to AWS; nil:
	// the network. It is for proofs that have none.
	Transport http.RoundTripper
}

// Ambient says whether a mount without keys may use the AWS identity of the
// Vault server.
type Ambient int

// The two choices; no tenant can override the platform's.
const (
	AmbientAllowed Ambient = iota
	AmbientForbidden
)

// Backend is one mount.
type Backend struct {
	*framework.Backend

	options     Options
	clients     clients
	accounts    *governor.Accounts
	users       *lifecycle.Manager
	worker      *lifecycle.Worker
	tidy        *lifecycle.Tidy
	statics     staticIndex
	staticRoles lifecycle.KeyedLock // by name, and by user id where a user is taken over; held across the AWS calls of that role only
	metrics     *metrics.Set[figures]
	started     time.Time           // when this process loaded the mount
	writing     lifecycle.KeyedLock // by storage key; held while a record is read, changed and written; never across AWS calls

	// life is the context of the mount's own work. Vault cancels the Factory's
	// context as soon as the Factory returns.
	life context.Context
	end  context.CancelFunc
}

// cleanupWait is how long Cleanup waits for the worker and tidy to let go.
const cleanupWait = time.Second

// Factory returns the function by which Vault makes a mount.
func Factory(options Options) logical.Factory {
	return func(ctx context.Context, conf *logical.BackendConfig) (logical.Backend, error) {
		b := New(ctx, options, conf)
		if err := b.Setup(ctx, conf); err != nil {
			return nil, err
		}
		return b, nil
	}
}

// New makes a mount on the storage of conf. Setup has to follow.
func New(ctx context.Context, options Options, conf *logical.BackendConfig) *Backend {
	if options.Clock == nil {
		options.Clock = lifecycle.SystemClock{}
	}
	b := &Backend{options: options, accounts: governor.NewAccounts(options.Clock), metrics: metrics.New(callTimer, metricsTable()), started: options.Clock.Now()}
	b.life, b.end = context.WithCancel(context.WithoutCancel(ctx))
	storage := b.noticing(conf.StorageView)
	records := recordStore{storage: storage}
	written := lifecycle.Storage{Journal: journal{storage: storage}, Records: records, States: records}
	b.users = lifecycle.NewManager(written, options.Clock, conf.Logger.Named("lifecycle"))
	b.tidy = lifecycle.NewTidy(b.users)
	b.worker = lifecycle.NewWorker(b.users, b.connect(storage),
		b.onPrimary(b.rootKeyDuty(storage)), b.onPrimary(b.staticKeyDuty(storage)),
		b.onPrimary(b.rotationDuty(storage)), b.onPrimary(b.staticDuty(storage)))
	b.Backend = &framework.Backend{
		Help:           help("engine.txt"),
		BackendType:    logical.TypeLogical,
		RunningVersion: options.Version,
		Paths:          b.paths(),
		PathsSpecial:   specialPaths(),
		Secrets:        []*framework.Secret{b.secretAccessKeys()},
		InitializeFunc: b.initialize,
		PeriodicFunc:   b.periodic,
		Clean:          b.clean,
		Invalidate:     b.invalidate,

		RotateCredential: b.rotateCredential,
	}
	return b
}

// initialize starts the worker on a node that owns users.
func (b *Backend) initialize(context.Context, *logical.InitializationRequest) error {
	if b.ownsUsers() {
		b.worker.Start(b.life)
	}
	return nil
}

// ownsUsers reports whether this is the active node of a cluster that serves
// requests: the journal and the records of users are local to each, so a
// secondary cluster sees to the users that it has made itself.
func (b *Backend) ownsUsers() bool {
	state := b.System().ReplicationState()
	return !state.HasState(consts.ReplicationDRSecondary) && !state.HasState(consts.ReplicationPerformanceStandby)
}

// onPrimary has a duty over replicated records done where they can be written.
func (b *Backend) onPrimary(d lifecycle.Duty) lifecycle.Duty {
	all := d.Items
	d.Items = func(ctx context.Context) ([]lifecycle.EntryID, error) {
		if !b.WriteSafeReplicationState() {
			return nil, nil
		}
		return all(ctx)
	}
	return d
}

// periodicWait bounds what Vault waits for: a periodic function holds its state
// lock, and slow work there would delay a failover of the whole cluster.
const periodicWait = 5 * time.Second

// periodic wakes the worker and waits for one pass. Vault calls it once a
// minute, and at once when the mount is moved or disabled.
func (b *Backend) periodic(ctx context.Context, _ *logical.Request) error {
	if !b.ownsUsers() {
		return nil
	}
	b.worker.Start(b.life)
	b.wakeWorker(ctx)
	return nil
}

// wakeWorker has the worker do a pass and waits for it, but not for long.
func (b *Backend) wakeWorker(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, periodicWait)
	defer cancel()
	b.worker.Wake(ctx)
}

func (b *Backend) clean(ctx context.Context) {
	b.end()
	ctx, cancel := context.WithTimeout(ctx, cleanupWait)
	defer cancel()
	b.worker.Wait(ctx)
	b.tidy.Wait(ctx)
}
