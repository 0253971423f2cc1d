package awscontract_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/awscontract"
)

// compareErrors holds what the simulator answered, by operation, to the errors
// that the service model has for the operation, and to the common ones.
func compareErrors(t *testing.T, seen map[awscontract.Call]bool) {
	t.Helper()
	modelled := map[string]map[string]bool{} // operation -> "404 NoSuchEntity"
	for _, m := range models(t) {
		for name, op := range m.Operations {
			modelled[name] = map[string]bool{}
			for _, e := range op.Errors {
				modelled[name][m.Shapes[e.Shape].Error.String()] = true
			}
		}
	}
	for call := range seen {
		status, code, failed := strings.Cut(call.Outcome, " ")
		if !failed || modelled[call.Operation] == nil || modelled[call.Operation][call.Outcome] {
			continue
		}
		if commonErrors[code] != status && otherErrors[call.Operation] != call.Outcome {
			t.Errorf("%s answers %s: neither the service model nor the common errors have it", call.Operation, call.Outcome)
		}
	}
}

// String is "404 NoSuchEntity".
func (e modelError) String() string { return strconv.Itoa(e.HTTPStatusCode) + " " + e.Code }

// TestModelErrors holds every error that the simulator can answer, found in its
// code, to the service models: the code exists and has this HTTP status.
func TestModelErrors(t *testing.T) {
	known := map[string]bool{}
	for code, status := range commonErrors {
		known[status+" "+code] = true
	}
	for _, m := range models(t) {
		for _, s := range m.Shapes {
			if s.Error.Code != "" {
				known[s.Error.String()] = true
			}
		}
	}
	answers := refusals(t, filepath.Join("..", "awssim"))
	if len(answers) < 20 {
		t.Fatalf("only %d errors found in the simulator's code", len(answers))
	}
	for answer, where := range answers {
		if !known[answer] && oddErrors[answer] == "" {
			t.Errorf("%s: %s is in no service model", where, answer)
		}
	}
	for answer := range oddErrors {
		if answers[answer] == "" {
			t.Errorf("%s is answered nowhere: remove its row", answer)
		}
	}
}

// refusals finds calls of refuse(code, status, …) and where they stand.
func refusals(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out, files := map[string]string{}, token.NewFileSet()
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if answer := refusal(n); answer != "" {
				out[answer] = files.Position(n.Pos()).String()
			}
			return true
		})
	}
	return out
}

// refusal is "404 NoSuchEntity" for a call of refuse with literal arguments.
func refusal(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) < 2 {
		return ""
	}
	name, ok := call.Fun.(*ast.Ident)
	code, literal := call.Args[0].(*ast.BasicLit)
	if !ok || !literal || name.Name != "refuse" {
		return ""
	}
	return status(call.Args[1]) + " " + strings.Trim(code.Value, `"`)
}

// status reads 404 or http.StatusNotFound.
func status(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.SelectorExpr:
		for n := 400; n < 600; n++ {
			if e.Sel.Name == "Status"+strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(n)) {
				return strconv.Itoa(n)
			}
		}
	}
	return "?"
}
