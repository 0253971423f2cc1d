package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// document is a policy, divided as far as the grammar of IAM goes that we know.
type document struct {
	version    string // "" if it has none
	statements []statement
}

// statement is the elements of one statement, in their order.
type statement []member

// member is one name and value of a JSON object; the value is as written.
type member struct {
	name  string
	value json.RawMessage
}

// parse divides doc. Its errors are predicates ("has no Statement"); whoever
// shows them puts the subject before them.
func parse(doc string) (parsed document, err error) {
	if err := checkJSON(doc); err != nil {
		return parsed, fmt.Errorf("is not valid JSON: %w", err)
	}
	elements, err := members(json.RawMessage(doc))
	if err != nil {
		return parsed, err
	}
	if !has(elements, "Statement") {
		return parsed, errors.New("has no Statement")
	}
	for _, element := range elements {
		if err := parsed.add(element); err != nil {
			return parsed, err
		}
	}
	return parsed, nil
}

// add takes in one element of the document.
func (d *document) add(element member) error {
	switch element.name {
	case "Id": // a label without effect
		return nil
	case "Version":
		if json.Unmarshal(element.value, &d.version) != nil || d.version == "" {
			return errors.New("has a Version that is no text")
		}
		return nil
	case "Statement":
		return d.addStatements(element.value)
	default:
		return errors.New("has an element other than Version, Id and Statement")
	}
}

// addStatements takes the value of Statement: one object, or a list of them.
func (d *document) addStatements(raw json.RawMessage) error {
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
	}
	for i, one := range list {
		elements, err := members(one)
		if err != nil {
			return fmt.Errorf("has a statement %d that %w", i+1, err)
		}
		d.statements = append(d.statements, elements)
	}
	return nil
}

// members lists the members of a JSON object. A name that comes twice is an
// error: nobody promises which of the two holds.
func members(raw json.RawMessage) ([]member, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, errors.New("is no JSON object")
	}
	var all []member
	seen := map[string]bool{}
	for decoder.More() {
		m, err := nextMember(decoder)
		if err != nil {
			return nil, err
		}
		if seen[m.name] {
			return nil, errors.New("has the same element twice")
		}
		seen[m.name] = true
		all = append(all, m)
	}
	return all, nil
}

func nextMember(decoder *json.Decoder) (m member, err error) {
	token, err := decoder.Token()
	if err != nil {
		return m, err
	}
	m.name, _ = token.(string) // what stands before a colon is a string
	return m, decoder.Decode(&m.value)
}

// has reports whether one of the names is among the members.
func has(all []member, names ...string) bool {
	for _, m := range all {
		for _, name := range names {
			if m.name == name {
				return true
			}
		}
	}
	return false
}

// CanRestrict reports whether doc may take permissions away instead of only
// adding some: then a user must not have a key before doc is in force. It is
// true in doubt, so for every doc that is no policy, and false for "", which
// stands for no policy at all. Names are matched ignoring case, since taking a
// harmless policy for a restricting one costs only time.
func CanRestrict(doc string) bool {
	if doc == "" {
		return false
	}
	parsed, err := parse(doc)
	if err != nil {
		return true
	}
	for _, s := range parsed.statements {
		if s.canRestrict() {
			return true
		}
	}
	return false
}

// canRestrict is false only if the statement plainly allows.
func (s statement) canRestrict() bool {
	allows := false
	for _, element := range s {
		switch strings.ToLower(element.name) {
		case "notaction", "notresource", "notprincipal":
			return true
		case "effect":
			if string(element.value) != `"Allow"` {
				return true
			}
			allows = true
		}
	}
	return !allows
}
