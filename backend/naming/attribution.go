package naming

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"
	"time"
)

// ParseSessionName reads a role_session_name_template: the language of [Parse],
// and what Vault knows of the caller's entity, written as in Vault's policies
// ({{identity.entity.name}}). The values become legal as those of
// username_template do: what AWS refuses is replaced by "_".
func ParseSessionName(text string, now func() time.Time) (*Template, error) {
	return language{
		param: "role_session_name_template", identity: true, whose: "role sessions", shorten: "truncate",
	}.parse(text, now)
}

// ParseSourceIdentity reads a source_identity_template: the language of
// [ParseSessionName]. Its values are put in as they are, and one that AWS refuses is
// an error: trust policies decide by source identities, so no two callers may come
// to the same.
func ParseSourceIdentity(text string, now func() time.Time) (*Template, error) {
	return language{
		param: "source_identity_template", identity: true, raw: true, whose: "source identities", shorten: "truncate_sha256",
	}.parse(text, now)
}

// identityFunction gives out what is known of the caller's entity. It is written
// {{identity.entity.name}}, or {{identity "entity.metadata.cost-center"}} where a
// key is no identifier of the template language.
const identityFunction = "identity"

// identityPrefix begins the values that the function gives out.
const identityPrefix = identityFunction + "."

// AsksIdentity reports whether the template asks for anything of the caller's
// entity.
func (t *Template) AsksIdentity() bool {
	return slices.ContainsFunc(t.asks, func(value string) bool { return strings.HasPrefix(value, identityPrefix) })
}

// chain takes identity.entity.name and its like, and no other field of a result.
func (c *checker) chain(n *parse.ChainNode) error {
	function, ok := n.Node.(*parse.IdentifierNode)
	if !ok || function.Ident != identityFunction || !c.identity {
		return c.refused(word(n))
	}
	return c.identityPath(strings.Join(n.Field, "."))
}

// identityCall is the path of a call {{identity "path"}}, the other way to write a
// chain; no call without a path, or with one that is computed, is.
func (c *checker) identityCall(args []parse.Node) (path string, is bool) {
	if len(args) != 2 || args[0].String() != identityFunction || !c.identity {
		return "", false
	}
	literal, ok := args[1].(*parse.StringNode)
	if !ok {
		return "", false
	}
	return literal.Text, true
}

// identityPath notes a path that there can be a value for.
func (c *checker) identityPath(path string) error {
	if !isIdentityPath(path) {
		return fmt.Errorf("%s asks for %s%s: there are identity.entity.id, identity.entity.name, identity.entity.metadata.<key>, and with identity.entity.aliases.<mount accessor> before it .id, .name, .metadata.<key> and .custom_metadata.<key>", c.param, identityPrefix, path)
	}
	c.ask(identityPrefix + path)
	return nil
}

func isIdentityPath(path string) bool {
	rest, ok := strings.CutPrefix(path, "entity.")
	if alias, is := strings.CutPrefix(rest, "aliases."); is {
		var accessor string
		accessor, rest, _ = strings.Cut(alias, ".")
		key, custom := strings.CutPrefix(rest, "custom_metadata.")
		if ok = ok && accessor != ""; custom {
			return ok && key != ""
		}
	}
	key, metadata := strings.CutPrefix(rest, "metadata.")
	return ok && (rest == "id" || rest == "name" || metadata && key != "")
}

// checkValues refuses a caller for whom a value that an attribution template asks
// for is empty, whether or not a condition would use it: what is attributed must
// not depend on what is missing.
func (t *Template) checkValues(in Inputs) error {
	if !t.identity {
		return nil
	}
	for _, value := range t.asks {
		if t.valueOf(value, in) == "" {
			return fmt.Errorf("%s asks for %s, which is empty for this caller: ask with a token that has it, or set it on the entity", t.param, value)
		}
	}
	return nil
}

// valueOf is a value that a template asks for.
func (t *Template) valueOf(value string, in Inputs) string {
	switch value {
	case ".Type":
		return string(in.Type)
	case ".DisplayName":
		return in.DisplayName
	case ".PolicyName":
		return in.PolicyName
	}
	if in.Identity == nil {
		return ""
	}
	return in.Identity(strings.TrimPrefix(value, identityPrefix))
}

// entity is what the template asks for of the caller's entity, as nested maps by
// the parts of the paths.
func (t *Template) entity(in Inputs) map[string]any {
	values := map[string]string{}
	for _, value := range t.asks {
		if path, is := strings.CutPrefix(value, identityPrefix); is {
			values[path] = t.value(t.valueOf(value, in))
		}
	}
	root := map[string]any{}
	for _, path := range slices.Sorted(maps.Keys(values)) {
		at, parts := root, strings.Split(path, ".")
		for _, part := range parts[:len(parts)-1] {
			next, ok := at[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[part] = next
			}
			at = next
		}
		at[parts[len(parts)-1]] = values[path]
	}
	return root
}

// identityValue is the function of the templates: all that is known, or the value
// of a path.
func (r *render) identityValue(path ...string) (any, error) {
	if len(path) == 0 {
		return r.entity, nil
	}
	var value any = r.entity
	for _, part := range strings.Split(path[0], ".") {
		inner, _ := value.(map[string]any)
		value = inner[part]
	}
	if text, ok := value.(string); ok {
		return text, nil
	}
	return nil, fmt.Errorf("there is no %s%s", identityPrefix, path[0])
}

// attributed is what every attribution template must be able to make a name of.
func attributed(value string) Inputs {
	return Inputs{Type: IAM, DisplayName: value, PolicyName: "deploy", Identity: func(string) string { return value }}
}

// ValidateAttribution returns the error with which a write of an attribution
// template is refused: one that makes no legal name of ordinary values.
func (t *Template) ValidateAttribution() error {
	_, err := t.Name(attributed("alice"))
	return err
}

// longValue is as long as a name in AWS can be.
const longValue = "alice.liddell.of.the.platform.department@subsidiary.example.com."

// AttributionWarnings tells if the template makes no name of long values.
func (t *Template) AttributionWarnings() []string {
	if _, err := t.Name(attributed(longValue)); err != nil {
		return []string{fmt.Sprintf("no credentials for callers with long names: %s", err)}
	}
	return nil
}
