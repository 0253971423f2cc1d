//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// owned refuses what belongs to another user.
func owned(file fs.FileInfo) error {
	if stat, ok := file.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Geteuid() {
		return errors.New("belongs to another user: remove it")
	}
	return nil
}
