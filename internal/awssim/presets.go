package awssim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Preset returns the settings of a name. Only "ideal", the zero value, claims
// nothing; the others are built from what others measured, and guess where
// nobody published anything.
//
//	ideal      at once, consistent, without limits on the rate
//	realistic  latency of 60 to 150 ms, IAM's lag, throttling
//	hostile    everything that can go wrong does, often
//	sts600     STS's quota of 600 calls a second, nothing else
//	tight-iam  two IAM calls a second, nothing else
func Preset(name string) (Settings, error) {
	settings, known := presets()[name]
	if !known {
		return Settings{}, fmt.Errorf("preset %q is none of %s", name, strings.Join(PresetNames(), ", "))
	}
	return settings.withDefaults(), nil
}

// PresetNames are the names that Preset knows, sorted.
func PresetNames() []string { return slices.Sorted(maps.Keys(presets())) }

// presets: the lags follow what section 3.6 of the notes on AWS collects: a
// new key needs 5 to 10 seconds and sometimes more (vault#8413), 3 to 5 in
// the mean with a long tail (vault#687); deleted keys and changed policies lag
// 3 to 4 seconds (OFFENSAI 2025). STS's quota is AWS's (IAM User Guide,
// "Request quotas"); IAM's is unpublished.
func presets() map[string]Settings {
	sts := Throttle{Rate: 600, Burst: 600}
	return map[string]Settings{
		"ideal": {},
		"realistic": {
			Latency: 60 * time.Millisecond, LatencyMost: 150 * time.Millisecond,
			Throttle: Throttle{Rate: 15, Burst: 60}, ThrottleSTS: sts,
			NewKeyLag:  Lag{2 * time.Second, 14 * time.Second},
			DeadKeyLag: Lag{3 * time.Second, 5 * time.Second},
			PolicyLag:  Lag{3 * time.Second, 5 * time.Second},
			StaleLag:   Lag{200 * time.Millisecond, 2 * time.Second},
			StaleReads: 0.02,
		},
		"hostile": {
			Latency: time.Millisecond, LatencyMost: 300 * time.Millisecond,
			Throttle: Throttle{Rate: 10, Burst: 20}, ThrottleSTS: Throttle{Rate: 50, Burst: 50},
			PageSize: 3, ShortPages: 0.3,
			NewKeyLag:  Lag{time.Second, 25 * time.Second},
			DeadKeyLag: Lag{2 * time.Second, 20 * time.Second},
			PolicyLag:  Lag{time.Second, 20 * time.Second},
			StaleLag:   Lag{time.Second, 10 * time.Second},
			StaleReads: 0.25, Chaos: 0.1, CloseIdle: 0.1,
		},
		"sts600":    {ThrottleSTS: sts},
		"tight-iam": {Throttle: Throttle{Rate: 2, Burst: 4}},
	}
}
