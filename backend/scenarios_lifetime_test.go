package backend_test

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

func lifetimeScenarios() []scenario {
	return []scenario{
		{"lifetimes: role, config/lease, mount and request, in this order", lifetimeOrder},
		{"lifetimes: ttl of a request has no effect unless the role says how long", func(m *mount) {
			got := m.configured().issued(plainUser())
			asked := m.mustRead("creds/x", map[string]any{"ttl": "15m"})
			if asked.secret.TTL != got.secret.TTL {
				m.Errorf("TTL = %s, without ttl %s", asked.secret.TTL, got.secret.TTL)
			}
			m.wantWarning(asked.warnings, "ttl has no effect on credential_type iam_user", "default_ttl or max_ttl")
		}},
		{"lifetimes: ttl that is no life of a credential", func(m *mount) {
			m.configured().mustWrite("roles/x", with(plainUser(), "max_ttl", "1h"))
			m.wantError(m.read("creds/x", map[string]any{"ttl": 0}), http.StatusBadRequest, "ttl 0s is no life of a credential", "leave it out")
			m.wantError(m.read("creds/x", map[string]any{"ttl": -5}), http.StatusBadRequest, "ttl")
			m.wantUsers(0)
		}},
		{"lifetimes: a renewal goes by the role of that time, and moves the deadline so", renewalByRole},
		{"lifetimes: a deleted role lets nobody live longer", func(m *mount) {
			m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "9h"})
			got := m.issued(with(with(plainUser(), "default_ttl", "20m"), "max_ttl", "2h"))
			m.delete("roles/x")
			m.wantRenewals(got, renewal{0, 20 * time.Minute}, renewal{9 * time.Hour, 2 * time.Hour})
			m.mustWrite("roles/x", map[string]any{"credential_type": "session_token"})
			m.wantRenewals(got, renewal{0, 20 * time.Minute}, renewal{9 * time.Hour, 2 * time.Hour})
		}},
		{"lifetimes: a maximum that was lowered below the age of a lease ends it in time", func(m *mount) {
			got := m.configured().issued(with(plainUser(), "max_ttl", "2h"))
			deadline := m.records()[m.users()[0]].Deadline
			m.mustWrite("roles/x", map[string]any{"max_ttl": "10m"})
			secret := throughJSON(got.secret)
			secret.IssueTime = time.Now().Add(-time.Hour)
			if _, err := m.renew(secret); err == nil || !strings.Contains(err.Error(), "past the max TTL") {
				m.Errorf("renew: %v", err)
			}
			if now := m.records()[m.users()[0]].Deadline; !now.Equal(deadline) {
				m.Errorf("the deadline moved from %s to %s", deadline, now)
			}
		}},
		{"lifetimes: the expiry policy denies after the role's longest lease", func(m *mount) {
			role := with(with(with(plainUser(), "default_ttl", "30m"), "max_ttl", "5h"), "expiry_policy", true)
			m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
			got := m.issued(role)
			document, ends := m.onlyUser().InlinePolicies["vault-aws-expiry"], time.Now().UTC().Add(6*time.Hour)
			if !strings.Contains(document, ends.Format("2006-01-02T15")) {
				m.Errorf("policy %s does not end at about %s", document, ends)
			}
			m.mustWrite("roles/x", map[string]any{"max_ttl": "9h"})
			m.wantRenewals(got, renewal{4 * time.Hour, 4 * time.Hour})
			secret := throughJSON(got.secret)
			secret.IssueTime, secret.Increment = time.Now(), 8*time.Hour
			if _, err := m.renew(secret); err == nil || !strings.Contains(err.Error(), "expiry policy") {
				m.Errorf("renew: %v", err)
			}
		}},
		{"lifetimes: bad input is a 400 that names the field and stores nothing", badLifetimes},
		{"lifetimes: lives that nobody will live are told", func(m *mount) {
			m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "2h"})
			m.wantWarning(m.mustWrite("roles/x", with(plainUser(), "default_ttl", "3h")), "default_ttl 3h0m0s", "lease_max 2h0m0s")
			m.wantWarning(m.mustWrite("roles/x", map[string]any{"default_ttl": 0, "max_ttl": "800h"}), "max_ttl 800h0m0s", "maximum lease TTL 768h0m0s")
			m.wantWarning(m.mustWrite("roles/x", map[string]any{"default_ttl": "800h", "max_ttl": 0}), "default_ttl 800h0m0s", "maximum lease TTL 768h0m0s")
			if warnings := m.mustWrite("roles/x", map[string]any{"default_ttl": "3h", "max_ttl": "4h"}); len(warnings) > 0 {
				m.Errorf("warnings = %q", warnings)
			}
		}},
	}
}

// lifetimeOrder issues a user for each case and looks at its lease and its record.
func lifetimeOrder(m *mount) {
	m.configured()
	for _, tc := range []struct {
		name                           string
		defaultTTL, maxTTL             string
		lease, leaseMax                string
		mountMax                       time.Duration
		ttl                            any
		wantTTL, wantMax, wantDeadline time.Duration
		wantWarning                    string
	}{
		{name: "config/lease alone", lease: "1h", leaseMax: "2h", wantTTL: time.Hour, wantMax: 2 * time.Hour, wantDeadline: time.Hour},
		{name: "both of the role", defaultTTL: "3h", maxTTL: "4h", lease: "1h", leaseMax: "2h", wantTTL: 3 * time.Hour, wantMax: 4 * time.Hour, wantDeadline: 3 * time.Hour},
		{name: "the role's default, the maximum of config/lease", defaultTTL: "3h", lease: "1h", leaseMax: "2h", wantTTL: 3 * time.Hour, wantMax: 2 * time.Hour, wantDeadline: 2 * time.Hour},
		{name: "the default of config/lease, the role's maximum", maxTTL: "30m", lease: "1h", leaseMax: "2h", wantTTL: 30 * time.Minute, wantMax: 30 * time.Minute, wantDeadline: 30 * time.Minute},
		{name: "the default of the mount, the role's maximum", maxTTL: "30m", wantTTL: 30 * time.Minute, wantMax: 30 * time.Minute, wantDeadline: 30 * time.Minute},
		{name: "the default of config/lease below the role's maximum", maxTTL: "3h", lease: "1h", wantTTL: time.Hour, wantMax: 3 * time.Hour, wantDeadline: time.Hour},
		{name: "the mount's maximum bounds the role's", defaultTTL: "3h", maxTTL: "4h", mountMax: time.Hour, wantTTL: 3 * time.Hour, wantMax: 4 * time.Hour, wantDeadline: time.Hour},
		{name: "ttl below the default", defaultTTL: "3h", maxTTL: "4h", ttl: "15m", wantTTL: 15 * time.Minute, wantMax: 4 * time.Hour, wantDeadline: 15 * time.Minute},
		{name: "ttl above the default", defaultTTL: "1h", lease: "1h", leaseMax: "2h", ttl: 5400, wantTTL: 90 * time.Minute, wantMax: 2 * time.Hour, wantDeadline: 90 * time.Minute},
		{name: "empty ttl", defaultTTL: "1h", ttl: "", wantTTL: time.Hour, wantDeadline: time.Hour},
		{name: "ttl above the role's maximum", maxTTL: "1h", ttl: "5h", wantTTL: time.Hour, wantMax: time.Hour, wantDeadline: time.Hour, wantWarning: "ttl 5h0m0s is cut to 1h0m0s: the role's max_ttl"},
		{name: "ttl above that of config/lease", defaultTTL: "1h", lease: "1h", leaseMax: "2h", ttl: "5h", wantTTL: 2 * time.Hour, wantMax: 2 * time.Hour, wantDeadline: 2 * time.Hour, wantWarning: "ttl 5h0m0s is cut to 2h0m0s: lease_max of config/lease"},
		{name: "ttl above the mount's maximum", defaultTTL: "1h", mountMax: 2 * time.Hour, ttl: "5h", wantTTL: 2 * time.Hour, wantDeadline: 2 * time.Hour, wantWarning: "ttl 5h0m0s is cut to 2h0m0s: the mount's maximum lease TTL"},
	} {
		m.under(func(v *logical.StaticSystemView) { v.MaxLeaseTTLVal = cmp.Or(tc.mountMax, 768*time.Hour) })
		m.mustWrite("config/lease", map[string]any{"lease": "0" + tc.lease, "lease_max": "0" + tc.leaseMax})
		m.mustWrite("roles/x", with(with(plainUser(), "default_ttl", tc.defaultTTL), "max_ttl", tc.maxTTL))
		got := m.mustRead("creds/x", map[string]any{"ttl": tc.ttl})
		if got.secret.TTL != tc.wantTTL || got.secret.MaxTTL != tc.wantMax {
			m.Errorf("%s: TTL, MaxTTL = %s, %s, want %s, %s", tc.name, got.secret.TTL, got.secret.MaxTTL, tc.wantTTL, tc.wantMax)
		}
		m.wantDeadline(tc.name, tc.wantDeadline)
		if tc.wantWarning != "" && !slices.Contains(got.warnings, tc.wantWarning) || tc.wantWarning == "" && len(got.warnings) > 0 {
			m.Errorf("%s: warnings = %q, want %q", tc.name, got.warnings, tc.wantWarning)
		}
		m.must(m.revoke(got.secret))
	}
}

// wantDeadline checks the deadline of the one user that lives.
func (m *mount) wantDeadline(what string, want time.Duration) {
	m.Helper()
	if left := time.Until(m.records()[m.users()[0]].Deadline); left > want+time.Second || left < want-time.Minute {
		m.Errorf("%s: the deadline is %s from now, want %s", what, left, want)
	}
}

// renewal is one renewal of a lease, and how long it lives then.
type renewal struct{ increment, want time.Duration }

// wantRenewals renews a lease as Vault does, and checks that Vault's core and the
// record come to the same end.
func (m *mount) wantRenewals(got answer, renewals ...renewal) {
	m.Helper()
	for _, r := range renewals {
		secret := throughJSON(got.secret)
		secret.IssueTime, secret.Increment = time.Now(), r.increment
		resp, err := m.renew(secret)
		m.must(err)
		ttl, _, err := framework.CalculateTTL(m.system, r.increment, resp.Secret.TTL, 0, resp.Secret.MaxTTL, 0, secret.IssueTime)
		m.must(err)
		if ttl > r.want || ttl < r.want-time.Minute {
			m.Errorf("increment %s: the lease lives for %s, want %s", r.increment, ttl, r.want)
		}
		m.wantDeadline("renewed by "+r.increment.String(), r.want)
	}
}

func renewalByRole(m *mount) {
	m.configured().mustWrite("config/lease", map[string]any{"lease": "1h", "lease_max": "9h"})
	got := m.issued(with(with(plainUser(), "default_ttl", "20m"), "max_ttl", "2h"))
	m.wantRenewals(got, renewal{0, 20 * time.Minute}, renewal{time.Hour, time.Hour}, renewal{3 * time.Hour, 2 * time.Hour})
	m.mustWrite("roles/x", map[string]any{"default_ttl": "40m", "max_ttl": "4h"})
	m.wantRenewals(got, renewal{0, 40 * time.Minute}, renewal{3 * time.Hour, 3 * time.Hour}, renewal{9 * time.Hour, 4 * time.Hour})
	m.mustWrite("roles/x", map[string]any{"default_ttl": 0, "max_ttl": 0})
	m.wantRenewals(got, renewal{0, time.Hour}, renewal{10 * time.Hour, 9 * time.Hour})
	m.must(m.revoke(got.secret))
	m.mustWrite("roles/x", map[string]any{"default_ttl": "1h"})
	asked := m.mustRead("creds/x", map[string]any{"ttl": "15m"})
	m.wantRenewals(asked, renewal{0, 15 * time.Minute}, renewal{2 * time.Hour, 2 * time.Hour})
}

func badLifetimes(m *mount) {
	for _, tc := range []struct {
		role map[string]any
		want []string
	}{
		{with(with(plainUser(), "default_ttl", "3h"), "max_ttl", "2h"), []string{"default_ttl 3h0m0s is more than max_ttl 2h0m0s"}},
		{with(plainUser(), "default_ttl", -5), []string{"default_ttl"}},
		{with(plainUser(), "max_ttl", "-5m"), []string{"max_ttl"}},
		{with(plainUser(), "max_ttl", "soon"), []string{"max_ttl"}},
		{with(plainUser(), "default_sts_ttl", "1h"), []string{"default_sts_ttl is only valid for credential_type assumed_role", "default_ttl"}},
		{with(plainUser(), "max_sts_ttl", "1h"), []string{"max_sts_ttl is only valid for credential_type assumed_role", "max_ttl"}},
		{map[string]any{"credential_type": "assumed_role", "default_ttl": "1h"}, []string{"default_ttl is only valid for credential_type iam_user", "default_sts_ttl"}},
		{map[string]any{"credential_type": "federation_token", "max_ttl": "1h"}, []string{"max_ttl is only valid for credential_type iam_user", "max_sts_ttl"}},
		{map[string]any{"credential_type": "session_token", "max_ttl": "1h"}, []string{"max_ttl is only valid for credential_type iam_user", "max_sts_ttl"}},
	} {
		m.wantError(m.write("roles/bad", tc.role), http.StatusBadRequest, tc.want...)
	}
	m.wantError(m.read("roles/bad"), http.StatusNotFound)
	m.mustWrite("roles/x", with(plainUser(), "max_ttl", "2h"))
	m.wantError(m.write("roles/x", map[string]any{"default_ttl": "3h"}), http.StatusBadRequest, "default_ttl 3h0m0s is more than max_ttl 2h0m0s")
}
