package crashtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: what several processes wrote down becomes one table.
func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results")
	for _, r := range []Result{
		{Engine: "ours", Operation: "revoke", Mishap: "reset", Site: "iam:DeleteUser", Verdict: OK},
		{Engine: "ours", Operation: "issue", Mishap: "reset", Site: "iam:CreateUser", Verdict: OK},
		{Engine: "ours", Operation: "issue", Mishap: "reset", Site: "iam:CreateAccessKey", Verdict: OK},
		{Engine: "built-in", Operation: "issue", Mishap: "reset", Site: "iam:CreateUser", Verdict: Leaked, Details: []string{"user u"}},
		{Engine: "built-in", Operation: "revoke", Mishap: "reset", Verdict: NotPossible},
	} {
		if err := (&File{Path: path}).Add(r); err != nil {
			t.Fatal(err)
		}
	}
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	all, err := Read(in)
	if err != nil {
		t.Fatal(err)
	}
	want := `| operation | mishap | ours | built-in |
|---|---|---|---|
| issue | reset | 2 ok | 1 leaked |
| revoke | reset | 1 ok | not possible |
built-in: issue, reset at iam:CreateUser: user u
built-in: 1 cases, 1 leaked, 0 dead
crash: 3 cases, 0 leaked, 0 dead
`
	var got strings.Builder
	Table(&got, all, "ours", "built-in")
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
