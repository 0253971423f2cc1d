package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Merge makes one policy, in version 2012-10-17, of the statements of all docs.
// It never changes what a statement means: where "${" is plain text (version
// 2008-10-17, or none) it is written as "${$}{", which stays plain text. Id and
// Sid are dropped, being labels that would collide. An empty doc counts as
// none; of no docs at all comes "". The error names the doc by its position,
// from 1.
func Merge(docs ...string) (string, error) {
	var merged []string
	given := false
	for i, doc := range docs {
		if doc == "" {
			continue
		}
		given = true
		statements, err := current(doc)
		if err != nil {
			return "", fmt.Errorf("policy %d %w", i+1, err)
		}
		merged = append(merged, statements...)
	}
	if !given {
		return "", nil
	}
	return `{"Version":"` + version2012 + `","Statement":[` + strings.Join(merged, ",") + `]}`, nil
}

// current returns the statements of doc, compact and in version 2012-10-17.
func current(doc string) ([]string, error) {
	parsed, err := parse(doc)
	if err != nil {
		return nil, err
	}
	rewrite := func(value []byte) []byte { return value }
	switch parsed.version {
	case version2012:
	case version2008, "":
		rewrite = escapeVariables
	default:
		return nil, fmt.Errorf("has a Version other than %s and %s", version2008, version2012)
	}
	texts := make([]string, 0, len(parsed.statements))
	for _, s := range parsed.statements {
		text, err := s.text(rewrite)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// text writes the statement as compact JSON, without its Sid and with each
// value rewritten.
func (s statement) text(rewrite func([]byte) []byte) (string, error) {
	var parts []string
	for _, element := range s {
		if element.name == "Sid" {
			continue
		}
		var value bytes.Buffer
		if err := json.Compact(&value, element.value); err != nil {
			return "", err
		}
		parts = append(parts, quote(element.name)+":"+string(rewrite(value.Bytes())))
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// escapeVariables makes "${" plain text for version 2012-10-17 in every string
// of a compact JSON value. Names in it stay as they are: neither version looks
// for variables there.
func escapeVariables(value []byte) []byte {
	var out []byte
	for len(value) > 0 {
		if value[0] != '"' {
			out, value = append(out, value[0]), value[1:]
			continue
		}
		end := literalEnd(value)
		literal, rest := value[:end], value[end:]
		if len(rest) == 0 || rest[0] != ':' {
			literal = escapeLiteral(literal)
		}
		out, value = append(out, literal...), rest
	}
	return out
}

// literalEnd is the length of the JSON string that text begins with.
func literalEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// escapeLiteral is escapeVariables for one string. It looks behind JSON's own
// escapes, in which "$" may be written as \u0024.
func escapeLiteral(literal []byte) []byte {
	var text string
	if json.Unmarshal(literal, &text) != nil || !strings.Contains(text, "${") {
		return literal
	}
	return []byte(quote(strings.ReplaceAll(text, "${", "${$}{")))
}

// quote writes text as a JSON string, "<", ">" and "&" as they are: their
// escapes would count against AWS's quotas.
func quote(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes, and a buffer takes it
	return strings.TrimSuffix(out.String(), "\n")
}
