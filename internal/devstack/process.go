package devstack

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// stopGrace is how long a process may take to end by itself. A Vault server in
// dev mode takes milliseconds.
const stopGrace = 10 * time.Second

// A process is a child of ours at the head of a process group, so that what it
// starts itself (a Vault server its plugins) ends with it.
type process struct {
	cmd  *exec.Cmd
	log  string // file
	done chan struct{}
	stop func() // may be called more than once
}

// startProcess starts cmd with its standard error, and its standard output
// unless the caller has a use for it, at the end of the log file.
func startProcess(cmd *exec.Cmd, logFile string) (*process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: logFile, done: make(chan struct{})}
	p.stop = sync.OnceFunc(p.end)
	go func() {
		_ = cmd.Wait() // how it ended is in the log
		close(p.done)
	}()
	return p, nil
}

// pid is also the id of the process group.
func (p *process) pid() int { return p.cmd.Process.Pid }

// end asks the process to end, then ends the whole group.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopGrace):
	}
	_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
	<-p.done
}

// ended reports whether the process is gone.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// output is what the process has logged.
func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return fmt.Sprintf("(%v)", err)
	}
	return string(text)
}
