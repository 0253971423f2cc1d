package devstack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"

	"vault-plugin-secrets-aws/internal/awssim"
)

// simStart is how long the simulator may take to say where it listens.
const simStart = 30 * time.Second

// Sim is the running simulator. The exported fields are what it printed when
// it started; the keys are those of an administrator.
type Sim struct {
	Endpoint  string `json:"endpoint"`
	Account   string `json:"account"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	CA        string `json:"ca"` // PEM file of its authority; "" without TLS

	HTTP *http.Client `json:"-"` // trusts the simulator

	process *process
}

// startSim starts the simulator and reads the line it prints.
func (s *Stack) startSim(ctx context.Context) error {
	cmd := exec.Command(s.Binaries.Awssim, append([]string{"-listen", "127.0.0.1:0"}, s.simArgs...)...)
	cmd.Env = s.env()
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout = in
	p, err := startProcess(cmd, s.path("awssim.log"))
	in.Close()
	if err != nil {
		return fmt.Errorf("start the simulator: %w", err)
	}
	s.Sim = &Sim{process: p}
	line, err := firstLine(ctx, out)
	if err == nil {
		err = json.Unmarshal(line, s.Sim)
	}
	if err != nil {
		return fmt.Errorf("the simulator did not come up: %w\n%s", err, p.output())
	}
	return s.trustSim()
}

// firstLine returns the first line that comes out of r, discards the rest and
// closes r at its end.
func firstLine(ctx context.Context, r io.ReadCloser) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, simStart)
	defer cancel()
	lines := make(chan []byte, 1)
	go func() {
		defer r.Close()
		in := bufio.NewReader(r)
		line, _ := in.ReadBytes('\n')
		lines <- line
		_, _ = io.Copy(io.Discard, in)
	}()
	select {
	case line := <-lines:
		if len(line) == 0 {
			return nil, errors.New("it ended without a word")
		}
		return line, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// State is what the simulator stores.
func (s *Sim) State(ctx context.Context) (awssim.State, error) {
	var state awssim.State
	return state, s.get(ctx, "state", &state)
}

// Users are the names of the account's users, sorted, but for the
// administrator whose key the simulator printed.
func (s *Sim) Users(ctx context.Context) ([]string, error) {
	state, err := s.State(ctx)
	var names []string
	for name, user := range state.Accounts[s.Account].Users {
		ours := func(k awssim.Key) bool { return k.ID == s.AccessKey }
		if !slices.ContainsFunc(user.Keys, ours) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// Calls are the calls of AWS that the simulator took, in order.
func (s *Sim) Calls(ctx context.Context) ([]awssim.Call, error) {
	var calls []awssim.Call
	return calls, s.get(ctx, "journal", &calls)
}

func (s *Sim) get(ctx context.Context, path string, into any) error {
	answer, err := s.Control(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// Control sends one request to the simulator's control API and returns the
// answer. Only 2xx is no error.
func (s *Sim) Control(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.Endpoint+"/_sim/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := s.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return answer, err
}
