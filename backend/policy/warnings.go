package policy

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// flaws are the statements that AWS refuses in a policy of a user or session.
var flaws = []struct {
	in   func(statement) bool
	text string
}{
	{lacks("Effect"), "has no Effect"},
	{oddEffect, "has an Effect other than Allow and Deny"},
	{lacks("Action", "NotAction"), "has neither Action nor NotAction"},
	{lacks("Resource", "NotResource"), "has neither Resource nor NotResource"},
	{namesPrincipal, "names a principal, which only policies of resources may"},
}

// Warnings lists what AWS will refuse about doc, or read otherwise than its
// author may think: one text a problem, none if there is nothing to say. doc is
// a policy for a user or session; the document of an IAM group or role has
// other quotas.
func Warnings(doc string) []string {
	parsed, err := parse(doc)
	if err != nil {
		return []string{fmt.Sprintf("policy_document %s: AWS will refuse it", err)}
	}
	texts := parsed.versionWarnings(doc)
	texts = append(texts, parsed.statementWarnings()...)
	if size := Size(doc); size > MaxInlineSize {
		texts = append(texts, fmt.Sprintf("policy_document has %d characters without white space, AWS takes %d: use policy_arns for the rest", size, MaxInlineSize))
	}
	if i := strings.IndexFunc(doc, outsideAlphabet); i >= 0 {
		odd, _ := utf8.DecodeRuneInString(doc[i:])
		texts = append(texts, fmt.Sprintf("policy_document contains the character %U, IAM takes only those up to U+00FF: AWS will refuse it", odd))
	}
	return texts
}

// versionWarnings is about the version of the policy language, which decides
// how AWS reads "${".
func (d document) versionWarnings(doc string) []string {
	switch {
	case d.version == version2012:
		return nil
	case d.version == "":
		return []string{"policy_document has no Version, so AWS does not expand policy variables such as ${aws:username}: set Version to " + version2012}
	case d.version != version2008:
		return []string{"policy_document has a Version other than " + version2012 + " and " + version2008 + ": AWS will refuse it"}
	case strings.Contains(doc, "${"):
		return []string{"policy_document has Version " + version2008 + ", in which AWS does not expand policy variables: set it to " + version2012}
	default:
		return nil
	}
}

// statementWarnings names each flaw once, with the first statement that has it.
func (d document) statementWarnings() []string {
	if len(d.statements) == 0 {
		return []string{"policy_document has an empty Statement: AWS will refuse it"}
	}
	var texts []string
	for _, flaw := range flaws {
		if i := slices.IndexFunc(d.statements, flaw.in); i >= 0 {
			texts = append(texts, fmt.Sprintf("policy_document: statement %d %s: AWS will refuse it", i+1, flaw.text))
		}
	}
	return texts
}

// lacks reports of a statement that it has none of the elements.
func lacks(elements ...string) func(statement) bool {
	return func(s statement) bool { return !has(s, elements...) }
}

func namesPrincipal(s statement) bool { return has(s, "Principal", "NotPrincipal") }

func oddEffect(s statement) bool {
	return slices.ContainsFunc(s, func(m member) bool {
		effect := string(m.value)
		return m.name == "Effect" && effect != `"Allow"` && effect != `"Deny"`
	})
}

// outsideAlphabet reports of a character that IAM takes it in no policy:
// [\t\n\r\x20-\xFF].
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
func outsideAlphabet(r rune) bool {
	return r > 0xFF || r < ' ' && !strings.ContainsRune("\t\n\r", r)
}
