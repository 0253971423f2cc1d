package metrics_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/metrics"

	"github.com/google/go-cmp/cmp"
)

type weather struct {
	rain float64
	wind map[string]float64
}

func newSet() *metrics.Set[weather] {
	return metrics.New(
		metrics.Timer{Name: "test_took_seconds", Help: "How long it took.", Labels: []string{"what"}, Buckets: []float64{1, 2}},
		[]metrics.Family[weather]{{
			Name: "test_rain_total", Help: "Rain.", Kind: metrics.Counter,
			Read: func(w weather, tell func(float64, ...string)) { tell(w.rain) },
		}, {
			Name: "test_wind", Help: "Wind.", Kind: metrics.Gauge, Labels: []string{"where"},
			Read: func(w weather, tell func(float64, ...string)) {
				for where, much := range w.wind {
					tell(much, where)
				}
			},
		}},
	)
}

func TestSet(t *testing.T) {
	s := newSet()
	s.Observe(1500*time.Millisecond, "a \"b\"\n")
	now := weather{rain: 2, wind: map[string]float64{"north": 3, "south": 0}}

	text, contentType, err := s.Text(now)
	if err != nil {
		t.Fatal(err)
	}
	if want := "text/plain; version=0.0.4; charset=utf-8"; contentType != want {
		t.Errorf("content type %q, want %q", contentType, want)
	}
	const wantText = `# HELP test_rain_total Rain.
# TYPE test_rain_total counter
test_rain_total 2
# HELP test_took_seconds How long it took.
# TYPE test_took_seconds histogram
test_took_seconds_bucket{what="a \"b\"\n",le="1"} 0
test_took_seconds_bucket{what="a \"b\"\n",le="2"} 1
test_took_seconds_bucket{what="a \"b\"\n",le="+Inf"} 1
test_took_seconds_sum{what="a \"b\"\n"} 1.5
test_took_seconds_count{what="a \"b\"\n"} 1
# HELP test_wind Wind.
# TYPE test_wind gauge
test_wind{where="north"} 3
test_wind{where="south"} 0
`
	if diff := cmp.Diff(wantText, string(text)); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}

	values, err := s.Values(now)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := json.MarshalIndent(values, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const wantValues = `{
 "test_rain_total": 2,
 "test_took_seconds": [
  {
   "count": 1,
   "sum": 1.5,
   "what": "a \"b\"\n"
  }
 ],
 "test_wind": [
  {
   "value": 3,
   "where": "north"
  },
  {
   "value": 0,
   "where": "south"
  }
 ]
}`
	if diff := cmp.Diff(wantValues, string(shown)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestSetWithoutValues: what nothing is known of is absent, and no error.
func TestSetWithoutValues(t *testing.T) {
	values, err := newSet().Values(weather{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"test_rain_total": 0.0}, values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// TestSetsDoNotClash: as many mounts as there may be share a process, and each is
// scraped and told of at the same time.
func TestSetsDoNotClash(t *testing.T) {
	var all sync.WaitGroup
	for i := range 50 {
		s := newSet()
		for range 4 {
			all.Go(func() {
				s.Observe(time.Second, fmt.Sprint(i))
				if _, _, err := s.Text(weather{rain: float64(i)}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}
