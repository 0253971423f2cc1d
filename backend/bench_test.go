package backend_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"

	"github.com/hashicorp/vault/sdk/logical"
)

// throttledMount is a mount with a role whose users take three calls, on an
// account that takes 15 a second, 30 at once, and answers in 20 to 60 ms.
func throttledMount(b *testing.B) *mount {
	m := newMount(b, inProcess)
	config := m.rootConfig(m.admin)
	config["max_retries"] = -1 // the SDK's default
	m.mustWrite("config/root", config)
	m.mustWrite("roles/x", plainUser())
	return m
}

func (m *mount) throttle() {
	m.sim.Configure(func(s *awssim.Settings) {
		s.Latency, s.LatencyMost = 20*time.Millisecond, 60*time.Millisecond
		s.Throttle = awssim.Throttle{Rate: 15, Burst: 30}
	})
}

func (m *mount) readAs(entity string) answer {
	ctx, cancel := context.WithTimeout(m.Context(), time.Minute) // when Vault's clients leave
	defer cancel()
	req := &logical.Request{Operation: logical.ReadOperation, Path: "creds/x", Storage: m.storage, EntityID: entity}
	resp, err := m.backend.HandleRequest(ctx, req)
	return seen(req, resp, err)
}

// throttledShare is how much of the calls since then was throttled, in percent.
func (m *mount) throttledShare(since int) float64 {
	calls, throttled := m.sim.Journal()[since:], 0
	for _, call := range calls {
		if call.Code == "Throttling" {
			throttled++
		}
	}
	return 100 * float64(throttled) / float64(len(calls))
}

// BenchmarkThrottledReads: 200 reads at once, and one of another client five
// seconds later. It takes 40 s.
func BenchmarkThrottledReads(b *testing.B) {
	for b.Loop() {
		m := throttledMount(b)
		m.throttle()
		since, start := len(m.sim.Journal()), time.Now()
		answers := make([]answer, 200)
		var others time.Duration
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = m.readAs("one") })
		}
		wg.Go(func() {
			time.Sleep(5 * time.Second)
			asked := time.Now()
			if got := m.readAs("other"); got.status != http.StatusOK {
				b.Errorf("the other client's read: %d %s", got.status, got.error)
			}
			others = time.Since(asked)
		})
		wg.Wait()
		b.ReportMetric(time.Since(start).Seconds(), "s")
		b.ReportMetric(others.Seconds(), "s/other")
		b.ReportMetric(m.throttledShare(since), "%throttled")
		b.ReportMetric(m.judge(answers), "succeeded")
	}
}

// judge counts the reads that succeeded; the others must say why, and leave nothing.
func (m *mount) judge(answers []answer) (succeeded float64) {
	for _, got := range answers {
		switch {
		case got.status == http.StatusOK:
			succeeded++
		case got.status != http.StatusBadGateway || !strings.Contains(strings.ToLower(got.error), "retry in"):
			m.Errorf("refused without a hint: %d %s", got.status, got.error)
		}
	}
	const others = 1
	if left := len(m.users()) - others; left != int(succeeded) {
		m.Errorf("%v reads succeeded, and there are %d users", succeeded, left)
	}
	return succeeded
}

// BenchmarkMassRevoke: 300 leases end at once, with as many workers and tries as
// Vault has. It takes a minute.
func BenchmarkMassRevoke(b *testing.B) {
	for b.Loop() {
		m := throttledMount(b)
		leases := make(chan *logical.Secret, 300)
		for range cap(leases) {
			leases <- m.mustRead("creds/x").secret
		}
		close(leases)
		m.reload() // nothing is learned yet
		m.throttle()
		since, start := len(m.sim.Journal()), time.Now()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				for lease := range leases {
					m.revokeAsVault(lease)
				}
			})
		}
		wg.Wait()
		m.wantUsers(0)
		b.ReportMetric(m.lastOf("iam:DeleteAccessKey").Sub(start).Seconds(), "s/keys")
		b.ReportMetric(m.lastOf("iam:DeleteUser").Sub(start).Seconds(), "s/users")
		b.ReportMetric((900-30)/15., "s/ideal")
		b.ReportMetric(m.throttledShare(since), "%throttled")
	}
}

// revokeAsVault tries six times, later and later.
func (m *mount) revokeAsVault(lease *logical.Secret) {
	var err error
	for try := range 6 {
		if err = m.revoke(lease); err == nil {
			return
		}
		time.Sleep(10 * time.Second << try)
	}
	m.Errorf("irrevocable: %v", err)
}

func (m *mount) lastOf(action string) (at time.Time) {
	for _, call := range m.sim.Journal() {
		if call.Action == action && call.Code == "" {
			at = call.Time
		}
	}
	if at.IsZero() {
		m.Errorf("no %s", action)
	}
	return at
}
