package backend_test

import (
	"strings"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

func sideCredentialScenarios() []scenario {
	return []scenario{
		{"side credentials: what people gave the user goes with it", sideCredentialsGo},
		{"side credentials: an old engine's lease, which knows nothing, too", sideCredentialsOfBuiltinLease},
		{"side credentials: without permission the key is dead, and the revoke names what is missing", sideCredentialsDenied},
		{"side credentials: a root that moved to another account makes no user count as gone", rootMovedAway},
	}
}

// sideActs are what people can give a user besides policies and groups.
func sideActs() []awssim.Act {
	return []awssim.Act{awssim.ActAddLogin, awssim.ActAddMFA, awssim.ActAddSSHKey, awssim.ActAddCert, awssim.ActAddServiceKey}
}

// give has somebody act on a user behind the engine's back.
func (m *mount) give(user string, acts ...awssim.Act) {
	m.Helper()
	for _, act := range acts {
		_, err := m.sim.Interfere(awssim.Interference{User: user, Act: act})
		m.must(err)
	}
}

func sideCredentialsGo(m *mount) {
	m.configured()
	for _, acts := range append([][]awssim.Act{sideActs()}, each(sideActs())...) {
		got := m.issued(plainUser())
		m.give(m.onlyUser().Name, acts...)
		if err := m.revoke(got.secret); err != nil {
			m.Errorf("revoke after %v: %v", acts, err)
		}
		m.wantUsers(0)
	}
}

func each(acts []awssim.Act) (out [][]awssim.Act) {
	for _, act := range acts {
		out = append(out, []awssim.Act{act})
	}
	return out
}

func sideCredentialsOfBuiltinLease(m *mount) {
	m.configured().sim.PutUser(m.admin.Account, "vault-old", ec2Policy)
	m.give("vault-old", sideActs()...)
	if err := m.revoke(builtinSecret("vault-old")); err != nil {
		m.Errorf("revoke: %v", err)
	}
	m.wantUsers(0)
}

func sideCredentialsDenied(m *mount) {
	m.hurried()
	engine := m.rootWith(minimalActions)
	missing := map[awssim.Act]string{
		awssim.ActAddLogin:      "iam:DeleteLoginProfile",
		awssim.ActAddMFA:        "iam:ListMFADevices",
		awssim.ActAddSSHKey:     "iam:ListSSHPublicKeys",
		awssim.ActAddCert:       "iam:ListSigningCertificates",
		awssim.ActAddServiceKey: "iam:ListServiceSpecificCredentials",
	}
	for _, act := range sideActs() {
		m.mustWrite("config/root", m.rootConfig(engine))
		got := m.issued(plainUser())
		name := m.vaultUsers()[0]
		m.give(name, act)
		err := m.revoke(got.secret)
		if err == nil || !containsAll(err.Error(), []string{"AccessDenied", missing[act], "DeleteConflict"}) {
			m.Errorf("revoke after %s = %v, want an error that names %s", act, err, missing[act])
		}
		if keys := m.user(name).Keys; len(keys) != 0 {
			m.Errorf("the key is still alive: %v", keys)
		}
		m.mustWrite("config/root", m.rootConfig(m.admin))
		if err := m.revoke(got.secret); err != nil {
			m.Errorf("revoke with the permissions: %v", err)
		}
	}
}

// rootMovedAway: that a user is not in another account says nothing, however old
// it is, and whether or not the process has seen the right account before.
func rootMovedAway(m *mount) {
	got := m.configured().issued(plainUser())
	got.secret.IssueTime = time.Now().Add(-24 * time.Hour)
	other := m.sim.AddAccount("210987654321")
	m.mustWrite("config/root", m.rootConfig(other))
	for _, life := range []string{"as it is", "after a restart"} {
		err := m.revoke(got.secret)
		if err == nil || !strings.Contains(err.Error(), "wrong account") {
			m.Errorf("revoke %s = %v, want the wrong account", life, err)
		}
		m.reload()
	}
	m.wantUsers(1)
	m.configured()
	if err := m.revoke(got.secret); err != nil {
		m.Errorf("revoke in the right account: %v", err)
	}
	m.wantUsers(0)
}
