package naming_test

import (
	"testing"
	"time"

	"vault-plugin-secrets-aws/backend/naming"
)

func TestPrefix(t *testing.T) {
	for _, tc := range []struct {
		name, template string
		kind           naming.Type
		want           string
	}{
		{"the default, users", naming.Default, naming.IAM, "vault-"},
		{"the default, federated users", naming.Default, naming.STS, "vault-"},
		{"the built-in engine's", naming.BuiltinDefault, naming.IAM, "vault-"},
		{"text in front", "app_{{random 20}}", naming.IAM, "app_"},
		{"role in front", "{{.PolicyName}}-{{random 20}}", naming.IAM, ""},
		{"display name after text", "v-{{.DisplayName}}-{{random 20}}", naming.IAM, "v-"},
		{"time in front", "{{unix_time}}-{{random 20}}", naming.IAM, ""},
		{"milliseconds in front", "{{unix_time_millis}}-{{random 20}}", naming.IAM, ""},
		{"year in front", `{{timestamp "2006"}}-{{random 20}}`, naming.IAM, ""},
		{"random in front", "{{random 20}}", naming.IAM, ""},
		{"text of a branch for some roles", `{{if eq .PolicyName "deploy"}}x{{else}}vault{{end}}-{{random 20}}`, naming.IAM, ""},
		{"nothing but text", "always", naming.IAM, "always"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			template, err := naming.Parse(tc.template, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := template.Prefix(tc.kind, []string{"deploy"}); got != tc.want || err != nil {
				t.Errorf("Prefix() = %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
