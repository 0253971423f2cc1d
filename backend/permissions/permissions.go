// Package permissions says what the root credentials of a mount must be allowed
// in AWS for what is configured now, as IAM actions on resources: [Mount.Needs]
// lists them, [Document] makes a policy of them, and [Mount.Refusals] tells
// where a policy would allow more than is meant.
//
// Every need is a row of features, in the files users.go, sessions.go, keys.go
// and diagnose.go.
package permissions

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// Mount is what a mount's needs follow from.
type Mount struct {
	Root   Root
	Config *store.RootConfig
	Roles  map[string]*store.Role
	Static map[string]*store.StaticRole

	UserPrefix      string // how the names of all IAM users begin
	FederatedPrefix string // and those of all federated users
	NamesUnique     bool   // whether a user's name tells that it is ours

	Diagnose bool // with what diagnose looks at
}

// Root is who the root credentials are.
type Root struct {
	Partition string // "aws", "aws-cn", …
	Account   string
	ARN       string // as AWS says it: of an IAM user, a session of an IAM role, …
	UserName  string // "" if it is no IAM user
	RoleName  string // "" if it is no session of an IAM role
}

// RootOf reads who the root credentials are out of their ARN: an IAM user's, an
// IAM role's or that of a session.
func RootOf(text string) (Root, error) {
	arn, err := policy.ParseARN(text)
	if err != nil {
		return Root{}, err
	}
	root := Root{Partition: arn.Partition, Account: arn.Account, ARN: text}
	kind, rest, _ := strings.Cut(arn.Resource, "/")
	switch arn.Service + ":" + kind {
	case "iam:user":
		root.UserName = rest[strings.LastIndex(rest, "/")+1:]
	case "iam:role":
		root.RoleName = rest[strings.LastIndex(rest, "/")+1:]
	case "sts:assumed-role":
		root.RoleName, _, _ = strings.Cut(rest, "/")
	case "iam:root", "sts:federated-user":
	default:
		return Root{}, fmt.Errorf("ARN %q is not that of an IAM user or role", text)
	}
	return root, nil
}

// AccountRoot reports whether it is the account's root user, which no policy limits.
func (r Root) AccountRoot() bool { return strings.HasSuffix(r.ARN, ":root") }

// Need is something that the root credentials must be allowed.
type Need struct {
	Feature   string // what needs it, in a word or two
	Actions   []string
	Resources []string  // patterns of ARNs
	Samples   []string  // ARNs that the patterns mean, to try the actions on
	Condition Condition // nil: none
}

// Condition is what a request has to carry: the values that a condition key may
// have.
type Condition map[string][]string

// The condition keys that needs have, and their operators. ArnEquals reads
// wildcards in its values, so nothing with wildcards may get there.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html (checked 2026-11)
const (
	boundaryKey = "iam:PermissionsBoundary"
	policyKey   = "iam:PolicyARN"
)

func operatorOf(key string) string {
	if key == policyKey {
		return "ArnEquals"
	}
	return "StringEquals"
}

// features is the table of what a mount may need.
var features = []struct {
	name  string
	needs func(*Mount) []Need
}{
	{"iam_user roles", (*Mount).issuing},
	{"iam_user roles", (*Mount).destroying},
	{"iam_groups of iam_user roles", (*Mount).joining},
	{"tags of users", (*Mount).tagging},
	{"names that may be somebody else's", (*Mount).telling},
	{"tidy", (*Mount).tidying},
	{"assumed_role roles", (*Mount).assuming},
	{"session_tags", (*Mount).taggingSessions},
	{"source_identity_template", (*Mount).namingSources},
	{"iam_groups of session roles", (*Mount).readingGroups},
	{"federation_token roles", (*Mount).federating},
	{"static roles", (*Mount).rotatingStatic},
	{"grace of static roles", (*Mount).retiring},
	{"static roles of other accounts", (*Mount).reachingStatic},
	{"config/rotate-root", (*Mount).rotatingRoot},
	{"diagnose", (*Mount).diagnosing},
}

// Needs lists what the mount needs, in the order of the table.
func (m *Mount) Needs() (all []Need) {
	for _, f := range features {
		for _, need := range f.needs(m) {
			if len(need.Resources) == 0 {
				continue
			}
			need.Feature = f.name
			all = append(all, need)
		}
	}
	return all
}

// roles are those of which a condition holds, by name.
func (m *Mount) roles(that func(*store.Role) bool) (found []*store.Role) {
	for _, name := range slices.Sorted(maps.Keys(m.Roles)) {
		if role := m.Roles[name]; that(role) {
			found = append(found, role)
		}
	}
	return found
}

// statics are likewise.
func (m *Mount) statics(that func(*store.StaticRole) bool) (found []*store.StaticRole) {
	for _, name := range slices.Sorted(maps.Keys(m.Static)) {
		if role := m.Static[name]; that(role) {
			found = append(found, role)
		}
	}
	return found
}

func (m *Mount) arn(service, resource string) string {
	return "arn:" + m.Root.Partition + ":" + service + "::" + m.Root.Account + ":" + resource
}

// anyPath are the patterns of what has this name, whatever path it lies under.
// Names of users, and of groups, are unique in an account.
func (m *Mount) anyPath(kind string, names []string) (patterns, samples []string) {
	for _, name := range distinct(names) {
		sample := m.arn("iam", kind+"/"+name)
		samples = append(samples, sample)
		patterns = append(patterns, sample, m.arn("iam", kind+"/*/"+name))
	}
	return patterns, samples
}

// distinct sorts texts and has each once.
func distinct(texts []string) []string { return slices.Compact(slices.Sorted(slices.Values(texts))) }

// of collects what each role has of something.
func of[R any](roles []R, what func(R) []string) (all []string) {
	for _, role := range roles {
		all = append(all, what(role)...)
	}
	return distinct(all)
}
