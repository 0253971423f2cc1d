// Package naming makes the names of IAM users and STS sessions.
//
// An operator writes them as a template in the language of Vault's
// sdk/helper/template; [Parse] reads it once, [Template.Name] makes a name of
// it. Rendering is bounded in time and memory whatever the template says, since
// one plugin process serves all mounts of a server.
package naming

import (
	"fmt"
	"strings"
)

// Type is what a name is for; templates see it as .Type.
type Type string

const (
	// IAM is for IAM users and for sessions of assumed IAM roles.
	IAM Type = "IAM"
	// STS is for federated users.
	STS Type = "STS"
)

// Inputs is what a name is made of. Names of type STS are made without the
// display name and the role, as Vault's built-in engine does.
type Inputs struct {
	Type        Type
	DisplayName string // of the Vault token that asks; any text
	PolicyName  string // the Vault role

	// Identity looks up a value of the caller's entity, "entity.name" for one; ""
	// if it has none. Only attribution templates ask.
	Identity func(path string) string
}

// Lengths of names, in characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
const (
	maxName           = 64 // IAM users and role sessions
	maxFederationName = 32
	minName           = 2 // of sessions; IAM users may have one
)

// max is the longest name of the type.
func (t Type) max() int {
	if t == STS {
		return maxFederationName
	}
	return maxName
}

// SessionName makes a legal role session name of the one a caller asks for:
// characters that AWS refuses become "_", and it is cut to 64.
func SessionName(s string) (string, error) {
	name := normalise(s)
	if len(name) < minName {
		return "", fmt.Errorf("role_session_name %q is too short: AWS takes %d to %d characters", s, minName, maxName)
	}
	return name[:min(len(name), maxName)], nil
}

// normalise replaces each character outside the alphabet by "_", so that the
// result is ASCII.
func normalise(s string) string {
	return strings.Map(func(r rune) rune {
		if inAlphabet(r) {
			return r
		}
		return '_'
	}, s)
}

// inAlphabet reports whether IAM and STS take the character in a name:
// [\w+=,.@-], in which \w is ASCII.
func inAlphabet(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	default:
		return strings.ContainsRune("+=,.@_-", r)
	}
}
