package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page of the documentation, as far as it shows commands.
type page struct {
	name     string // below docs/, or README.md
	commands []string
	norun    []norun
}

// A norun is a block whose commands cannot be run here, and why.
type norun struct{ reason, text string }

var (
	// fence begins or ends a block; what follows it says what the block is.
	fence = regexp.MustCompile("^( *)```(.*)$")

	// hereDocument is a command's input that follows it, up to the word.
	hereDocument = regexp.MustCompile(`<<-?'?(\w+)'?`)
)

// mustPages reads README.md and everything below docs/ but the decisions.
func mustPages(t *testing.T) []page {
	t.Helper()
	var pages []page
	for _, pattern := range []string{"../../docs/*.md", "../../docs/howto/*.md", "../../README.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no pages %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(strings.TrimPrefix(path, "../../"), "docs/")
			pages = append(pages, readPage(name, string(text)))
		}
	}
	return pages
}

// readPage finds the blocks "console", whose commands are run, and "console
// norun: REASON". Other blocks show output or files.
func readPage(name, text string) page {
	p := page{name: name}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		open := fence.FindStringSubmatch(lines[i])
		if open == nil {
			continue
		}
		var block []string
		for i++; i < len(lines) && fence.FindStringSubmatch(lines[i]) == nil; i++ {
			block = append(block, strings.TrimPrefix(lines[i], open[1]))
		}
		if open[2] == "console" {
			p.commands = append(p.commands, commandsOf(block)...)
		} else if reason, ok := strings.CutPrefix(open[2], "console norun"); ok {
			p.norun = append(p.norun, norun{strings.TrimLeft(reason, ": "), strings.Join(block, "\n")})
		}
	}
	return p
}

// commandsOf are the commands of a block, which begin with "$ ". One goes on after
// a backslash, inside single quotes, and through the document that it reads; what
// follows is output.
func commandsOf(block []string) []string {
	var commands []string
	for i := 0; i < len(block); i++ {
		command, ok := strings.CutPrefix(block[i], "$ ")
		if !ok {
			continue
		}
		for i+1 < len(block) && goesOn(command) {
			i++
			command += "\n" + block[i]
		}
		if word := hereDocument.FindStringSubmatch(command); word != nil {
			for i+1 < len(block) && !strings.HasSuffix(command, "\n"+word[1]) {
				i++
				command += "\n" + block[i]
			}
		}
		commands = append(commands, command)
	}
	return commands
}

// goesOn reports whether the shell would ask for another line.
func goesOn(command string) bool {
	return strings.HasSuffix(command, `\`) || strings.Count(command, "'")%2 == 1
}

func TestReadPage(t *testing.T) {
	text := strings.Join([]string{
		"# A page", "", "```console", "$ one \\", "    more", "its output", "$ two <<'END'", "a document", "END", "$ three 'quoted", "on'", "```",
		"1. a list", "   ```console", "   $ four", "   ```", "```console norun: needs a cloud", "$ five", "```", "```text", "$ six", "```",
	}, "\n")
	p := readPage("x.md", text)
	want := []string{"one \\\n    more", "two <<'END'\na document\nEND", "three 'quoted\non'", "four"}
	if got := strings.Join(p.commands, "|"); got != strings.Join(want, "|") {
		t.Errorf("commands = %q, want %q", p.commands, want)
	}
	if len(p.norun) != 1 || p.norun[0] != (norun{"needs a cloud", "$ five"}) {
		t.Errorf("not run = %q", p.norun)
	}
}
