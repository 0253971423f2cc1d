package naming

import (
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

// language is what a template may say, and what is made of it.
type language struct {
	param    string // the field that holds the template: errors name it, and text/template calls it so
	identity bool   // it may ask for what Vault knows of the caller's entity
	raw      bool   // what it asks for is put in as it is, not normalised
	whose    string // who bears what it makes; "": by the type of the name
	shorten  string // the function that shortens without mixing up two callers
}

// userNames is the language of username_template.
var userNames = language{param: "username_template", shorten: "truncate"}

// Template makes names. It is immutable, and safe for concurrent use.
type Template struct {
	language

	tree *parse.Tree
	asks []string // the values that it asks for, each once
	now  func() time.Time
}

// Parse reads a username_template. It refuses what could run long (loops, nested
// templates) or what has no use in a name; that the names are legal is for
// [Template.Validate] to say. now is the clock that unix_time and its like show.
func Parse(text string, now func() time.Time) (*Template, error) { return userNames.parse(text, now) }

func (l language) parse(text string, now func() time.Time) (*Template, error) {
	if text == "" {
		return nil, fmt.Errorf("%s is empty", l.param)
	}
	if len(text) > maxTemplate {
		return nil, fmt.Errorf("%s has %d bytes, at most %d are allowed", l.param, len(text), maxTemplate)
	}
	parsed, err := template.New(l.param).Funcs((&render{language: l}).functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s does not parse: %s", l.param, l.inTemplate(err))
	}
	c := &checker{language: l}
	if len(parsed.Templates()) > 1 {
		return nil, c.refused("define")
	}
	if parsed.Tree == nil {
		return nil, fmt.Errorf("%s is empty", l.param)
	}
	if err := c.node(parsed.Root); err != nil {
		return nil, err
	}
	return &Template{language: l, tree: parsed.Tree, asks: c.asks, now: now}, nil
}

// inTemplate is the text of an error of text/template, which begins
// "template: <name>:<line>:", with a place that means something to an operator.
func (l language) inTemplate(err error) string {
	if rest, ok := strings.CutPrefix(err.Error(), "template: "+l.param+":"); ok {
		return "line " + rest
	}
	return err.Error()
}
