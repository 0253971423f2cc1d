package awssim_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
	"vault-plugin-secrets-aws/internal/awssim/simtest"
)

// BenchmarkGetCallerIdentity signs, calls and reads answers on loopback, one
// client for each processor, and prints requests a second:
//
//	go test -run '^$' -bench GetCallerIdentity -cpu 2 ./internal/awssim
func BenchmarkGetCallerIdentity(b *testing.B) {
	sim := awssim.New(awssim.Options{})
	server := httptest.NewServer(sim)
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	cfg := simtest.Config(server.URL, sim.Admin())
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req := form(b, server.URL, "Action=GetCallerIdentity&Version=2011-06-15")
			sign(b, req, cfg, signing{service: "sts"})
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Error(resp.Status)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	clients := float64(runtime.GOMAXPROCS(0))
	b.ReportMetric(float64(b.Elapsed()/time.Microsecond)*clients/float64(b.N), "µs/call")
}
