// Package policy reads and merges the JSON policy documents of IAM.
//
// It knows their grammar only as far as the engine acts on it: AWS is the
// judge of what a policy means.
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The versions of the policy language. A document without one counts as the
// older, in which "${" is plain text and not the start of a variable.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// MaxInlineSize is the most that a policy_document may count (see [Size]): the
// quota for all inline policies of one user together, and for the session
// policies of one STS call.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const MaxInlineSize = 2048

// Compact returns doc without the white space between its tokens. Any JSON
// value will do, as with Vault's built-in engine; [Warnings] says what AWS will
// refuse. The error says where doc breaks and quotes no more than a character.
func Compact(doc string) (string, error) {
	if err := checkJSON(doc); err != nil {
		return "", fmt.Errorf("policy_document is not valid JSON: %w", err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(doc)); err != nil {
		return "", fmt.Errorf("policy_document is not valid JSON: %w", err)
	}
	return out.String(), nil
}

// checkJSON says at which line and column doc stops being JSON, and why.
func checkJSON(doc string) error {
	var syntax *json.SyntaxError
	err := json.Unmarshal([]byte(doc), new(json.RawMessage))
	if !errors.As(err, &syntax) {
		return err
	}
	// Offset counts the bytes read, the offending one included, if there is one.
	before := doc[:max(0, int(syntax.Offset)-1)]
	if strings.HasPrefix(syntax.Error(), "unexpected end") {
		before = doc
	}
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:]) + 1
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// Size is how many characters of doc count against the quotas of IAM, which
// leave white space out.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func Size(doc string) int {
	size := 0
	for _, r := range doc {
		if !strings.ContainsRune(" \t\r\n", r) {
			size++
		}
	}
	return size
}
