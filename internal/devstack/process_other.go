//go:build !linux

package devstack

import "syscall"

// ownGroup puts a process at the head of a new process group.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
