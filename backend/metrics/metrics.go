// Package metrics is the metrics of one mount: how they are kept, read and
// written down. What there is to measure it does not know.
//
// Each mount has a set of its own, so that any number of them share a process.
package metrics

import (
	"bytes"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Kind is what becomes of a figure over time.
type Kind int

// The kinds.
const (
	Counter Kind = iota // it only grows, from 0 at the start of the process
	Gauge
)

func (k Kind) valueType() prometheus.ValueType {
	if k == Counter {
		return prometheus.CounterValue
	}
	return prometheus.GaugeValue
}

// Family is one metric that is read at each scrape, out of what S is then. Read
// emits a value for each set of label values; none where nothing is known.
//
// Invariant: the values of a label come from a table in the code, so that there
// are few of them, and none is a secret.
type Family[S any] struct {
	Name   string
	Help   string
	Kind   Kind
	Labels []string
	Read   func(s S, emit func(value float64, labels ...string))
}

// Timer is one metric that is told of durations as they happen.
type Timer struct {
	Name    string
	Help    string
	Labels  []string
	Buckets []float64 // seconds
}

// Set is the metrics of one mount. It is safe for concurrent use.
type Set[S any] struct {
	families []Family[S]
	timer    Timer
	observed *prometheus.HistogramVec
	kept     *prometheus.Registry
	scrapes  sync.Mutex // one is made at a time: what asks for more gains nothing
}

// New returns a set.
func New[S any](timer Timer, families []Family[S]) *Set[S] {
	s := &Set[S]{families: families, timer: timer, kept: prometheus.NewRegistry()}
	s.observed = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: timer.Name, Help: timer.Help, Buckets: timer.Buckets}, timer.Labels)
	s.kept.MustRegister(s.observed)
	return s
}

// Observe tells the timer of a duration.
func (s *Set[S]) Observe(took time.Duration, labels ...string) {
	s.observed.WithLabelValues(labels...).Observe(took.Seconds())
}

// gather reads all metrics, sorted by name.
func (s *Set[S]) gather(now S) ([]*dto.MetricFamily, error) {
	s.scrapes.Lock()
	defer s.scrapes.Unlock()
	read := prometheus.NewRegistry()
	if err := read.Register(scrape[S]{s.families, now}); err != nil {
		return nil, err
	}
	return prometheus.Gatherers{s.kept, read}.Gather()
}

// scrape is the families as they are read once.
type scrape[S any] struct {
	families []Family[S]
	now      S
}

func (f Family[S]) desc() *prometheus.Desc {
	return prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)
}

// Describe implements prometheus.Collector.
func (s scrape[S]) Describe(to chan<- *prometheus.Desc) {
	for _, f := range s.families {
		to <- f.desc()
	}
}

// Collect implements prometheus.Collector.
func (s scrape[S]) Collect(to chan<- prometheus.Metric) {
	for _, f := range s.families {
		f.Read(s.now, func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(f.desc(), f.Kind.valueType(), value, labels...)
		})
	}
}

// Text is all metrics in the text format of Prometheus, and its content type.
func (s *Set[S]) Text(now S) (text []byte, contentType string, err error) {
	families, err := s.gather(now)
	if err != nil {
		return nil, "", err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var out bytes.Buffer
	encoder := expfmt.NewEncoder(&out, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, "", err
		}
	}
	return out.Bytes(), string(format), nil
}

// Values is all metrics by name: a number of one without labels, else a list of
// its labels and values. The timer has the count and the sum of what it was told,
// in seconds.
func (s *Set[S]) Values(now S) (map[string]any, error) {
	families, err := s.gather(now)
	if err != nil {
		return nil, err
	}
	values := make(map[string]any)
	for _, family := range families {
		list := []map[string]any{}
		for _, metric := range family.GetMetric() {
			list = append(list, valuesOf(metric))
		}
		if len(list) == 1 && len(list[0]) == 1 {
			values[family.GetName()] = list[0]["value"]
		} else {
			values[family.GetName()] = list
		}
	}
	return values, nil
}

func valuesOf(m *dto.Metric) map[string]any {
	values := make(map[string]any)
	for _, label := range m.GetLabel() {
		values[label.GetName()] = label.GetValue()
	}
	switch {
	case m.GetHistogram() != nil:
		values["count"], values["sum"] = m.GetHistogram().GetSampleCount(), m.GetHistogram().GetSampleSum()
	case m.GetCounter() != nil:
		values["value"] = m.GetCounter().GetValue()
	default:
		values["value"] = m.GetGauge().GetValue()
	}
	return values
}

// Described is a metric as it is declared.
type Described struct {
	Name, Help, Type string
	Labels           []string
}

// Describe lists all metrics as they are declared.
func (s *Set[S]) Describe() []Described {
	all := []Described{{Name: s.timer.Name, Help: s.timer.Help, Type: "histogram", Labels: s.timer.Labels}}
	for _, f := range s.families {
		kind := "gauge"
		if f.Kind == Counter {
			kind = "counter"
		}
		all = append(all, Described{Name: f.Name, Help: f.Help, Type: kind, Labels: f.Labels})
	}
	return all
}
