package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// defaultMaxSkew is how far a signature's date may be off.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
	defaultMaxSkew = 5 * time.Minute
	// defaultMaxUsers is IAM's fixed quota of users per account.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
	defaultMaxUsers = 5000
)

// Settings are how AWS feels from outside: slow, busy, miserly, forgetful.
// Durations and chances are drawn from the seed (chance.go), so that the same
// calls meet the same fate. Lags are on the simulator's clock.
type Settings struct {
	Latency     time.Duration // every call waits this long before anything else
	LatencyMost time.Duration // if longer than Latency: the wait is drawn between the two
	Throttle    Throttle      // of IAM, per account
	ThrottleSTS Throttle      // of STS's signed operations, per account and Region
	PageSize    int           // most items on a page, whatever MaxItems says; 0: no cap
	ShortPages  float64       // chance of a page with fewer items, perhaps none, that says IsTruncated
	MaxUsers    int           // users per account; 0 is 5000
	MaxSkew     time.Duration // of a signature's date against the simulator's clock; 0 is 5 minutes
	MaxSession  time.Duration // no session lives longer, whatever was asked for, so that tests see one end; 0: as AWS

	NewKeyLag  Lag     // how long a new or reactivated key is unknown to whoever checks signatures
	DeadKeyLag Lag     // how long a deleted or deactivated key goes on working
	PolicyLag  Lag     // how long a change of policies, or a new user's or role's, has no effect
	StaleLag   Lag     // how long IAM's reads may miss a change
	StaleReads float64 // chance that a read within StaleLag does

	Chaos     float64 // chance that a call meets a fault of a random kind
	CloseIdle float64 // chance that an idle connection is closed as the next request arrives (Sim.Listener)
}

// Throttle is a token bucket. IAM's real numbers are unpublished.
type Throttle struct {
	Rate  float64 `json:"rate"`  // calls a second; 0: no throttling
	Burst int     `json:"burst"` // calls at once; at least 1
}

// Lag is a delay with a long tail: half of all are in the first eighth of the
// span from Least to Most.
type Lag struct {
	Least time.Duration
	Most  time.Duration // 0: Least, always
}

// drawn is the lag at a chance of 0 to 1.
func (l Lag) drawn(chance float64) time.Duration {
	if l.Most <= l.Least {
		return l.Least
	}
	return l.Least + time.Duration(chance*chance*chance*float64(l.Most-l.Least))
}

func (s Settings) withDefaults() Settings {
	if s.MaxUsers == 0 {
		s.MaxUsers = defaultMaxUsers
	}
	if s.MaxSkew == 0 {
		s.MaxSkew = defaultMaxSkew
	}
	return s
}

// settingsJSON is the wire form; a field that is absent changes nothing.
type settingsJSON struct {
	Latency     *duration `json:"latency,omitempty"`
	LatencyMost *duration `json:"latency_most,omitempty"`
	Throttle    *Throttle `json:"throttle,omitempty"`
	ThrottleSTS *Throttle `json:"throttle_sts,omitempty"`
	PageSize    *int      `json:"page_size,omitempty"`
	ShortPages  *float64  `json:"short_pages,omitempty"`
	MaxUsers    *int      `json:"max_users,omitempty"`
	MaxSkew     *duration `json:"max_skew,omitempty"`
	MaxSession  *duration `json:"max_session,omitempty"`
	NewKeyLag   *Lag      `json:"new_key_lag,omitempty"`
	DeadKeyLag  *Lag      `json:"dead_key_lag,omitempty"`
	PolicyLag   *Lag      `json:"policy_lag,omitempty"`
	StaleLag    *Lag      `json:"stale_lag,omitempty"`
	StaleReads  *float64  `json:"stale_reads,omitempty"`
	Chaos       *float64  `json:"chaos,omitempty"`
	CloseIdle   *float64  `json:"close_idle,omitempty"`
}

// wire is the settings' wire form, sharing their memory.
func (s *Settings) wire() settingsJSON {
	return settingsJSON{
		(*duration)(&s.Latency), (*duration)(&s.LatencyMost), &s.Throttle, &s.ThrottleSTS,
		&s.PageSize, &s.ShortPages, &s.MaxUsers, (*duration)(&s.MaxSkew), (*duration)(&s.MaxSession),
		&s.NewKeyLag, &s.DeadKeyLag, &s.PolicyLag, &s.StaleLag, &s.StaleReads, &s.Chaos, &s.CloseIdle,
	}
}

// MarshalJSON writes durations as Go writes them: "150ms".
func (s Settings) MarshalJSON() ([]byte, error) { return json.Marshal(s.wire()) }

// UnmarshalJSON changes the fields that are present and refuses unknown ones.
func (s *Settings) UnmarshalJSON(data []byte) error {
	next := *s
	in := next.wire()
	if err := strictJSON(data, &in); err != nil {
		return err
	}
	if err := next.validate(); err != nil {
		return err
	}
	*s = next
	return nil
}

// lagJSON is the wire form of a Lag.
type lagJSON struct {
	Least duration `json:"least"`
	Most  duration `json:"most"`
}

// MarshalJSON writes the wire form.
func (l Lag) MarshalJSON() ([]byte, error) {
	return json.Marshal(lagJSON{duration(l.Least), duration(l.Most)})
}

// UnmarshalJSON reads the wire form.
func (l *Lag) UnmarshalJSON(data []byte) error {
	var in lagJSON
	if err := strictJSON(data, &in); err != nil {
		return err
	}
	*l = Lag{time.Duration(in.Least), time.Duration(in.Most)}
	return nil
}

func (s *Settings) validate() error {
	for _, d := range []time.Duration{
		s.Latency, s.LatencyMost, s.MaxSkew, s.MaxSession, s.NewKeyLag.Least, s.NewKeyLag.Most, s.DeadKeyLag.Least, s.DeadKeyLag.Most,
		s.PolicyLag.Least, s.PolicyLag.Most, s.StaleLag.Least, s.StaleLag.Most,
	} {
		if d < 0 {
			return errors.New("settings must not be negative")
		}
	}
	for _, n := range []float64{float64(s.PageSize), float64(s.MaxUsers), s.Throttle.Rate, s.ThrottleSTS.Rate, float64(s.Throttle.Burst), float64(s.ThrottleSTS.Burst)} {
		if n < 0 {
			return errors.New("settings must not be negative")
		}
	}
	for _, chance := range []float64{s.ShortPages, s.StaleReads, s.Chaos, s.CloseIdle} {
		if chance < 0 || chance > 1 {
			return fmt.Errorf("a chance of %v is not between 0 and 1", chance)
		}
	}
	return nil
}

func assign[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// duration is a time.Duration that JSON carries as "1m30s".
type duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf(`%q is no duration such as "150ms" or "1m30s"`, text)
	}
	*d = duration(parsed)
	return nil
}

// Settings returns the settings in force.
func (s *Sim) Settings() Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings
}

// Configure changes the settings in force. The function must not call the
// simulator.
func (s *Sim) Configure(change func(*Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.settings)
	s.settings = s.settings.withDefaults()
}
