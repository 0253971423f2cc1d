// Record runs the demo and keeps what a terminal shows of it:
//
//	go run ./scripts/record        after make build vault
//
// It writes docs/images/session.cast, for asciinema play (version 2 of its format),
// and docs/images/session.svg, the same as an animated picture for README.md. The
// pauses are ours, so that it can be read; how long the demo took is not shown.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
)

const (
	castFile = "docs/images/session.cast"
	svgFile  = "docs/images/session.svg"
)

func main() {
	if err := record(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func record(ctx context.Context) error {
	build := exec.CommandContext(ctx, "scripts/build", "demo")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return err
	}
	demo := exec.CommandContext(ctx, "bin/demo", "-oneshot")
	demo.Stderr = os.Stderr
	out, err := demo.Output()
	if err != nil {
		return err
	}
	frames := framesOf(tidied(string(out)))
	return errors.Join(
		os.WriteFile(castFile, castOf(frames), 0o644),
		os.WriteFile(svgFile, []byte(svgOf(frames)), 0o644))
}

// A frame is what appears at once: a remark, a command, or its output.
type frame struct {
	at   float64 // seconds since the start
	text string  // whole lines, each with its newline
}

var (
	// secrets are those of the simulated account. They open nothing; a reader, or
	// a scanner of repositories, should not have to know that.
	secrets = regexp.MustCompile(`(secret_key|security_token|session_token|access_key)([ =]+)(\S{8})\S{8,}`)
	sums    = regexp.MustCompile(`(-sha256=[0-9a-f]{8})[0-9a-f]{56}`)
	machine = regexp.MustCompile(`(?m)^Vault: .*\n`) // where Vault lies on this one
)

// tidied shortens what is long and means nothing.
func tidied(out string) string {
	out = machine.ReplaceAllString(out, "")
	out = sums.ReplaceAllString(out, "$1…")
	return secrets.ReplaceAllString(out, "$1$2$3…")
}

// framesOf cuts the output before each remark and around each command.
func framesOf(out string) []frame {
	var frames []frame
	at := 0.0
	for block := range strings.SplitAfterSeq(out, "\n\n") {
		command, output, _ := strings.Cut(block, "\n")
		if !strings.HasPrefix(command, "$ ") {
			frames = append(frames, frame{at, block})
			at += 1.4
			continue
		}
		frames = append(frames, frame{at, command + "\n"}, frame{at + 0.6, output})
		at += 2.6
	}
	return frames
}

// castOf writes asciinema's format, version 2: a header, then a line for each event.
func castOf(frames []frame) []byte {
	var cast bytes.Buffer
	fmt.Fprintf(&cast, `{"version": 2, "width": %d, "height": %d, "title": "make demo ONESHOT=1"}`+"\n", columns, rows)
	for _, f := range frames {
		text, err := json.Marshal(strings.ReplaceAll(f.text, "\n", "\r\n"))
		if err != nil {
			panic(err) // of a string
		}
		fmt.Fprintf(&cast, "[%.1f, \"o\", %s]\n", f.at, text)
	}
	return cast.Bytes()
}

// readCast is the way back.
func readCast(cast []byte) ([]frame, error) {
	var frames []frame
	for line := range bytes.Lines(cast) {
		var event []any
		if json.Unmarshal(line, &event) != nil {
			continue // the header
		}
		if len(event) != 3 {
			return nil, fmt.Errorf("no event: %s", line)
		}
		at, isTime := event[0].(float64)
		text, isText := event[2].(string)
		if !isTime || !isText {
			return nil, fmt.Errorf("no event: %s", line)
		}
		frames = append(frames, frame{at, strings.ReplaceAll(text, "\r\n", "\n")})
	}
	return frames, nil
}
