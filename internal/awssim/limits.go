package awssim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// validate holds a call's parameters against the operation's table row.
func validate(c *call) error {
	v := violations{in: c.in}
	v.members("", "", c.op.members)
	return v.err()
}

// violations collects what is wrong with a call's parameters: AWS reports all
// broken limits at once, and wrong characters only when there are none.
type violations struct {
	in        inputs
	missing   string // a parameter whose absence AWS reports before anything else
	malformed bool   // a number that is none
	broken    []string
	says      []string
}

func (v *violations) err() error {
	switch n := len(v.broken); {
	case v.malformed:
		return refuse("MalformedInput", http.StatusBadRequest, "")
	case v.missing != "":
		return refuse("MissingParameter", http.StatusBadRequest, "The request must contain the parameter %s.", v.missing)
	case n == 1:
		return validationError("1 validation error detected: %s", v.broken[0])
	case n > 1:
		return validationError("%d validation errors detected: %s", n, strings.Join(v.broken, "; "))
	case len(v.says) > 0:
		return validationError("%s", v.says[0])
	}
	return nil
}

// add reports a broken limit. AWS once quoted the value too; it no longer does.
func (v *violations) add(where, constraint string, args ...any) {
	v.broken = append(v.broken, fmt.Sprintf("Value at '%s' failed to satisfy constraint: ", where)+fmt.Sprintf(constraint, args...))
}

// members judges each member of a structure. prefix is that of the parameter
// names, where that of AWS's messages.
func (v *violations) members(prefix, where string, members []member) {
	for _, m := range members {
		v.member(prefix+m.name, where+lowerFirst(m.name), m)
	}
}

func (v *violations) member(name, where string, m member) {
	switch {
	case m.shape.kind == kindList:
		v.list(name, where, m)
	case v.in.has(name):
		v.value(v.in.text(name), where, m.shape)
	case m.demanded:
		v.missing = m.name
	case m.required:
		v.add(where, "Member must not be null")
	}
}

func (v *violations) list(name, where string, m member) {
	elements := v.in.elements(name)
	if m.required && len(elements) == 0 && !v.in.has(name) {
		v.add(where, "Member must not be null")
		return
	}
	if len(elements) > 0 {
		v.length(len(elements), where, m.shape)
	}
	for i, element := range elements {
		at := fmt.Sprintf("%s.%d.member", where, i+1)
		if m.shape.element.kind == kindStructure {
			v.members(element+".", at+".", m.shape.element.fields)
		} else if !m.shape.element.accepts(v.in.text(element)) {
			v.add(where, "Member must satisfy constraint: [%s]", strings.Join(m.shape.element.constraints(), ", "))
			return
		}
	}
}

// accepts reports whether a text of a plain list is within its limits.
func (s *shape) accepts(value string) bool {
	var v violations
	v.text(value, "", s)
	return v.err() == nil
}

// constraints words all limits of a text, as AWS does when one element of a
// plain list breaks one of them.
func (s *shape) constraints() []string {
	return []string{
		fmt.Sprintf("Member must have length less than or equal to %d", s.max),
		fmt.Sprintf("Member must have length greater than or equal to %d", s.min),
		"Member must satisfy regular expression pattern: " + s.pattern,
		"Member must not be null",
	}
}

func (v *violations) value(value, where string, s *shape) {
	switch s.kind {
	case kindNumber:
		v.number(value, where, s)
	case kindTruth:
		if value != "true" && value != "false" {
			v.malformed = true
		}
	default:
		v.text(value, where, s)
	}
}

func (v *violations) number(value, where string, s *shape) {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		v.malformed = true
	case n < s.min:
		v.add(where, "Member must have value greater than or equal to %d", s.min)
	case s.max > 0 && n > s.max:
		v.add(where, "Member must have value less than or equal to %d", s.max)
	}
}

func (v *violations) text(value, where string, s *shape) {
	if n := utf8.RuneCountInString(value); s.saysAll && (n < s.min || n > s.max) {
		v.says = append(v.says, fmt.Sprintf("The specified value for %s is invalid. %s", where, s.says))
		return
	}
	v.length(utf8.RuneCountInString(value), where, s)
	if len(s.enum) > 0 && !slices.Contains(s.enum, value) {
		v.broken = append(v.broken, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			value, where, strings.Join(s.enum, ", ")))
	}
	if s.match == nil || s.match.MatchString(value) || value == "" && s.min > 0 {
		return
	}
	if s.says != "" {
		v.says = append(v.says, fmt.Sprintf("The specified value for %s is invalid. %s", where, s.says))
		return
	}
	v.add(where, "Member must satisfy regular expression pattern: %s", s.pattern)
}

func (v *violations) length(n int, where string, s *shape) {
	if n < s.min {
		v.add(where, "Member must have length greater than or equal to %d", s.min)
	}
	if s.max > 0 && n > s.max {
		v.add(where, "Member must have length less than or equal to %d", s.max)
	}
}

// lowerFirst names a parameter as AWS's messages do: "userName".
func lowerFirst(name string) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[size:]
}
