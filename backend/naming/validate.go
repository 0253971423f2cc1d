package naming

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// Name renders the template. The name is legal in AWS; an error says what about
// the template is not, and what to change.
func (t *Template) Name(in Inputs) (Name, error) {
	if err := t.checkValues(in); err != nil {
		return Name{}, err
	}
	out, draws, err := t.render(in)
	if err != nil {
		return Name{}, err
	}
	if err := out.check(in.Type); err != nil {
		return Name{}, err
	}
	name := out.kept.String()
	return Name{Text: name, RandomBits: survivingBits(name, draws)}, nil
}

// alphabetError is a name with a character that AWS refuses. It comes of the
// template alone, since inputs are normalised.
type alphabetError struct {
	param string
	name  string
	char  rune
}

func (e *alphabetError) Error() string {
	return fmt.Sprintf("%s makes the name %.100q with the character %q: AWS takes letters, digits and +=,.@_- only; take it out of the template, or replace it there", e.param, e.name, e.char)
}

// check holds the output against what AWS takes for a name of the type.
func (o *output) check(t Type) error {
	name := o.kept.String()
	for _, r := range name {
		if !inAlphabet(r) {
			return &alphabetError{param: o.param, name: name, char: r}
		}
	}
	switch {
	case o.length > t.max():
		return fmt.Errorf("%s makes a name of %d characters, beginning %.40q: AWS takes %d for %s; shorten it with %s", o.param, o.length, name, t.max(), cmp.Or(o.whose, t.bearers()), o.shorten)
	case o.length < minName:
		return fmt.Errorf("%s makes the name %q: AWS takes no names below %d characters; add some text to the template", o.param, name, minName)
	default:
		return nil
	}
}

// bearers is who has names of the type.
func (t Type) bearers() string {
	if t == STS {
		return "federated users"
	}
	return "IAM users and role sessions"
}

// sample is an example of what a template may be given.
type sample struct {
	whose string // names made of such inputs, in words
	Inputs
}

// ordinary is what every template must be able to make a name of.
var ordinary = sample{"IAM users", Inputs{Type: IAM, DisplayName: "token-deployer", PolicyName: "deploy"}}

// extremes go beyond the ordinary, each in its own way. Vault itself bounds
// neither display names nor role names below 64 characters.
var extremes = []sample{
	{"federation_token roles", Inputs{Type: STS}},
	{"tokens without a display name", Inputs{Type: IAM, PolicyName: "deploy"}},
	{"short names of tokens and roles", Inputs{Type: IAM, DisplayName: "ci", PolicyName: "x"}},
	{"long names of tokens and roles", Inputs{Type: IAM, DisplayName: strings.Repeat("oidc-jürgen ", 8), PolicyName: strings.Repeat("deploy-", 10)}},
}

// Validate returns the error with which a write of the template is refused: one
// that makes no legal name of ordinary inputs, or ever makes one outside AWS's
// alphabet. What fails for some inputs only is for [Template.Warnings]: mounts
// live with such templates, and it may be that nobody gives them such inputs.
func (t *Template) Validate() error {
	if _, err := t.Name(ordinary.Inputs); err != nil {
		return err
	}
	for _, s := range extremes {
		_, err := t.Name(s.Inputs)
		if alphabet := (*alphabetError)(nil); errors.As(err, &alphabet) {
			return err
		}
	}
	return nil
}

// Warnings tells for whom the template makes no name, and whether its names may
// be too little random.
func (t *Template) Warnings() []string {
	var texts []string
	for _, s := range extremes {
		if _, err := t.Name(s.Inputs); err != nil {
			texts = append(texts, fmt.Sprintf("no credentials for %s: %s", s.whose, err))
		}
	}
	if bits := t.WorstCaseBits(); bits < UniqueBits {
		texts = append(texts, fmt.Sprintf("username_template leaves %.0f bits of randomness in some names of IAM users, %d are needed to remove a user whose creation AWS never confirmed: use {{random 20}}, and truncate the names before it", bits, UniqueBits))
	}
	return texts
}

// WorstCaseBits is the least randomness in the names of IAM users (see
// [Name.RandomBits]), over inputs of all lengths; 0 if none gives a name.
func (t *Template) WorstCaseBits() float64 {
	worst, found := 0.0, false
	for _, s := range append([]sample{ordinary}, extremes...) {
		name, err := t.Name(s.Inputs)
		if err != nil || s.Type == STS {
			continue
		}
		if !found || name.RandomBits < worst {
			worst, found = name.RandomBits, true
		}
	}
	return worst
}
