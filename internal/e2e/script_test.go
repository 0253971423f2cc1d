package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vault-plugin-secrets-aws/internal/devstack"
	"vault-plugin-secrets-aws/internal/leaks"
)

// A script is the state of one running script.
type script struct {
	ctx      context.Context //nolint:containedctx // testscript's commands are not given one
	ts       *testscript.TestScript
	binaries devstack.Binaries
	stack    *devstack.Stack // nil before the command stack

	remembered map[string]answers // by the name that the script gave
	logMark    int                // how much of Vault's log the script has done with
	secrets    leaks.Secrets
	refusals   []string // what refused commands wrote

	stdout, stderr bytes.Buffer // of the running command
}

// scriptKey is where testscript keeps our state.
type scriptKey struct{}

// setUp prepares a script, which starts nothing by itself.
func setUp(ctx context.Context, env *testscript.Env, binaries devstack.Binaries) error {
	env.Values[scriptKey{}] = &script{ctx: ctx, binaries: binaries, remembered: map[string]answers{}, secrets: leaks.Secrets{}}
	home := filepath.Join(env.WorkDir, ".home")
	tools := filepath.Join(env.WorkDir, ".bin")
	if err := errors.Join(os.Mkdir(home, 0o700), os.Mkdir(tools, 0o700)); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("PATH", tools+string(os.PathListSeparator)+env.Getenv("PATH"))
	plugin := filepath.Join(binaries.PluginDir, devstack.PluginName)
	return errors.Join(
		os.Symlink(binaries.Vault, filepath.Join(tools, "vault")),
		os.Symlink(plugin, filepath.Join(tools, devstack.PluginName)))
}

// A command of a script writes to s.stdout and s.stderr. A *refusal as its
// error is what "!" may expect; any other error fails the script.
type command func(s *script, args []string) error

// refusal says that what a command talked to said no.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

func refusef(format string, args ...any) error {
	return &refusal{fmt.Sprintf(format, args...)}
}

// errUsage says that a command was called wrongly; doc.go has the usage.
var errUsage = errors.New("wrong usage: see the package documentation")

// commands returns every command of ours.
func commands() map[string]command {
	return map[string]command{
		"age":             age,
		"age-static":      ageStatic,
		"api":             api,
		"aws":             callAWS,
		"awssim":          simulator,
		"credential":      credential,
		"envfile":         envFile,
		"iam-user":        iamUser,
		"journal":         listJournal,
		"kill-plugin":     killPlugin,
		"remember":        remember,
		"no-secrets":      noSecrets,
		"secret":          addSecret,
		"serve-container": serveContainer,
		"serve-imds":      serveIMDS,
		"server-log":      serverLog,
		"set":             setVariable,
		"stack":           startStack,
		"stored":          showStored,
		"unchanged":       unchanged,
		"vault":           vault,
	}
}

// testscriptCommands returns our commands as testscript wants them.
func testscriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	known := commands()
	known["await"], known["shows"] = await, shows
	cmds := map[string]func(*testscript.TestScript, bool, []string){}
	for name, cmd := range known {
		cmds[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s := ts.Value(scriptKey{}).(*script)
			s.ts = ts
			err := s.expect(neg, cmd, args)
			s.flush()
			ts.Check(err)
		}
	}
	return cmds
}

// expect runs a command and says whether it did as it should.
func (s *script) expect(neg bool, cmd command, args []string) error {
	s.stdout.Reset()
	s.stderr.Reset()
	err := cmd(s, args)
	no := (*refusal)(nil)
	switch {
	case neg && err == nil:
		return errors.New("unexpected success")
	case neg && errors.As(err, &no):
		s.refusals = append(s.refusals, s.stdout.String()+s.stderr.String())
		return nil
	default:
		return err
	}
}

// flush hands what the command wrote to the script's stdout and stderr checks.
func (s *script) flush() {
	_, _ = s.stdout.WriteTo(s.ts.Stdout())
	_, _ = s.stderr.WriteTo(s.ts.Stderr())
}

// await repeats a command until it does as it should.
func await(s *script, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	neg := args[0] == "!"
	if neg {
		args = args[1:]
	}
	cmd := commands()[args[0]]
	if args[0] == "shows" {
		cmd = shows
	}
	if cmd == nil {
		return fmt.Errorf("await cannot run %q", args[0])
	}
	return s.retry(limit, func() error { return s.expect(neg, cmd, args[1:]) })
}

// shows runs a command and refuses unless its output matches the pattern.
func shows(s *script, args []string) error {
	if len(args) < 2 || commands()[args[1]] == nil {
		return errUsage
	}
	pattern, err := regexp.Compile(args[0])
	if err != nil {
		return err
	}
	if err := commands()[args[1]](s, args[2:]); err != nil {
		return fmt.Errorf("%s: %v", args[1], err) //nolint:errorlint // a refusal is none of ours
	}
	if !pattern.Match(s.stdout.Bytes()) {
		return refusef("no %s in the output", pattern)
	}
	return nil
}

// retry calls try until it succeeds or time is up.
func (s *script) retry(limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", limit, err)
		case <-tick.C:
		}
	}
}

// pairs splits KEY=VALUE arguments. A value @FILE is the content of the file.
func (s *script) pairs(args []string) (map[string]string, error) {
	m := map[string]string{}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not KEY=VALUE", arg)
		}
		if file, ok := strings.CutPrefix(value, "@"); ok {
			value = s.ts.ReadFile(file)
		}
		m[key] = value
	}
	return m, nil
}

// setVariable sets a variable to what the parentheses of a pattern hold in the
// last output.
func setVariable(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	if err != nil {
		return err
	}
	match := pattern.FindStringSubmatch(s.ts.ReadFile("stdout"))
	if len(match) != 2 {
		return fmt.Errorf("the last output has no %s", pattern)
	}
	s.ts.Setenv(args[0], match[1])
	return nil
}

// envFile copies a file and puts in the values of the variables that it names.
func envFile(s *script, args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	text := os.Expand(s.ts.ReadFile(args[0]), s.ts.Getenv)
	return os.WriteFile(s.ts.MkAbs(args[1]), []byte(text), 0o600)
}
