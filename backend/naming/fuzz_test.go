package naming_test

import (
	"strings"
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/naming"
)

// slow is far above what the worst template takes (some milliseconds), and far
// below what anybody waits for.
const slow = 2 * time.Second

// FuzzTemplate proves that no template runs long, puts out much, panics, or
// makes a name that AWS refuses.
func FuzzTemplate(f *testing.F) {
	f.Add(naming.Default, "token-alice", "deploy")
	f.Add(naming.BuiltinDefault, strings.Repeat("ü", 100), "")
	f.Add(`{{$x := printf "%0512d" 1}}{{$x = print $x $x}}{{replace "" $x $x | base64 | uppercase | truncate_sha256 64}}`, "a", "b")
	f.Add(`{{with .Type}}{{slice . 1}}{{else with uuid}}{{.}}{{end}}{{/* c */}}{{not (and true nil)}}{{timestamp "Monday"}}`, "", "")
	f.Add(strings.Repeat("x", 2048), "", "")
	f.Fuzz(func(t *testing.T, text, display, role string) {
		started := time.Now()
		parsed, err := naming.Parse(text, clock)
		if err != nil {
			return
		}
		for _, kind := range []naming.Type{naming.IAM, naming.STS} {
			in := naming.Inputs{Type: kind, DisplayName: display, PolicyName: role}
			if out, _ := naming.Rendered(parsed, in); len(out) > 512 {
				t.Errorf("output of %d bytes", len(out))
			}
			name, err := parsed.Name(in)
			if legal, _ := naming.SessionName(name.Text); err == nil && legal != name.Text {
				t.Errorf("illegal name %q", name.Text)
			}
		}
		_, _ = parsed.Validate(), parsed.Warnings()
		if took := time.Since(started); took > slow {
			t.Errorf("took %s", took)
		}
	})
}

// TestResultsAreCut is why the length of a template bounds its cost: no result
// is longer than 512 bytes, so none can be made to grow by passing it on.
func TestResultsAreCut(t *testing.T) {
	long := `"` + strings.Repeat("x", 1000) + `"`
	for _, result := range []string{
		"truncate 1000 " + long,
		"truncate_sha256 1000 " + long,
		"truncate_sha256 999 " + long,
		"uppercase " + long,
		"lowercase " + long,
		"base64 " + long,
		"timestamp " + long,
		`replace "x" "yyyy" ` + long,
		`replace "x" "" ` + long + ` | printf "%512s"`,
		"print " + long,
		"println " + long,
		"printf " + long,
		`printf "%512d%512d" 1 1`,
	} {
		name, _, _ := strings.Cut(result, `"`)
		t.Run(name, func(t *testing.T) {
			got, err := naming.Rendered(mustParse(t, "{{"+result+" | len}}"), alice)
			if err != nil || got != "512" {
				t.Errorf("length %s, %v; want 512", got, err)
			}
		})
	}
}

// TestWorstTemplates bounds what the 2 KiB of a template can be made to cost.
func TestWorstTemplates(t *testing.T) {
	for _, tc := range []struct{ name, head, repeated string }{
		{"wide numbers", `{{$f := "` + strings.Repeat("%0512d", 100) + `"}}`, `{{$_ := printf $f 1}}`},
		{"repeated arguments", `{{$a := printf "%0512d" 1}}{{$f := "` + strings.Repeat("%[1]s", 100) + `"}}`, `{{$_ := printf $f $a}}`},
		{"replacements", `{{$a := printf "%0512d" 1}}`, `{{$_ := replace "" $a $a}}`},
		{"draws", "", `{{$_ := random 64}}`},
		{"draws to look for", "{{random 64}}", `{{$_ := uuid}}`},
		{"prints", `{{$a := printf "%0512d" 1}}`, `{{$_ := print $a $a $a $a $a}}`},
		{"nesting", ``, `{{if .Type}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.head + strings.Repeat(tc.repeated, (2048-len(tc.head))/len(tc.repeated))
			if tc.name == "nesting" {
				text = strings.Repeat(tc.repeated, 100) + "x" + strings.Repeat("{{end}}", 100)
			}
			started := time.Now()
			_, _ = mustParse(t, text).Name(alice)
			if took := time.Since(started); took > slow {
				t.Errorf("took %s", took)
			} else {
				t.Log(took)
			}
		})
	}
}
