package awssim

import (
	"encoding/json"
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

// Settings are how AWS feels from outside: slow, busy, miserly.
type Settings struct {
	Latency  time.Duration // every call waits this long before anything else
	Throttle Throttle      // of IAM, per account
	PageSize int           // most items on a page, whatever MaxItems says; 0: no cap
	MaxUsers int           // users per account; 0 is 5000
	MaxSkew  time.Duration // of a signature's date against the simulator's clock; 0 is 5 minutes
}

// Throttle is a token bucket. IAM's real numbers are unpublished.
type Throttle struct {
	Rate  float64 `json:"rate"`  // calls a second; 0: no throttling
	Burst int     `json:"burst"` // calls at once; at least 1
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
	Latency  *duration `json:"latency,omitempty"`
	Throttle *Throttle `json:"throttle,omitempty"`
	PageSize *int      `json:"page_size,omitempty"`
	MaxUsers *int      `json:"max_users,omitempty"`
	MaxSkew  *duration `json:"max_skew,omitempty"`
}

// MarshalJSON writes durations as Go writes them: "150ms".
func (s Settings) MarshalJSON() ([]byte, error) {
	latency, skew := duration(s.Latency), duration(s.MaxSkew)
	return json.Marshal(settingsJSON{&latency, &s.Throttle, &s.PageSize, &s.MaxUsers, &skew})
}

// UnmarshalJSON changes the fields that are present and refuses unknown ones.
func (s *Settings) UnmarshalJSON(data []byte) error {
	var in settingsJSON
	if err := strictJSON(data, &in); err != nil {
		return err
	}
	assign(&s.Latency, (*time.Duration)(in.Latency))
	assign(&s.Throttle, in.Throttle)
	assign(&s.PageSize, in.PageSize)
	assign(&s.MaxUsers, in.MaxUsers)
	assign(&s.MaxSkew, (*time.Duration)(in.MaxSkew))
	return s.validate()
}

func (s *Settings) validate() error {
	if s.Latency < 0 || s.MaxSkew < 0 || s.PageSize < 0 || s.MaxUsers < 0 || s.Throttle.Rate < 0 || s.Throttle.Burst < 0 {
		return fmt.Errorf("settings must not be negative")
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

func (s *Sim) latency() time.Duration { return s.Settings().Latency }
