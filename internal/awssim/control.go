package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const controlPrefix = "/_sim/"

func isControl(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, controlPrefix) }

// controlHandler serves the control API. It is not authenticated: the
// simulator listens on loopback and holds nothing of value. It is never slow,
// throttled, faulty or journalled.
func (s *Sim) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/state", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.State()) })
	mux.HandleFunc("GET /_sim/journal", s.controlJournal)
	mux.HandleFunc("GET /_sim/settings", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Settings()) })
	mux.HandleFunc("POST /_sim/settings", s.controlSettings)
	mux.HandleFunc("GET /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.Faults()) })
	mux.HandleFunc("POST /_sim/faults", s.controlInject)
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { s.ClearFaults(); answer(w, done{}) })
	mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) { s.Reset(); answer(w, done{}) })
	mux.HandleFunc("POST /_sim/accounts", s.controlAccount)
	mux.HandleFunc("POST /_sim/rootkey", s.controlRootKey)
	mux.HandleFunc("POST /_sim/advance", s.controlAdvance)
	mux.HandleFunc("POST /_sim/interfere", s.controlInterfere)
	mux.HandleFunc("POST /_sim/preset", s.controlPreset)
	mux.HandleFunc("POST /_sim/issuers", s.controlIssuer)
	mux.HandleFunc("GET /_sim/save", s.controlSave)
	mux.HandleFunc("POST /_sim/load", s.controlLoad)
	return mux
}

// done is the answer of what has nothing to say: {}.
type done struct{}

func answer(w http.ResponseWriter, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		complain(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // the client may be gone
}

// complain answers 400 {"error": "…"}.
func complain(w http.ResponseWriter, err error) {
	body, _ := json.Marshal(map[string]string{"error": err.Error()}) // a map of strings always marshals
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = w.Write(append(body, '\n'))
}

// strictJSON reads one JSON value and refuses unknown fields and whatever
// follows.
func strictJSON(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("bad JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("bad JSON: something follows the first value")
	}
	return nil
}

// readControl reads a request's JSON.
func readControl(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return strictJSON(body, into)
}

func (s *Sim) controlJournal(w http.ResponseWriter, r *http.Request) {
	since := int64(0)
	if text := r.URL.Query().Get("since"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			complain(w, fmt.Errorf("since=%q is no sequence number", text))
			return
		}
		since = n
	}
	answer(w, s.journalSince(since))
}

// controlSettings changes the settings that are sent and answers all.
func (s *Sim) controlSettings(w http.ResponseWriter, r *http.Request) {
	var body json.RawMessage
	if err := readControl(r, &body); err != nil {
		complain(w, err)
		return
	}
	if err := s.changeSettings(body); err != nil {
		complain(w, err)
		return
	}
	answer(w, s.Settings())
}

func (s *Sim) changeSettings(body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.settings
	if err := json.Unmarshal(body, &next); err != nil {
		return err
	}
	s.settings = next.withDefaults()
	return nil
}

// controlInject takes one fault or a list of them.
func (s *Sim) controlInject(w http.ResponseWriter, r *http.Request) {
	var items oneOrMany
	if err := readControl(r, &items); err != nil {
		complain(w, err)
		return
	}
	faults := make([]Fault, len(items))
	for i, item := range items {
		if err := faults[i].UnmarshalJSON(item); err != nil {
			complain(w, err)
			return
		}
	}
	if err := s.inject(faults); err != nil {
		complain(w, err)
		return
	}
	answer(w, s.Faults())
}

func (s *Sim) controlAccount(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Account string `json:"account"`
		Region  string `json:"region"` // decides the partition
	}{Region: s.options.Region}
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	answerCredentials(w, func() (Credentials, error) { return s.newAccount(in.Region, in.Account) })
}

func (s *Sim) controlRootKey(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Account string `json:"account"`
	}
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	answerCredentials(w, func() (Credentials, error) { return s.newRootKey(in.Account) })
}

func answerCredentials(w http.ResponseWriter, issue func() (Credentials, error)) {
	out, err := issue()
	if err != nil {
		complain(w, err)
		return
	}
	answer(w, out)
}

func (s *Sim) controlAdvance(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Seconds int64 `json:"seconds"`
	}
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	if in.Seconds < 0 {
		complain(w, fmt.Errorf("seconds must not be negative"))
		return
	}
	s.Advance(time.Duration(in.Seconds) * time.Second)
	answer(w, map[string]time.Time{"now": s.Now()})
}
