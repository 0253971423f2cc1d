package backend_test

import (
	"context"
	"net/http"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/hashicorp/vault/sdk/logical"
)

func propagationScenarios() []scenario {
	return []scenario{
		{"propagation: the answer waits until STS knows the key (W11)", keyIsReady},
		{"propagation: a key that is not known in time is handed out with a warning", func(m *mount) {
			m.configured().sim.Configure(func(s *awssim.Settings) { s.NewKeyLag = awssim.Lag{Least: time.Hour, Most: time.Hour} })
			got := m.issued(with(plainUser(), "propagation_timeout", 1))
			if got.data["ready"] != false || got.data["ready_after"] != nil || got.secret == nil {
				m.Errorf("answer = %v", got.data)
			}
			m.wantWarning(got.warnings, "may not work yet", "propagation_timeout (1s)")
		}},
		{"propagation: a client that leaves during the wait costs the user at once", leavesWhileWaiting},
		{"propagation: without it nothing is asked and nothing is told", func(m *mount) {
			start := len(m.sim.Journal())
			got := m.configured().issued(plainUser())
			if _, told := got.data["ready"]; told {
				m.Errorf("answer = %v", got.data)
			}
			for _, call := range m.sim.Journal()[start:] {
				if call.Action == "sts:GetCallerIdentity" && call.AccessKey == got.data["access_key"] {
					m.Error("STS was asked about the new key")
				}
			}
		}},
		{"propagation: regions are asked each", func(m *mount) {
			start := len(m.sim.Journal())
			got := m.configured().issued(with(with(plainUser(), "propagation_timeout", 20), "propagation_regions", "us-east-1,eu-west-1"))
			asked := 0
			for _, call := range m.sim.Journal()[start:] {
				if call.Action == "sts:GetCallerIdentity" && call.AccessKey == got.data["access_key"] {
					asked++
				}
			}
			if asked != 6 || got.data["ready"] != true {
				m.Errorf("STS was asked %d times, want 6; answer %v", asked, got.data)
			}
		}},
		{"propagation: bad input", func(m *mount) {
			m.wantError(m.write("roles/x", with(plainUser(), "propagation_timeout", "26s")), http.StatusBadRequest, "propagation_timeout", "25s")
			m.wantError(m.write("roles/x", with(plainUser(), "propagation_timeout", -1)), http.StatusBadRequest, "propagation_timeout")
			m.wantError(m.write("roles/x", with(plainUser(), "propagation_regions", "Mars!")), http.StatusBadRequest, "propagation_regions", "Mars!")
			m.wantError(m.write("roles/x", map[string]any{"credential_type": "session_token", "propagation_timeout": 5}), http.StatusBadRequest, "propagation_timeout", "iam_user")
		}},
	}
}

func keyIsReady(m *mount) {
	clock := m.rotatable()
	clock.follow(m.sim.Advance)
	m.sim.Configure(func(s *awssim.Settings) { s.NewKeyLag = awssim.Lag{Least: 7 * time.Second, Most: 7 * time.Second} })
	got := m.issued(with(plainUser(), "propagation_timeout", 25))
	if got.data["ready"] != true || got.data["ready_after"] == nil {
		m.Errorf("answer = %v, warnings %q", got.data, got.warnings)
	}
	self := awssim.Credentials{AccessKey: got.data["access_key"].(string), SecretKey: got.data["secret_key"].(string)}
	if _, err := sts.NewFromConfig(simtest.Config(m.endpoint, self)).GetCallerIdentity(m.Context(), &sts.GetCallerIdentityInput{}); err != nil {
		m.Errorf("the key that is ready: %v", err)
	}
}

func leavesWhileWaiting(m *mount) {
	m.configured().sim.Configure(func(s *awssim.Settings) { s.NewKeyLag = awssim.Lag{Least: time.Hour, Most: time.Hour} })
	m.mustWrite("roles/x", with(plainUser(), "propagation_timeout", 25))
	ctx, leave := context.WithCancel(m.Context())
	done := make(chan answer)
	go func() { done <- m.request(ctx, logical.ReadOperation, "creds/x", nil) }()
	m.await("the user is recorded and its entry struck", func() bool { return len(m.records()) == 1 && len(m.journal()) == 0 })
	leave()
	if got := <-done; got.status == http.StatusOK {
		m.Error("a credential was handed out to nobody")
	}
	m.await("the user is gone", func() bool { return len(m.users()) == 0 && len(m.records()) == 0 })
}
