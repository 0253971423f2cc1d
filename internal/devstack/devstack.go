// Package devstack starts what the demo and the end-to-end tests run against:
// the AWS simulator and a Vault server in dev mode that may run the plugin.
//
// Everything listens on 127.0.0.1 at free ports, keeps its files in one
// scratch folder and ends with [Stack.Stop], plugin processes included. A
// process gets the environment written down in env.go and nothing of ours: what
// a machine sets for its own AWS or TLS clients must not reach them.
//
// [Find] looks up the binaries, [Start] starts a [Stack], [Stack.Command] is
// the vault CLI against it, [Sim] the control API of the simulator.
// [StartCluster] starts a [Cluster] instead, whose nodes can be killed and
// started again.
package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// RootToken is the root token of every Vault server started here.
const RootToken = "root"

// Stack is a running simulator and a running Vault server.
type Stack struct {
	Sim       *Sim
	VaultAddr string // the URL of the server
	VaultCA   string // PEM file of the authority of its certificate; "" without TLS
	Binaries  Binaries

	dir      string // scratch: homes, sockets, logs
	logLevel string
	simArgs  []string
	vault    *process
}

// Spec says what to start.
type Spec struct {
	Binaries Binaries
	VaultEnv []string // NAME=value pairs for the Vault server, besides its own few
	LogLevel string   // of the Vault server and its plugins; "": debug
	TLS      bool     // serve Vault over TLS, by an authority of its own
	SimArgs  []string // of the simulator, such as "-tls"; the Vault server trusts it
}

// Start starts the simulator and the Vault server and returns when both
// answer. The caller must call Stop, whatever becomes of ctx.
func Start(ctx context.Context, spec Spec) (*Stack, error) {
	s, err := newStack(spec)
	if err != nil {
		return nil, err
	}
	if spec.TLS {
		s.VaultCA = s.path("tls/vault-ca.pem") // the name that Vault gives it
	}
	if err := s.start(ctx, spec.VaultEnv); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// newStack makes the scratch folder of a stack.
func newStack(spec Spec) (*Stack, error) {
	// Short on purpose: the plugin's socket lies below it, and the path of a
	// socket may have about 100 bytes.
	dir, err := os.MkdirTemp("", "vault-aws-")
	return &Stack{Binaries: spec.Binaries, dir: dir, logLevel: cmp.Or(spec.LogLevel, "debug"), simArgs: spec.SimArgs}, err
}

func (s *Stack) start(ctx context.Context, vaultEnv []string) error {
	if err := s.makeFolders(); err != nil {
		return err
	}
	if err := s.startSim(ctx); err != nil {
		return err
	}
	return s.startVault(ctx, vaultEnv)
}

// Stop ends both processes and what they started, and removes the scratch
// folder. It may be called more than once.
func (s *Stack) Stop() error {
	if s.vault != nil {
		s.vault.stop()
	}
	if s.Sim != nil {
		s.Sim.process.stop()
	}
	return os.RemoveAll(s.dir)
}

// Command is a vault command against this server. Its environment is complete;
// extra NAME=value pairs win over ours.
func (s *Stack) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.Binaries.Vault, args...)
	cmd.Env = s.ClientEnv()
	return cmd
}

// ClientEnv is the whole environment of a vault command.
func (s *Stack) ClientEnv() []string {
	env := append(s.env(), "VAULT_ADDR="+s.VaultAddr, "VAULT_TOKEN="+RootToken)
	if s.VaultCA != "" {
		env = append(env, "VAULT_CACERT="+s.VaultCA)
	}
	return env
}

// VaultPID is the process id of the Vault server, whose children the plugin
// processes are.
func (s *Stack) VaultPID() int { return s.vault.pid() }

// VaultLog is what the Vault server has logged.
func (s *Stack) VaultLog() string { return s.vault.output() }

// env is the environment that every process gets. It is written down rather
// than filtered from ours: AWS_CA_BUNDLE, SSL_CERT_FILE, proxies and profiles
// of the machine would reach into the clients under test.
func (s *Stack) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + s.path("home"),
		"TMPDIR=" + s.path("tmp"),
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

// path is a path in the scratch folder.
func (s *Stack) path(name string) string { return filepath.Join(s.dir, name) }

func (s *Stack) makeFolders() error {
	for _, name := range []string{"home", "tmp", "tls"} {
		if err := os.Mkdir(s.path(name), 0o700); err != nil {
			return fmt.Errorf("make scratch folder: %w", err)
		}
	}
	return nil
}
