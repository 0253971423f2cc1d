package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"vault-plugin-secrets-aws/internal/devstack"
)

// startStack starts the simulator and Vault for this script.
func startStack(s *script, args []string) error {
	args, bare := without(args, "-bare")
	args, trace := without(args, "-trace")
	spec := devstack.Spec{Binaries: s.binaries, VaultEnv: args}
	if trace {
		spec.LogLevel = "trace"
	}
	stack, err := devstack.Start(s.ctx, spec)
	if err != nil {
		return err
	}
	s.stack = stack
	s.ts.Defer(func() { s.stopStack() })
	if err := s.setStackVariables(); err != nil || bare {
		return err
	}
	return s.register()
}

// without takes an option out of the arguments, and says whether it was there.
func without(args []string, option string) (rest []string, found bool) {
	rest = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == option })
	return rest, len(rest) < len(args)
}

// register registers the plugin as the aws engine.
func (s *script) register() error {
	args, err := s.binaries.RegisterArgs("aws")
	if err != nil {
		return err
	}
	if out, err := s.stack.Command(s.ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("register the plugin: %w: %s", err, out)
	}
	return nil
}

// stopStack stops the processes; Vault's own log goes into the script's, which
// testscript shows if the script fails.
func (s *script) stopStack() {
	s.ts.Logf("[vault server]\n%s", s.stack.VaultLog())
	if err := s.stack.Stop(); err != nil {
		s.ts.Logf("stop: %v", err)
	}
}

// setStackVariables tells the script where everything is. The vault command
// itself must not repeat requests: a second attempt makes a second user.
func (s *script) setStackVariables() error {
	sum, err := s.binaries.PluginSHA256()
	if err != nil {
		return err
	}
	version, err := s.binaries.PluginVersion()
	if err != nil {
		return err
	}
	sim := s.stack.Sim
	for name, value := range map[string]string{
		"VAULT_ADDR": s.stack.VaultAddr, "VAULT_TOKEN": devstack.RootToken, "VAULT_MAX_RETRIES": "0",
		"SHA256": sum, "VERSION": version, "COMMAND": devstack.PluginName,
		"ENDPOINT": sim.Endpoint, "ACCOUNT": sim.Account,
		"ADMIN_ACCESS": sim.AccessKey, "ADMIN_SECRET": sim.SecretKey,
	} {
		s.ts.Setenv(name, value)
	}
	return nil
}

// vault runs the vault command with the script's address and token.
func vault(s *script, args []string) error {
	cmd := exec.CommandContext(s.ctx, s.binaries.Vault, args...)
	cmd.Dir = s.ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "VAULT_ADDR", "VAULT_TOKEN", "VAULT_MAX_RETRIES"} {
		cmd.Env = append(cmd.Env, name+"="+s.ts.Getenv(name))
	}
	cmd.Stdout, cmd.Stderr = &s.stdout, &s.stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return refusef("vault: %v", err)
	}
	return err
}

// api sends one request to Vault's HTTP API and prints what comes back.
func api(s *script, args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errUsage
	}
	body := strings.Join(args[2:], "")
	status, answer, err := s.request(args[0], args[1], []byte(body))
	fmt.Fprintf(&s.stdout, "%d\n%s\n", status, answer)
	return err
}

// request sends one request to Vault's HTTP API.
func (s *script) request(method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(s.ctx, method, s.stack.VaultAddr+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Vault-Token", s.ts.Getenv("VAULT_TOKEN"))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// serverLog prints the lines of the Vault server's log that match a pattern.
// With -mark, what is logged so far counts no more from then on.
func serverLog(s *script, args []string) error {
	log := s.stack.VaultLog()
	if len(args) == 1 && args[0] == "-mark" {
		s.logMark = len(log)
		return nil
	}
	return s.matching(strings.Split(log[s.logMark:], "\n"), args)
}

// killPlugin ends the plugin processes of this Vault server without warning.
func killPlugin(s *script, _ []string) error {
	pids, err := children(s.stack.VaultPID())
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return errors.New("no plugin process")
	}
	for _, pid := range pids {
		fmt.Fprintln(&s.stdout, pid)
		err = errors.Join(err, syscall.Kill(pid, syscall.SIGKILL))
	}
	return err
}

// children lists the processes that a process has started.
func children(parent int) ([]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	var pids []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid ...; the name may hold anything.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))); fields[1] == strconv.Itoa(parent) {
			pids = append(pids, pid)
		}
	}
	return pids, err
}

// get reads a path of Vault's HTTP API as JSON.
func (s *script) get(path string, into any) error {
	status, body, err := s.request(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("read %s: %d %s", path, status, body)
	}
	return json.Unmarshal(body, into)
}
