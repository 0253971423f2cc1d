package awssim

import (
	"cmp"
	"slices"
)

// OperationModel describes one operation that the simulator serves: what its
// row in the table of operations says of its parameters.
type OperationModel struct {
	Service string // "iam", "sts", "ec2"
	Name    string
	Members []MemberModel
}

// MemberModel describes one parameter.
type MemberModel struct {
	Name     string
	Required bool
	Shape    ShapeModel
}

// ShapeModel describes type and limits of a value, as AWS's service models
// have them. Zero limits are none.
type ShapeModel struct {
	Kind    string // "string", "integer", "boolean", "list", "structure"
	Min     int
	Max     int
	Pattern string
	Enum    []string
	Element *ShapeModel   // of a list
	Members []MemberModel // of a structure
}

// Operations describes every operation, by service and name. Tests compare it
// with AWS's own service models.
func Operations() []OperationModel {
	var out []OperationModel
	for key, op := range operations() {
		out = append(out, OperationModel{key.service, key.name, describeMembers(op.members)})
	}
	slices.SortFunc(out, func(a, b OperationModel) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func describeMembers(members []member) []MemberModel {
	var out []MemberModel
	for _, m := range members {
		out = append(out, MemberModel{m.name, m.required, m.shape.describe()})
	}
	return out
}

func (s *shape) describe() ShapeModel {
	out := ShapeModel{
		Kind: string(s.kind), Min: s.min, Max: s.max, Pattern: s.pattern,
		Enum: slices.Clone(s.enum), Members: describeMembers(s.fields),
	}
	if s.element != nil {
		element := s.element.describe()
		out.Element = &element
	}
	return out
}
