package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// thorough returns the flags and environment of a full run: shuffled, and with
// the race detector where there is a C compiler.
func thorough(out io.Writer) (flags, env []string, err error) {
	flags = []string{"-shuffle=on"}
	if haveCompiler() {
		return append(flags, "-race"), []string{"CGO_ENABLED=1"}, nil
	}
	fmt.Fprintln(out, "SKIP race: no C compiler")
	if os.Getenv("REQUIRE_RACE") == "1" {
		return nil, nil, errors.New("REQUIRE_RACE=1, but there is no C compiler for the race detector")
	}
	return flags, []string{"CGO_ENABLED=0"}, nil // else a CC that is set has Go call it all the same
}

// haveCompiler reports whether the C compiler that Go would call is there.
func haveCompiler() bool {
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return false
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(cc)), " ")
	_, err = exec.LookPath(name)
	return err == nil
}
