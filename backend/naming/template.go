package naming

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// Default is the template of a mount that sets none. It differs from
// [BuiltinDefault] in one number: display name and role together keep 34
// characters instead of 42, which leaves at least 12 of the random ones
// (64 - 6 - 34 - 1 - 10 - 1) and so more than [UniqueBits], however long they are.
const Default = `{{ if (eq .Type "STS") }}` +
	`{{ printf "vault-%s-%s" (unix_time) (random 20) | truncate 32 }}` +
	`{{ else }}` +
	`{{ printf "vault-%s-%s-%s" (printf "%s-%s" (.DisplayName) (.PolicyName) | truncate 34) (unix_time) (random 20) | truncate 64 }}` +
	`{{ end }}`

// BuiltinDefault is the default of Vault's built-in engine, which stores it
// with every mount. A long display name leaves 4 random characters of it.
const BuiltinDefault = `{{ if (eq .Type "STS") }}` +
	`{{ printf "vault-%s-%s" (unix_time) (random 20) | truncate 32 }}` +
	`{{ else }}` +
	`{{ printf "vault-%s-%s-%s" (printf "%s-%s" (.DisplayName) (.PolicyName) | truncate 42) (unix_time) (random 20) | truncate 64 }}` +
	`{{ end }}`

// maxTemplate bounds the text of a template, in bytes.
const maxTemplate = 2048

// root is what text/template calls our template in its errors.
const root = "username_template"

// Template makes names. It is immutable, and safe for concurrent use.
type Template struct {
	tree *parse.Tree
	now  func() time.Time
}

// Parse reads a template. It refuses what could run long (loops, nested
// templates) or what has no use in a name; that the names are legal is for
// [Template.Validate] to say. now is the clock that unix_time and its like show.
func Parse(text string, now func() time.Time) (*Template, error) {
	if text == "" {
		return nil, errors.New("username_template is empty")
	}
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("username_template has %d bytes, at most %d are allowed", len(text), maxTemplate)
	}
	parsed, err := template.New(root).Funcs(new(render).functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("username_template does not parse: %s", inTemplate(err))
	}
	if len(parsed.Templates()) > 1 {
		return nil, refused("define")
	}
	if parsed.Tree == nil {
		return nil, errors.New("username_template is empty")
	}
	if err := checkNode(parsed.Root); err != nil {
		return nil, err
	}
	return &Template{tree: parsed.Tree, now: now}, nil
}

// inTemplate is the text of an error of text/template, which begins
// "template: <name>:<line>:", with a place that means something to an operator.
func inTemplate(err error) string {
	if rest, ok := strings.CutPrefix(err.Error(), "template: "+root+":"); ok {
		return "line " + rest
	}
	return err.Error()
}
