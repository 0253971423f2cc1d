package parity

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A class is a kind of value, in relation to its field.
type class string

const (
	absent     class = "absent"
	valid      class = "valid"
	empty      class = "empty"
	wrongType  class = "wrong type"
	outOfRange class = "out of range" // malformed, where a field has no range
	legacy     class = "legacy"       // an older or looser way of writing it
)

// A cell is what has to be covered: one class of one field of one operation. An
// operation and the help of a path are cells without field and class.
type cell struct {
	operation, field string
	class            class
}

func (c cell) String() string {
	if c.field == "" {
		return c.operation
	}
	return fmt.Sprintf("%s %s:%s", c.operation, c.field, c.class)
}

// cells are those of a declared API.
func cells(declared api) map[cell]bool {
	all := map[cell]bool{}
	for operation, fields := range declared {
		all[cell{operation: operation}] = true
		for field, d := range fields {
			for _, c := range classes(d) {
				all[cell{operation, field, c}] = true
			}
		}
	}
	for _, path := range declared.paths() {
		all[cell{operation: "HELP " + path}] = true
	}
	return all
}

// classes are those that apply to a field: what is no string can be written as
// one, and a deprecated field is legacy itself.
func classes(d declaration) []class {
	all := []class{absent, valid, empty, wrongType, outOfRange}
	if d.deprecated || d.kind != "string" {
		all = append(all, legacy)
	}
	return all
}

// covered are the cells that a request covers.
func covered(r request, declared api) []cell {
	operation := r.operation(declared)
	all := []cell{{operation: operation}}
	for field := range declared[operation] {
		c := cell{operation: operation, field: field, class: absent}
		if r.field == field {
			c.class = r.class
		} else if r.sends(field) {
			continue // beside the field that the request is about
		}
		all = append(all, c)
	}
	return all
}

// uncovered are the cells that no request covers, sorted.
func uncovered(declared api, all []exchange) []cell {
	left := cells(declared)
	for _, e := range all {
		for _, c := range covered(e.request, declared) {
			delete(left, c)
		}
	}
	return slices.SortedFunc(maps.Keys(left), func(a, b cell) int { return strings.Compare(a.String(), b.String()) })
}

// printCoverage writes a line for each operation: how many cells it has, and how
// many of them are covered.
func printCoverage(out io.Writer, declared api, left []cell) {
	total, open := map[string]int{}, map[string]int{}
	for c := range cells(declared) {
		total[c.operation]++
	}
	for _, c := range left {
		open[c.operation]++
	}
	sum := 0
	for _, operation := range slices.Sorted(maps.Keys(total)) {
		n := total[operation]
		fmt.Fprintf(out, "cells %-25s %3d of %3d\n", operation, n-open[operation], n)
		sum += n
	}
	fmt.Fprintf(out, "cells %-25s %3d of %3d\n", "in all", sum-len(left), sum)
}
