package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An api is what a mount declares: the fields of every operation, by names such
// as "POST roles/:name".
type api map[string]map[string]declaration

// A declaration is what the mount says of one field.
type declaration struct {
	kind       string // string, duration, integer, boolean, array, kvpairs
	deprecated bool
}

func (d declaration) String() string {
	if d.deprecated {
		return d.kind + ", deprecated"
	}
	return d.kind
}

// openAPI is the part of an OpenAPI document that is read.
type openAPI struct {
	Paths map[string]map[string]json.RawMessage
	// Components holds the bodies of requests, which operations refer to.
	Components struct {
		Schemas map[string]struct{ Properties map[string]schema }
	}
}

type schema struct {
	Type, Format string
	Deprecated   bool
}

type openOperation struct {
	Parameters []struct {
		Name   string
		Schema schema
	}
	RequestBody struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
}

// parseAPI reads what a mount answers to help=1.
func parseAPI(text []byte) (api, error) {
	var help struct{ OpenAPI openAPI }
	if err := json.Unmarshal(text, &help); err != nil {
		return nil, err
	}
	declared := api{}
	for path, item := range help.OpenAPI.Paths {
		for _, method := range []string{"get", "post", "delete"} {
			raw, ok := item[method]
			if !ok {
				continue
			}
			var op openOperation
			if err := json.Unmarshal(raw, &op); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			name, fields := help.OpenAPI.operation(method, path, op)
			declared[name] = fields
		}
	}
	return declared, nil
}

// operation is the name of an operation and its fields. A list is a GET with a
// parameter of that name.
func (doc openAPI) operation(method, path string, op openOperation) (string, map[string]declaration) {
	fields := map[string]declaration{}
	for _, p := range op.Parameters {
		if p.Name == "list" {
			method = "list"
			continue
		}
		// A query parameter has no format; the body of the same path has it.
		fields[p.Name] = declaration{kind: kindOf(p.Schema)}
	}
	for _, content := range op.RequestBody.Content {
		ref := content.Schema.Ref[strings.LastIndexByte(content.Schema.Ref, '/')+1:]
		for name, s := range doc.Components.Schemas[ref].Properties {
			fields[name] = declaration{kind: kindOf(s), deprecated: s.Deprecated}
		}
	}
	return strings.ToUpper(method) + " " + template(path), fields
}

func kindOf(s schema) string {
	if s.Format != "" {
		return s.Format
	}
	return s.Type
}

// template turns OpenAPI's form of a path into that of our documentation.
func template(path string) string {
	return strings.ReplaceAll(strings.Trim(path, "/"), "{name}", ":name")
}

// fieldNames are the names of all fields of all operations.
func (a api) fieldNames() []string {
	names := map[string]bool{}
	for _, fields := range a {
		for name := range fields {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// paths are the paths of all operations.
func (a api) paths() []string {
	paths := map[string]bool{}
	for operation := range a {
		_, path, _ := strings.Cut(operation, " ")
		paths[path] = true
	}
	return slices.Sorted(maps.Keys(paths))
}

// union is what either mount declares; b wins.
func union(a, b api) api {
	both := maps.Clone(a)
	for operation, fields := range b {
		all := maps.Clone(both[operation])
		if all == nil {
			all = map[string]declaration{}
		}
		maps.Copy(all, fields)
		both[operation] = all
	}
	return both
}
