package deps

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// compatibility is the page that says what is known to be wrong with the existing
// engines, and which test shows that it is not so here.
const compatibility = "../../docs/compatibility.md"

// knownDefects is how many there are; their numbers begin at 1.
const knownDefects = 95

var (
	rowOfPage  = regexp.MustCompile(`(?m)^\| (.+) \| (.+) \| (.+) \|$`)
	testOfPage = regexp.MustCompile("`((?:Test|Fuzz)[^`]+)`")
	defectName = regexp.MustCompile(`\bW[0-9]+\b`)
	// reason begins what stands where a test would: why there is none, or not yet.
	reason = regexp.MustCompile(`(^|[.;] )(Later|Kept|Does not apply|Partly): `)
)

// row is one of a table of the page: a number or a subject, a sentence, and the
// tests or the reason why there is none.
type row struct{ name, text, where string }

func (r row) tests() (names []string) {
	for _, match := range testOfPage.FindAllStringSubmatch(r.where, -1) {
		names = append(names, match[1])
	}
	return names
}

// TestKnownDefects: each known defect has a row, and each row a test that exists
// or a reason; a test that is named after a defect is in the defect's row.
func TestKnownDefects(t *testing.T) {
	code, rows := mustReadTests(t), mustReadTable(t, "## Known defects")
	seen := map[string]row{}
	for _, r := range rows {
		if _, twice := seen[r.name]; twice {
			t.Errorf("%s has two rows", r.name)
		}
		seen[r.name] = r
		if len(r.tests()) == 0 && !reason.MatchString(r.where) {
			t.Errorf("%s names neither a test nor a reason why there is none", r.name)
		}
		code.mustHold(t, r)
	}
	for n := 1; n <= knownDefects; n++ {
		if _, ok := seen["W"+strconv.Itoa(n)]; !ok {
			t.Errorf("W%d has no row", n)
		}
	}
	if len(seen) != knownDefects {
		t.Errorf("%d rows, want %d", len(seen), knownDefects)
	}
	for _, name := range code.scenarios() {
		for _, defect := range defectName.FindAllString(name, -1) {
			if !strings.Contains(seen[defect].where, name) {
				t.Errorf("the row of %s does not name its test %q", defect, name)
			}
		}
	}
}

// TestScenariosOfOthers: what the existing engines' own tests assert is asserted
// here too.
func TestScenariosOfOthers(t *testing.T) {
	code, rows := mustReadTests(t), mustReadTable(t, "## What the built-in engine's tests assert")
	for _, r := range rows {
		if len(r.tests()) == 0 {
			t.Errorf("%s: no test", r.text)
		}
		code.mustHold(t, r)
	}
	if len(rows) == 0 {
		t.Error("no rows")
	}
}

// mustReadTable returns the rows of the table in a section of the page.
func mustReadTable(t *testing.T, heading string) (rows []row) {
	t.Helper()
	page, err := os.ReadFile(compatibility)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", compatibility, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, match := range rowOfPage.FindAllStringSubmatch(section, -1) {
		if r := (row{match[1], match[2], match[3]}); !strings.HasPrefix(r.text, "---") && r.name != "number" {
			rows = append(rows, r)
		}
	}
	return rows
}

// testCode is the tests of the repository.
type testCode struct {
	functions map[string][]string // a test's name to the folders that have it
	texts     map[string][]string // a folder to the string literals of its tests
}

func mustReadTests(t *testing.T) testCode {
	t.Helper()
	code := testCode{map[string][]string{}, map[string][]string{}}
	for _, root := range []string{"../../backend", "../../internal", "../../cmd", "../../scripts"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			return code.read(path)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return code
}

func (c testCode) read(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder := filepath.Dir(path)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			c.functions[n.Name.Name] = append(c.functions[n.Name.Name], folder)
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				c.texts[folder] = append(c.texts[folder], text)
			}
		}
		return true
	})
	return nil
}

// scenarios are the names of the mount's scenarios: the texts there that carry a
// defect's number in parentheses.
func (c testCode) scenarios() []string {
	numbered := regexp.MustCompile(`\(W[0-9]+(, W[0-9]+)*\)$`)
	return slices.DeleteFunc(slices.Clone(c.texts["../../backend"]), func(text string) bool { return !numbered.MatchString(text) })
}

// mustHold checks that the tests of a row exist: the function, and its subtest as
// a text in the same folder.
func (c testCode) mustHold(t *testing.T, r row) {
	t.Helper()
	for _, name := range r.tests() {
		function, subtest, has := strings.Cut(name, "/")
		folders := c.functions[function]
		exists := slices.ContainsFunc(folders, func(folder string) bool {
			return !has || slices.Contains(c.texts[folder], subtest)
		})
		if !exists {
			t.Errorf("%s names a test that does not exist: %s", r.name, name)
		}
	}
}
