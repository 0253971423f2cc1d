package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// methods are the HTTP methods of operations, in the order they are shown.
var methods = []struct {
	operation logical.Operation
	method    string
}{
	{logical.ListOperation, "LIST"},
	{logical.ReadOperation, "GET"},
	{logical.CreateOperation, "POST (new)"},
	{logical.UpdateOperation, "POST"},
	{logical.PatchOperation, "PATCH"},
	{logical.DeleteOperation, "DELETE"},
}

// A reference is the page as it is written.
type reference struct {
	bytes.Buffer

	sudo []string          // the paths that need it
	told map[string]string // the path by which a help text was given, by the text
}

// writePath writes the section of one path.
func (page *reference) writePath(path *framework.Path) {
	names := namesOf(path.Pattern)
	fmt.Fprintf(page, "\n## %s\n\n%s", strings.Join(names, ", "), strings.TrimSpace(path.HelpSynopsis))
	if slices.ContainsFunc(page.sudo, func(root string) bool { return covers(root, names[0]) }) {
		page.WriteString(" Needs the `sudo` capability.")
	}
	page.WriteString("\n\n| method | |\n|---|---|\n")
	for _, m := range methods {
		if handler, ok := path.Operations[m.operation]; ok {
			fmt.Fprintf(page, "| `%s` | %s |\n", m.method, handler.Properties().Summary)
		}
	}
	page.writeFields(path)
	page.writeHelp(names[0], strings.TrimSpace(path.HelpDescription))
}

// writeHelp writes a help text, once: some paths share one.
func (page *reference) writeHelp(name, text string) {
	if before, ok := page.told[text]; ok {
		fmt.Fprintf(page, "\nMore under [%s](#%[1]s).\n", before)
	} else if text != "" {
		fmt.Fprintf(page, "\n```text\n%s\n```\n", text)
		page.told[text] = name
	}
}

// types are the types of fields as a user thinks of them.
var types = map[framework.FieldType]string{
	framework.TypeDurationSecond: "duration", framework.TypeSignedDurationSecond: "duration",
	framework.TypeCommaStringSlice: "list", framework.TypeStringSlice: "list", framework.TypeKVPairs: "map",
}

// writeFields writes the fields: those of the path first, then by name.
func (page *reference) writeFields(path *framework.Path) {
	if len(path.Fields) == 0 {
		return
	}
	page.WriteString("\n| field | in | type | default | |\n|---|---|---|---|---|\n")
	names := slices.SortedFunc(maps.Keys(path.Fields), func(a, b string) int {
		if inA, inB := inPath(path, a), inPath(path, b); inA != inB {
			return map[bool]int{true: -1, false: 1}[inA]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		field := path.Fields[name]
		text := strings.ReplaceAll(strings.Join(strings.Fields(field.Description), " "), "|", `\|`)
		if field.Deprecated {
			text = "Deprecated. " + text
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s | %s |\n", name, place(path, name), cmp.Or(types[field.Type], field.Type.String()), defaultOf(field), text)
	}
}

func inPath(path *framework.Path, field string) bool {
	return strings.Contains(path.Pattern, "(?P<"+field+">")
}

func place(path *framework.Path, field string) string {
	switch {
	case inPath(path, field):
		return "path"
	case path.Fields[field].Query:
		return "query"
	default:
		return "body"
	}
}

// defaultOf is a default as one would write it.
func defaultOf(field *framework.FieldSchema) string {
	seconds, isInt := field.Default.(int)
	switch {
	case field.Default == nil || field.Default == "":
		return ""
	case isInt && (field.Type == framework.TypeDurationSecond || field.Type == framework.TypeSignedDurationSecond):
		return "`" + zeroUnits.ReplaceAllString((time.Duration(seconds)*time.Second).String(), "$1") + "`"
	default:
		return fmt.Sprintf("`%v`", field.Default)
	}
}

// zeroUnits are the units of a duration that say nothing: 1h0m0s.
var zeroUnits = regexp.MustCompile(`([hm])(0m)?0s$`)

// covers reports whether a path with sudo, which may end in *, covers a name.
func covers(root, name string) bool {
	prefix, open := strings.CutSuffix(root, "*")
	return name == root || open && strings.HasPrefix(name, prefix)
}

var (
	choice    = regexp.MustCompile(`^\(([\w|/-]+)\)`)
	leftovers = strings.NewReplacer("^", "", "$", "", "/?", "")
)

// namesOf are the paths of a pattern as documentation writes them: roles/:name.
func namesOf(pattern string) []string {
	pattern = leftovers.Replace(parameters(pattern))
	first := choice.FindStringSubmatch(pattern)
	if first == nil {
		return []string{pattern}
	}
	var names []string
	for word := range strings.SplitSeq(first[1], "|") {
		names = append(names, word+strings.TrimPrefix(pattern, first[0]))
	}
	return names
}

// parameters replaces each named group of a pattern by its name.
func parameters(pattern string) string {
	for {
		before, group, found := strings.Cut(pattern, "(?P<")
		if !found {
			return pattern
		}
		name, rest, _ := strings.Cut(group, ">")
		depth := 1
		end := strings.IndexFunc(rest, func(r rune) bool {
			depth += map[rune]int{'(': 1, ')': -1}[r]
			return depth == 0
		})
		pattern = before + ":" + name + rest[end+1:]
	}
}
