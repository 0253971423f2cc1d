package backend

import (
	"slices"
	"time"

	"vault-plugin-secrets-aws/backend/governor"
	"vault-plugin-secrets-aws/backend/lifecycle"
	"vault-plugin-secrets-aws/backend/metrics"
	"vault-plugin-secrets-aws/backend/store"
)

// emit is how a row of the table tells a value.
type emit = func(value float64, labels ...string)

// callTimer measures AWS.
var callTimer = metrics.Timer{
	Name:    "vault_aws_api_call_duration_seconds",
	Help:    "How long AWS took to answer an attempt of a call, by action and error code.",
	Labels:  []string{"action", "code"},
	Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15},
}

// metricsTable is every other metric of a mount. docs/observability.md explains
// each. A new one is a row here and there.
func metricsTable() []metrics.Family[figures] {
	return slices.Concat(mountMetrics(), credentialMetrics(), userMetrics(), callMetrics(), keyMetrics())
}

func mountMetrics() []metrics.Family[figures] {
	return []metrics.Family[figures]{
		{
			Name: "vault_aws_info", Kind: metrics.Gauge, Labels: []string{"version"},
			Help: "Always 1; its label is the version of the plugin.",
			Read: func(f figures, tell emit) { tell(1, f.version) },
		}, {
			Name: "vault_aws_start_time_seconds", Kind: metrics.Gauge,
			Help: "When this node loaded the mount, in Unix time: counters count from here.",
			Read: func(f figures, tell emit) { tell(float64(f.started.Unix())) },
		}, {
			Name: "vault_aws_mount_state", Kind: metrics.Gauge, Labels: []string{"state"},
			Help: "1 while the mount is draining, holds destruction by deadline, or its storage seems restored.",
			Read: func(f figures, tell emit) {
				if f.users.Known {
					tell(truth(f.users.Draining), "draining")
					tell(truth(f.users.Held), "deadlines_held")
					tell(truth(f.users.Restored), "restored")
				}
			},
		},
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// credentialKinds are the types of what roles give out.
var credentialKinds = []store.CredentialType{store.IAMUser, store.AssumedRole, store.FederationToken, store.SessionToken}

func credentialMetrics() []metrics.Family[figures] {
	return []metrics.Family[figures]{
		{
			Name: "vault_aws_credentials_issued_total", Kind: metrics.Counter, Labels: []string{"type"},
			Help: "Credentials handed out, by credential type.",
			Read: func(f figures, tell emit) {
				for _, kind := range credentialKinds {
					tell(f.count(lifecycle.WasIssued, string(kind)), string(kind))
				}
			},
		}, {
			Name: "vault_aws_credentials_refused_total", Kind: metrics.Counter, Labels: []string{"type", "reason"},
			Help: "Requests for a credential that failed, by credential type and reason.",
			Read: func(f figures, tell emit) {
				for _, kind := range slices.Concat(credentialKinds, []store.CredentialType{unknownType}) {
					for _, reason := range refusalReasons {
						n := f.happened(func(c lifecycle.Counted) bool {
							return c == lifecycle.Counted{What: lifecycle.WasRefused, Type: string(kind), Reason: reason}
						})
						tell(float64(n), string(kind), reason)
					}
				}
			},
		}, {
			Name: "vault_aws_awaiting_propagation", Kind: metrics.Gauge,
			Help: "Credentials that wait until AWS knows them everywhere.",
			Read: func(f figures, tell emit) { tell(float64(f.users.AwaitingReady)) },
		},
	}
}

// count is how often something happened to credentials of a type.
func (f figures) count(what lifecycle.What, kind string) float64 {
	return float64(f.happened(func(c lifecycle.Counted) bool { return c.What == what && c.Type == kind }))
}

// userEvents are what is counted of IAM users.
var userEvents = []lifecycle.What{
	lifecycle.WasRevoked, lifecycle.WasCondemned, lifecycle.WasDeferred, lifecycle.WasOverdue,
	lifecycle.WasDestroyed, lifecycle.WasRolledBack, lifecycle.WasTidied,
}

func userMetrics() []metrics.Family[figures] { //nolint:funlen // a table
	return []metrics.Family[figures]{
		{
			Name: "vault_aws_user_events_total", Kind: metrics.Counter, Labels: []string{"event"},
			Help: "What became of IAM users, by event of the log.",
			Read: func(f figures, tell emit) {
				for _, what := range userEvents {
					tell(f.count(what, lifecycle.TypeUser), string(what))
				}
			},
		}, {
			Name: "vault_aws_users", Kind: metrics.Gauge, Labels: []string{"state"},
			Help: "IAM users of the mount: being made, issued, or condemned.",
			Read: func(f figures, tell emit) {
				if f.users.Complete {
					tell(float64(f.users.Announced), "announced")
					tell(float64(f.users.Issued), "issued")
					tell(float64(f.users.Condemned), "condemned")
				}
			},
		}, {
			Name: "vault_aws_users_overdue", Kind: metrics.Gauge,
			Help: "Issued users whose lease must be over; they are destroyed after a grace.",
			Read: func(f figures, tell emit) { f.known(tell, float64(f.users.Overdue)) },
		}, {
			Name: "vault_aws_records_unreadable", Kind: metrics.Gauge,
			Help: "Records of users that cannot be decoded.",
			Read: func(f figures, tell emit) { f.known(tell, float64(f.users.Unreadable)) },
		}, {
			Name: "vault_aws_condemned_oldest_seconds", Kind: metrics.Gauge,
			Help: "How long the oldest condemned user has been waiting to be destroyed; 0 without one.",
			Read: func(f figures, tell emit) { f.known(tell, f.ageOrNone(f.users.OldestCondemned)) },
		}, {
			Name: "vault_aws_rollbacks_pending", Kind: metrics.Gauge,
			Help: "Users whose issuing did not finish and whose rollback is due and not done.",
			Read: func(f figures, tell emit) { f.known(tell, float64(f.users.Undone)) },
		}, {
			Name: "vault_aws_rollbacks_oldest_seconds", Kind: metrics.Gauge,
			Help: "How long ago the oldest of those users was announced; 0 without one.",
			Read: func(f figures, tell emit) { f.known(tell, f.ageOrNone(f.users.OldestUndone)) },
		},
	}
}

// known tells what a node knows whose worker has read all records.
func (f figures) known(tell emit, value float64) {
	if f.users.Complete {
		tell(value)
	}
}

func (f figures) ageOrNone(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return f.age(t)
}

func callMetrics() []metrics.Family[figures] {
	perAPI := func(name, help string, kind metrics.Kind, value func(governor.State) float64) metrics.Family[figures] {
		return metrics.Family[figures]{
			Name: name, Help: help, Kind: kind, Labels: []string{"api", "account"},
			Read: func(f figures, tell emit) {
				for key, state := range f.apis {
					tell(value(state), key.api, key.account)
				}
			},
		}
	}
	return []metrics.Family[figures]{
		perAPI("vault_aws_api_throttled_total", "Attempts that AWS refused for coming too fast.", metrics.Counter,
			func(s governor.State) float64 { return float64(s.Throttled) }),
		perAPI("vault_aws_governor_refused_total", "Requests that were not sent to AWS, since their turn would have come too late.", metrics.Counter,
			func(s governor.State) float64 { return float64(s.Refused) }),
		perAPI("vault_aws_governor_rate", "Calls a second that AWS takes, as far as is known.", metrics.Gauge,
			func(s governor.State) float64 { return s.Rate }),
		perAPI("vault_aws_governor_in_flight", "Calls that are sent and not answered.", metrics.Gauge,
			func(s governor.State) float64 { return float64(s.InFlight) }),
		perAPI("vault_aws_governor_waiting", "Requests and calls that wait for their turn.", metrics.Gauge,
			func(s governor.State) float64 { return float64(s.Waiting) }),
	}
}

func keyMetrics() []metrics.Family[figures] {
	return []metrics.Family[figures]{
		{
			Name: "vault_aws_rotations_total", Kind: metrics.Counter, Labels: []string{"key", "result"},
			Help: "Rotations of the root key and of keys of static roles.",
			Read: func(f figures, tell emit) {
				for key, kind := range map[string]string{"root": lifecycle.TypeRootKey, "static": lifecycle.TypeStaticKey} {
					tell(f.count(lifecycle.WasRotated, kind), key, "rotated")
					tell(f.count(lifecycle.WasNotRotated, kind), key, "failed")
				}
			},
		}, {
			Name: "vault_aws_root_key_age_seconds", Kind: metrics.Gauge,
			Help: "How long ago the root key was made by a rotation; absent for one that an operator wrote.",
			Read: func(f figures, tell emit) {
				if !f.rootKey.IsZero() {
					tell(f.age(f.rootKey))
				}
			},
		}, {
			Name: "vault_aws_rotations_overdue", Kind: metrics.Gauge, Labels: []string{"key"},
			Help: "Keys whose rotation is due and has not happened.",
			Read: func(f figures, tell emit) {
				for key, late := range f.late {
					tell(float64(late.count), key)
				}
			},
		}, {
			Name: "vault_aws_rotation_overdue_seconds", Kind: metrics.Gauge, Labels: []string{"key"},
			Help: "How long the most overdue rotation has been due; 0 without one.",
			Read: func(f figures, tell emit) {
				for key, late := range f.late {
					tell(late.most.Seconds(), key)
				}
			},
		},
	}
}
