package devstack

import "syscall"

// ownGroup puts a process at the head of a new process group. The kernel ends
// it if we die without having stopped it, as when a test run times out; by
// SIGTERM, so that Vault ends its plugins.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
