package awscontract_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vault-plugin-secrets-aws/internal/awssim"
)

// serviceModel is AWS's own description of a service, as botocore brings it.
type serviceModel struct {
	Operations map[string]struct {
		Input  struct{ Shape string }
		Errors []struct{ Shape string }
	}
	Shapes map[string]modelShape
}

type modelShape struct {
	Type     string
	Required []string
	Members  map[string]struct{ Shape string }
	Member   struct{ Shape string }
	Min, Max int
	Pattern  string
	Enum     []string
	Error    modelError
}

type modelError struct {
	Code           string
	HTTPStatusCode int
}

// models finds the service models of botocore, by service.
func models(t *testing.T) map[string]serviceModel {
	t.Helper()
	interpreter := python(t)
	if interpreter == "" {
		missing(t, "REQUIRE_BOTO3", "no python3 on PATH")
	}
	out, err := exec.CommandContext(t.Context(), interpreter, "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))").Output()
	if err != nil {
		missing(t, "REQUIRE_BOTO3", "python3 has no botocore")
	}
	data := filepath.Join(strings.TrimSpace(string(out)), "data")
	return map[string]serviceModel{
		"iam": readModel(t, filepath.Join(data, "iam", "2010-05-08", "service-2.json.gz")),
		"sts": readModel(t, filepath.Join(data, "sts", "2011-06-15", "service-2.json.gz")),
	}
}

func readModel(t *testing.T, path string) (m serviceModel) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(unzipped).Decode(&m); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m
}

// TestModel compares the parameters of every operation of IAM and STS that the
// simulator serves with AWS's service model: names, types, required members,
// limits, patterns, enums. Deliberate differences stand in modelDifferences.
func TestModel(t *testing.T) {
	models, unused := models(t), map[string]bool{}
	for where := range modelDifferences {
		unused[where] = true
	}
	for _, op := range awssim.Operations() {
		model, ok := models[op.Service]
		if !ok {
			continue // ec2's one operation is not modelled in full
		}
		in, known := model.Operations[op.Name]
		if !known {
			t.Errorf("%s has no operation %s", op.Service, op.Name)
			continue
		}
		prefix := op.Service + ":" + op.Name
		ours, theirs := map[string]string{}, map[string]string{}
		flattenOurs(ours, prefix, op.Members)
		model.flatten(theirs, prefix, in.Input.Shape)
		compareLines(t, ours, theirs, unused)
	}
	for where := range unused {
		t.Errorf("the difference at %s is unused: remove its row", where)
	}
}

// compareLines reports where the simulator's lines and the model's differ
// otherwise than modelDifferences says.
func compareLines(t *testing.T, ours, theirs map[string]string, unused map[string]bool) {
	t.Helper()
	for where := range theirs {
		ours[where] += "" // what the simulator lacks is a difference too
	}
	for where, line := range ours {
		row, deliberate := modelDifferences[where]
		delete(unused, where)
		got := difference{Simulator: line, Model: theirs[where], Why: row.Why}
		switch {
		case got != row && deliberate:
			t.Errorf("%s: simulator %q, model %q; its row says simulator %q, model %q", where, line, theirs[where], row.Simulator, row.Model)
		case !deliberate && line != theirs[where]:
			t.Errorf("%s: simulator %q, model %q", where, line, theirs[where])
		}
	}
}

// flattenOurs writes a line for each parameter and each part of one.
func flattenOurs(lines map[string]string, where string, members []awssim.MemberModel) {
	for _, m := range members {
		at := where + " " + m.Name
		s := &m.Shape
		lines[at] = demand(m.Required) + ourLine(s)
		for s.Element != nil {
			s, at = s.Element, at+"[]"
			lines[at] = ourLine(s)
		}
		flattenOurs(lines, at, s.Members)
	}
}

func ourLine(s *awssim.ShapeModel) string {
	return shapeLine(s.Kind, s.Min, s.Max, s.Pattern, s.Enum)
}

// flatten is flattenOurs for a structure of the model.
func (m serviceModel) flatten(lines map[string]string, where, structure string) {
	parent := m.Shapes[structure]
	for name, member := range parent.Members {
		at := where + " " + name
		s := m.Shapes[member.Shape]
		lines[at] = demand(slices.Contains(parent.Required, name)) + s.line()
		inner := member.Shape
		for s.Type == "list" {
			inner = s.Member.Shape
			s, at = m.Shapes[inner], at+"[]"
			lines[at] = s.line()
		}
		if s.Type == "structure" {
			m.flatten(lines, at, inner)
		}
	}
}

func (s modelShape) line() string {
	return shapeLine(s.Type, s.Min, s.Max, s.Pattern, s.Enum)
}

func demand(required bool) string {
	return map[bool]string{true: "required "}[required]
}

func shapeLine(kind string, least, most int, pattern string, enum []string) string {
	out := kind
	if least > 0 || most > 0 {
		out += fmt.Sprintf(" %d..%d", least, most)
	}
	if pattern != "" {
		out += " /" + pattern + "/"
	}
	if len(enum) > 0 {
		out += " " + strings.Join(enum, "|")
	}
	return out
}
