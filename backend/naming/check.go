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

// checker looks through one template, and notes what it asks for.
type checker struct {
	language

	asks []string
}

// node walks the template and refuses what does not belong into one. Each
// action runs at most once then, so the text's length bounds the work.
func (c *checker) node(node parse.Node) error {
	switch n := node.(type) {
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ListNode:
		return c.list(n)
	case *parse.ActionNode:
		return c.pipe(n.Pipe)
	case *parse.IfNode:
		return c.branch(&n.BranchNode)
	case *parse.WithNode:
		return c.branch(&n.BranchNode)
	case *parse.PipeNode:
		return c.pipe(n)
	case *parse.FieldNode:
		return c.field(n.Ident)
	case *parse.VariableNode:
		return c.field(n.Ident[1:]) // the first is the variable
	case *parse.IdentifierNode:
		return c.function(n.Ident)
	case *parse.ChainNode:
		return c.chain(n)
	case *parse.BoolNode, *parse.DotNode, *parse.NilNode, *parse.NumberNode, *parse.StringNode:
		return nil
	default:
		return c.refused(word(node))
	}
}

func (c *checker) list(list *parse.ListNode) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		if err := c.node(node); err != nil {
			return err
		}
	}
	return nil
}

// branch checks if and with, whose else may be missing.
func (c *checker) branch(branch *parse.BranchNode) error {
	if err := c.pipe(branch.Pipe); err != nil {
		return err
	}
	if err := c.list(branch.List); err != nil {
		return err
	}
	return c.list(branch.ElseList)
}

func (c *checker) pipe(pipe *parse.PipeNode) error {
	for _, command := range pipe.Cmds {
		if path, is := c.identityCall(command.Args); is {
			if err := c.identityPath(path); err != nil {
				return err
			}
			continue
		}
		for _, arg := range command.Args {
			if err := c.node(arg); err != nil {
				return err
			}
		}
		if err := c.random(command.Args); err != nil {
			return err
		}
	}
	return nil
}

// random refuses a literal length out of range here, in whichever branch
// it stands; one that is computed is checked when it is known.
func (c *checker) random(args []parse.Node) error {
	if len(args) < 2 || args[0].String() != "random" {
		return nil
	}
	length, ok := args[1].(*parse.NumberNode)
	if !ok || !length.IsInt {
		return nil
	}
	if err := checkRandomLength(length.Int64); err != nil {
		return fmt.Errorf("%s cannot use random: %w", c.param, err)
	}
	return nil
}

func (c *checker) field(names []string) error {
	switch {
	case len(names) == 0:
		return nil
	case len(names) == 1 && slices.Contains(allowedFields, names[0]):
		c.ask("." + names[0])
		return nil
	}
	return fmt.Errorf("%s asks for .%s: the fields are .%s", c.param, strings.Join(names, "."), strings.Join(allowedFields, ", ."))
}

func (c *checker) function(name string) error {
	if slices.Contains(allowedFunctions, name) {
		return nil
	}
	return fmt.Errorf("%s uses the function %q: the functions are %s", c.param, name, strings.Join(allowedFunctions, ", "))
}

func (c *checker) refused(word string) error {
	return fmt.Errorf("%s uses %s: loops, nested templates and fields of results are not allowed", c.param, word)
}

// ask notes a value that the template asks for.
func (c *checker) ask(value string) {
	if !slices.Contains(c.asks, value) {
		c.asks = append(c.asks, value)
	}
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
