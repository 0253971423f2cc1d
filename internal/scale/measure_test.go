package scale_test

import (
	"net/http"
	"testing"

	"vault-plugin-secrets-aws/internal/devstack"
	"vault-plugin-secrets-aws/internal/scale"
)

// started is a Vault server in memory with the built plugin.
func started(b *testing.B) scale.Server {
	b.Helper()
	binaries, err := devstack.Find()
	if err != nil {
		b.Fatal(err)
	}
	stack, err := devstack.Start(b.Context(), devstack.Spec{Binaries: binaries, LogLevel: "warn"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = stack.Stop() })
	args, err := binaries.RegisterArgs("aws")
	if err != nil {
		b.Fatal(err)
	}
	if out, err := stack.Command(b.Context(), args...).CombinedOutput(); err != nil {
		b.Fatalf("register the plugin: %v: %s", err, out)
	}
	client := devstack.Client{Addr: stack.VaultAddr, Token: devstack.RootToken, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
	return scale.Server{Client: client, Sim: stack.Sim, PID: stack.VaultPID()}
}

// BenchmarkStress takes the figures of a mount of the stress figure's size on a
// real Vault server. It takes some minutes; run it with -benchtime 1x.
func BenchmarkStress(b *testing.B) {
	server := started(b)
	for b.Loop() {
		f, err := scale.Measure(b.Context(), server, scale.Stress)
		if err != nil {
			b.Fatal(err)
		}
		mib := func(bytes int64) float64 { return float64(bytes) / (1 << 20) }
		b.ReportMetric(mib(f.AtRest), "MiB/empty")
		b.ReportMetric(mib(f.Resident), "MiB/planted")
		b.ReportMetric(mib(f.Peak), "MiB/peak")
		b.ReportMetric(f.Start.Seconds(), "s/start")
		b.ReportMetric(f.Issue.Seconds(), "s/first-issue")
		b.ReportMetric(f.Complete.Seconds(), "s/complete")
		b.ReportMetric(f.ListRoles.Seconds(), "s/list-roles")
		b.ReportMetric(f.ListStaticRoles.Seconds(), "s/list-static-roles")
		b.ReportMetric(f.ListUsers.Seconds(), "s/list-users")
	}
}

// BenchmarkNoise has one of 50 mounts of a process be noisy.
func BenchmarkNoise(b *testing.B) {
	server := started(b)
	for b.Loop() {
		n, err := scale.MeasureNoise(b.Context(), server, 50)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n.Quiet.P50.Milliseconds()), "ms/quiet-p50")
		b.ReportMetric(float64(n.Quiet.P95.Milliseconds()), "ms/quiet-p95")
		b.ReportMetric(float64(n.Beside.P50.Milliseconds()), "ms/beside-p50")
		b.ReportMetric(float64(n.Beside.P95.Milliseconds()), "ms/beside-p95")
		b.ReportMetric(float64(n.Issued), "noisy-issued")
		b.ReportMetric(float64(n.Memory)/(1<<20), "MiB")
	}
}
