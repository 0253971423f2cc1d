package awserr

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CodeRows are the rows of docs/errors.md on AWS's codes.
func CodeRows() (rows []string) {
	codes := map[Kind][]string{}
	for _, code := range slices.Sorted(maps.Keys(kinds)) {
		codes[kinds[code]] = append(codes[kinds[code]], "`"+code+"`")
	}
	for _, kind := range slices.Sorted(maps.Keys(codes)) {
		rows = append(rows, fmt.Sprintf("| %s | %s |", kind, strings.Join(codes[kind], " ")))
	}
	return rows
}

// RemedyRows are the rows of docs/errors.md on what to do.
func RemedyRows() (rows []string) {
	quoted := func(text string) string {
		if text == "" {
			return "any"
		}
		return "`" + text + "`"
	}
	rows = append(rows, fmt.Sprintf("| any | access denied, \"with session credentials\" | %s |", sessionAdvice))
	for _, a := range remedies {
		what := quoted(a.code)
		if a.code == "" {
			what = cmp.Or(string(a.kind), what)
		}
		if a.action != "" {
			what += " of `" + a.action + "`"
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", quoted(a.op), what, a.text))
	}
	return rows
}
