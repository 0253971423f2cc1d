package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// jsonFields are the members of a JSON object.
type jsonFields map[string]json.RawMessage

// objectFields splits a JSON object and refuses repeated names.
func objectFields(raw []byte) (jsonFields, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil, fmt.Errorf("not a JSON object")
	}
	fields := jsonFields{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key, _ := name.(string)
		if _, repeated := fields[key]; repeated {
			return nil, fmt.Errorf("%q is repeated", key)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		fields[key] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON object")
	}
	return fields, nil
}

// decode reads each field into its place; a field without one is an error.
func (f jsonFields) decode(into map[string]any) error {
	for name, raw := range f {
		place, known := into[name]
		if !known {
			return fmt.Errorf("unknown element %q", name)
		}
		if err := json.Unmarshal(raw, place); err != nil {
			return err
		}
	}
	return nil
}

// oneOrMany is a JSON value or an array of them.
type oneOrMany []json.RawMessage

// UnmarshalJSON implements [json.Unmarshaler].
func (v *oneOrMany) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		return json.Unmarshal(raw, (*[]json.RawMessage)(v))
	}
	*v = oneOrMany{slices.Clone(raw)}
	return nil
}

// stringOrStrings is a string or an array of strings.
type stringOrStrings []string

// UnmarshalJSON implements [json.Unmarshaler].
func (v *stringOrStrings) UnmarshalJSON(raw []byte) error {
	var items oneOrMany
	if err := items.UnmarshalJSON(raw); err != nil {
		return err
	}
	*v = make([]string, len(items))
	for i, item := range items {
		if err := json.Unmarshal(item, &(*v)[i]); err != nil {
			return err
		}
	}
	return nil
}

// textOrTexts is a scalar or an array of scalars; numbers and booleans, as in
// {"Bool": {"aws:MultiFactorAuthPresent": true}}, count as their texts.
type textOrTexts []string

// UnmarshalJSON implements [json.Unmarshaler].
func (v *textOrTexts) UnmarshalJSON(raw []byte) error {
	var items oneOrMany
	if err := items.UnmarshalJSON(raw); err != nil {
		return err
	}
	*v = textOrTexts{}
	for _, item := range items {
		text, err := scalar(item)
		if err != nil {
			return err
		}
		*v = append(*v, text)
	}
	return nil
}

func scalar(raw json.RawMessage) (string, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	switch value := value.(type) {
	case string:
		return value, nil
	case bool, json.Number:
		return fmt.Sprint(value), nil
	}
	return "", fmt.Errorf("%s is no string", raw)
}

// bareText is the kind of a principal that is a text and not an object.
const bareText = ""

// principalBlock is "*" or {"AWS": "…", "Service": ["…"]}.
type principalBlock map[string][]string

// UnmarshalJSON implements [json.Unmarshaler].
func (v *principalBlock) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*v = principalBlock{bareText: {text}}
		return nil
	}
	fields, err := objectFields(raw)
	if err != nil {
		return err
	}
	*v = principalBlock{}
	for kind, raw := range fields {
		var names stringOrStrings
		if err := json.Unmarshal(raw, &names); err != nil {
			return err
		}
		(*v)[kind] = names
	}
	return nil
}
