package awserr_test

import (
	"os"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/backend/awserr"
)

// TestDocumented holds docs/errors.md to the tables of this package.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range [][]string{
		append([]string{"| kind | codes |", "|---|---|"}, awserr.CodeRows()...),
		append([]string{"| call | answer | what to do |", "|---|---|---|"}, awserr.RemedyRows()...),
	} {
		if want := "\n\n" + strings.Join(table, "\n") + "\n"; !strings.Contains(string(text)+"\n", want+"\n") {
			t.Errorf("docs/errors.md does not hold this table:%s", want)
		}
	}
}
