package backend_test

import (
	"encoding/json"
)

// plain is a value as it looks to a client of the JSON API; whole numbers are
// ints.
func plain(m *mount, v map[string]any) map[string]any {
	m.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		m.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		m.Fatal(err)
	}
	return wholeNumbers(out).(map[string]any)
}

func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, element := range v {
			v[key] = wholeNumbers(element)
		}
	case []any:
		for i, element := range v {
			v[i] = wholeNumbers(element)
		}
	case float64:
		if v == float64(int(v)) {
			return int(v)
		}
	}
	return v
}
