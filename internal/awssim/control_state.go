package awssim

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
)

// controlSave answers the state, secrets included; controlLoad takes it back.
func (s *Sim) controlSave(w http.ResponseWriter, _ *http.Request) {
	var state bytes.Buffer
	if err := s.Save(&state); err != nil {
		complain(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = state.WriteTo(w) // the client may be gone
}

func (s *Sim) controlLoad(w http.ResponseWriter, r *http.Request) {
	if err := s.Load(r.Body); err != nil {
		complain(w, err)
		return
	}
	answer(w, done{})
}

func (s *Sim) controlInterfere(w http.ResponseWriter, r *http.Request) {
	var in Interference
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	answerCredentials(w, func() (Credentials, error) { return s.Interfere(in) })
}

// controlPreset puts the settings of a preset in force and answers them.
func (s *Sim) controlPreset(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Preset string `json:"preset"`
	}
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	settings, err := Preset(in.Preset)
	if err != nil {
		complain(w, err)
		return
	}
	s.Configure(func(now *Settings) { *now = settings })
	answer(w, s.Settings())
}

// controlIssuer takes the public key of an OIDC provider, in PEM.
func (s *Sim) controlIssuer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		URL string `json:"url"`
		Key string `json:"public_key"`
	}
	if err := readControl(r, &in); err != nil {
		complain(w, err)
		return
	}
	block, _ := pem.Decode([]byte(in.Key))
	if block == nil {
		complain(w, errors.New("public_key is no PEM"))
		return
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err == nil {
		err = s.putIssuer(in.URL, key)
	}
	if err != nil {
		complain(w, err)
		return
	}
	answer(w, done{})
}
