package naming

import (
	"fmt"
	"time"
)

// Prefix is how every name of the type begins: the text that the template writes
// there whoever asks, whenever, for whatever role; "" if there is none. It is
// found by trying, with roles beside role names of our own: a template that
// writes something else for inputs nobody tried has names without the prefix,
// never a prefix that is not its own. The error says that no name can be made.
func (t *Template) Prefix(kind Type, roles []string) (string, error) {
	var prefix *string
	var failed error
	for _, in := range prefixSamples(kind, roles) {
		name, err := t.at(in.when).Name(in.Inputs)
		if err != nil {
			failed = err
			continue
		}
		if prefix != nil {
			name.Text = name.Text[:commonPrefix([]byte(*prefix), []byte(name.Text))]
		}
		prefix = &name.Text
	}
	if prefix == nil {
		return "", fmt.Errorf("no name can be made: %w", failed)
	}
	return *prefix, nil
}

// at is the template by a clock that stands still.
func (t *Template) at(when time.Time) *Template {
	return &Template{tree: t.tree, now: func() time.Time { return when }}
}

// moment is a sample made at a time.
type moment struct {
	Inputs
	when time.Time
}

// prefixSamples differ in their first characters, and so do their times, in
// seconds, milliseconds, years, months and days. Each random text is drawn so
// often that its beginnings agree in one of 62^20 renderings.
func prefixSamples(kind Type, roles []string) (all []moment) {
	names := append([]string{"", "a-x", "Zz", "0q", "token-deploy"}, roles...)
	times := []time.Time{time.Unix(1e8, 0), time.Unix(345678901, 0), time.Unix(2123456789, 0), time.Unix(9e9, 0)}
	for i, role := range names {
		for _, who := range []string{"", "b.c", "Yy", "9p"} {
			all = append(all, moment{Inputs{Type: kind, DisplayName: who, PolicyName: role}, times[(i+len(all))%len(times)].UTC()})
		}
	}
	return all
}
