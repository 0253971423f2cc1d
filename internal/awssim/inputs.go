package awssim

import (
	"net/url"
	"strconv"
	"strings"
)

// inputs are the parameters of a call, judged already.
type inputs struct{ values url.Values }

func (in inputs) has(name string) bool    { _, ok := in.values[name]; return ok }
func (in inputs) text(name string) string { return in.values.Get(name) }

// number is 0 for a parameter that is absent.
func (in inputs) number(name string) int {
	n, err := strconv.Atoi(in.text(name))
	if err != nil {
		return 0
	}
	return n
}

// elements are the prefixes of a list's elements: "Tags.member.1", … in order
// and without gaps, as the query protocol has them.
func (in inputs) elements(name string) []string {
	var out []string
	for n := 1; ; n++ {
		prefix := name + ".member." + strconv.Itoa(n)
		if !in.hasPrefix(prefix) {
			return out
		}
		out = append(out, prefix)
	}
}

func (in inputs) hasPrefix(prefix string) bool {
	if in.has(prefix) {
		return true
	}
	for name := range in.values {
		if strings.HasPrefix(name, prefix+".") {
			return true
		}
	}
	return false
}

// list returns the texts of a list.
func (in inputs) list(name string) []string {
	var out []string
	for _, element := range in.elements(name) {
		out = append(out, in.text(element))
	}
	return out
}

// tags returns the pairs of a list of tags, in order.
func (in inputs) tags(name string) []tag {
	var out []tag
	for _, element := range in.elements(name) {
		out = append(out, tag{in.text(element + ".Key"), in.text(element + ".Value")})
	}
	return out
}
