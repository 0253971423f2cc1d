package awssim

import (
	"regexp"
	"slices"
	"strings"
)

// Dialect is whose reading of AWS the simulator follows where readings
// differ.
type Dialect string

const (
	// DialectAWS is what the sources named in the package comment say.
	DialectAWS Dialect = ""
	// DialectVersitygw is the reading of versitygw v1.8.0, for the runner of
	// its own test suite (internal/awscontract/versitygw) and nobody else:
	// access key ids of 21 characters, shorter texts of AccessDenied and
	// SignatureDoesNotMatch, a root user that must name users, tags at
	// creation that need no permission of their own, three service principals,
	// and OIDC providers that must be registered.
	DialectVersitygw Dialect = "versitygw"
)

// adapt is the stage of a call that refuses, or reads otherwise, what
// versitygw does.
func (s *Sim) adapt(c *call) error {
	if s.options.Dialect != DialectVersitygw {
		return nil
	}
	ofKeys := []string{"CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "ListAccessKeys"}
	named := c.in.has("UserName")
	switch {
	case c.op.name == "GetUser" && named && c.in.text("UserName") == "":
		delete(c.in.values, "UserName")
	case c.op.name == "CreateAccessKey" && named && c.in.text("UserName") == "":
		return validationError("The specified value for userName is invalid. %s", nameSays)
	case slices.Contains(ofKeys, c.op.name) && !named && c.caller.kind == callerRoot:
		return validationError("Must specify userName when calling with non-User credentials")
	case c.op.name == "AssumeRoleWithWebIdentity" && c.in.has("Policy") && validate(c) == nil:
		_, err := parsePolicy(c.in.text("Policy"), identityRules())
		return err
	}
	return nil
}

// deniedText finds the action of a refusal and whatever follows it.
var deniedText = regexp.MustCompile(`^(User: \S+ is not authorized to perform: (\S+)) .*`)

// reword gives a refusal versitygw's text.
func (s *Sim) reword(e *apiError) *apiError {
	if s.options.Dialect != DialectVersitygw {
		return e
	}
	said := *e
	switch e.code {
	case "AccessDenied":
		said.message = deniedText.ReplaceAllString(e.message, "$1 because no identity-based policy allows the $2 action")
	case "SignatureDoesNotMatch":
		said.message, _, _ = strings.Cut(e.message, "\n\n")
	}
	return &said
}

// asksForTagging reports whether tags that ride in a creation need a
// permission of their own.
func (s *Sim) asksForTagging() bool { return s.options.Dialect != DialectVersitygw }

// checkServices refuses the service principals that versitygw does not know.
func (d Dialect) checkServices(names []string) error {
	known := []string{"s3.amazonaws.com", "sts.amazonaws.com", "iam.amazonaws.com"}
	for _, name := range names {
		if d == DialectVersitygw && !slices.Contains(known, name) {
			return malformedPolicy(`Invalid principal in policy: "SERVICE":%q`, name)
		}
	}
	return nil
}

// keyLength is how many random characters an access key id has.
func (d Dialect) keyLength() int {
	if d == DialectVersitygw {
		return 17
	}
	return 16
}
