package naming

import (
	"fmt"
	"slices"
	"strings"
	"text/template/parse"
)

// allowedFields are what templates may ask for.
var allowedFields = []string{"Type", "DisplayName", "PolicyName"}

// allowedFunctions are those of Vault's templates, and the ones of
// text/template that are of use in a name and cannot run long.
var allowedFunctions = []string{
	"and", "base64", "eq", "ge", "gt", "le", "len", "lowercase", "lt", "ne", "not", "or",
	"print", "printf", "println", "random", "replace", "sha256", "slice", "timestamp",
	"truncate", "truncate_sha256", "unix_time", "unix_time_millis", "uppercase", "uuid",
}

// checkNode walks the template and refuses what does not belong into one. Each
// action runs at most once then, so the text's length bounds the work.
func checkNode(node parse.Node) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ListNode:
		return checkList(n)
	case *parse.ActionNode:
		return checkPipe(n.Pipe)
	case *parse.IfNode:
		return checkBranch(&n.BranchNode)
	case *parse.WithNode:
		return checkBranch(&n.BranchNode)
	case *parse.PipeNode:
		return checkPipe(n)
	case *parse.FieldNode:
		return checkField(n.Ident)
	case *parse.VariableNode:
		return checkField(n.Ident[1:]) // the first is the variable
	case *parse.IdentifierNode:
		return checkFunction(n.Ident)
	case *parse.BoolNode, *parse.DotNode, *parse.NilNode, *parse.NumberNode, *parse.StringNode:
		return nil
	default:
		return refused(word(node))
	}
}

func checkList(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := checkNode(node); err != nil {
			return err
		}
	}
	return nil
}

// checkBranch checks if and with, whose else may be missing.
func checkBranch(branch *parse.BranchNode) error {
	if err := checkPipe(branch.Pipe); err != nil {
		return err
	}
	if err := checkList(branch.List); err != nil {
		return err
	}
	return checkList(branch.ElseList)
}

func checkPipe(pipe *parse.PipeNode) error {
	for _, command := range pipe.Cmds {
		for _, arg := range command.Args {
			if err := checkNode(arg); err != nil {
				return err
			}
		}
		if err := checkRandom(command.Args); err != nil {
			return err
		}
	}
	return nil
}

// checkRandom refuses a literal length out of range here, in whichever branch
// it stands; one that is computed is checked when it is known.
func checkRandom(args []parse.Node) error {
	if len(args) < 2 || args[0].String() != "random" {
		return nil
	}
	length, ok := args[1].(*parse.NumberNode)
	if !ok || !length.IsInt {
		return nil
	}
	if err := checkRandomLength(length.Int64); err != nil {
		return fmt.Errorf("username_template cannot use random: %w", err)
	}
	return nil
}

func checkField(names []string) error {
	if len(names) == 0 || len(names) == 1 && slices.Contains(allowedFields, names[0]) {
		return nil
	}
	return fmt.Errorf("username_template asks for .%s: the fields are .%s", strings.Join(names, "."), strings.Join(allowedFields, ", ."))
}

func checkFunction(name string) error {
	if slices.Contains(allowedFunctions, name) {
		return nil
	}
	return fmt.Errorf("username_template uses the function %q: the functions are %s", name, strings.Join(allowedFunctions, ", "))
}

func refused(word string) error {
	return fmt.Errorf("username_template uses %s: loops, nested templates and fields of results are not allowed", word)
}

// word is how a template writes a node that is refused.
func word(node parse.Node) string {
	switch node.(type) {
	case *parse.RangeNode:
		return "range"
	case *parse.TemplateNode:
		return "template"
	case *parse.ChainNode:
		return "a field of a result"
	default:
		return "what names have no use for"
	}
}
