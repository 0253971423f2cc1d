package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"vault-plugin-secrets-aws/backend/awsclient"
	"vault-plugin-secrets-aws/backend/policy"
	"vault-plugin-secrets-aws/backend/store"
)

// View is what the rules of a role know of its mount. They ask nobody.
type View struct {
	Role
	Partition string        // that config/root's region lies in; "" if it is none of AWS's
	MaxTTL    time.Duration // of the mount's leases; 0: not known
	OwnerTags int           // tags of the engine's own on every user
}

// Limits of AWS that nobody is told of before a credential is asked for.
const (
	leastTTL       = 15 * time.Minute // of every session (botocore sts/2011-06-15)
	longestAssumed = 12 * time.Hour
	longestToken   = 36 * time.Hour
	// attachedQuota is IAM's default quota of managed policies on a user; it can be
	// raised to 20. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (checked 2026-11)
	attachedQuota = 10
	// sessionQuota is of the managed policies of a session.
	// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (checked 2026-11)
	sessionQuota = 10
	tagQuota     = 50
)

// rules are the checks of a role that need no AWS.
var rules = []func(View) []Finding{lifeRules, policyRules, arnRules, groupRules, tagRules, externalIDRules}

// RoleRules lists what is wrong with a role as far as it can be told without AWS.
func RoleRules(v View) (all []Finding) {
	for _, rule := range rules {
		all = append(all, rule(v)...)
	}
	for i := range all {
		all[i].Subject = "roles/" + v.Name
	}
	return all
}

// partitions begin the regions of every partition but the first (botocore's
// partitions, checked 2026-11).
var partitions = []struct{ begin, name string }{
	{"cn-", "aws-cn"},
	{"us-gov-", "aws-us-gov"},
	{"eusc-", "aws-eusc"},
	{"us-iso-", "aws-iso"},
	{"us-isob-", "aws-iso-b"},
	{"eu-isoe-", "aws-iso-e"},
	{"us-isof-", "aws-iso-f"},
}

// PartitionOf is the partition that a root config reaches; "" if that cannot be
// told: behind explicit endpoints may be anything.
func PartitionOf(c *store.RootConfig) string {
	region := c.Region
	if region == "" && c.AccessKey != "" {
		region = "us-east-1" // without keys the server's environment may name another
	}
	if !awsclient.KnownRegion(region) || c.IAMEndpoint+c.STSEndpoint != "" {
		return ""
	}
	for _, p := range partitions {
		if strings.HasPrefix(region, p.begin) {
			return p.name
		}
	}
	return "aws"
}

// lifeRules are about the lives of sessions.
func lifeRules(v View) (found []Finding) {
	longest := longestToken
	if v.Issues(store.AssumedRole) {
		longest = longestAssumed
	}
	for _, ttl := range []struct {
		field string
		is    time.Duration
	}{{"default_sts_ttl", v.DefaultSTSTTL}, {"max_sts_ttl", v.MaxSTSTTL}} {
		switch {
		case ttl.is <= 0:
		case ttl.is < leastTTL:
			found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s %s is less than AWS gives a session", ttl.field, ttl.is), Remedy: "write at least " + leastTTL.String()})
		case ttl.is > longest:
			found = append(found, Finding{Severity: ttlSeverity(ttl.field), Problem: fmt.Sprintf("%s %s is more than AWS gives a session of credential_type %s", ttl.field, ttl.is, v.CredentialTypes[0]), Remedy: "write at most " + longest.String()})
		}
	}
	if v.MaxTTL > 0 && v.DefaultSTSTTL > v.MaxTTL {
		found = append(found, Finding{Severity: Warning, Problem: fmt.Sprintf("default_sts_ttl %s is cut to %s, the mount's maximum lease TTL", v.DefaultSTSTTL, v.MaxTTL), Remedy: "write less, or tune the mount's max-lease-ttl"})
	}
	return found
}

// ttlSeverity: only what is asked for without a ttl fails every request.
func ttlSeverity(field string) Severity {
	if field == "default_sts_ttl" {
		return Error
	}
	return Warning
}

// policyRules are about the number of policies. Their size is told by
// store.Role.Warnings.
func policyRules(v View) (found []Finding) {
	n := len(v.PolicyARNs)
	if limitsSessions(v.Role.Role) && n > sessionQuota {
		found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("policy_arns has %d policies, and AWS takes %d for a session", n, sessionQuota), Remedy: "put them together, or attach them to the IAM role"})
	}
	if v.Issues(store.IAMUser) && n > attachedQuota {
		found = append(found, Finding{Severity: Warning, Problem: fmt.Sprintf("policy_arns has %d policies, and AWS attaches %d to a user unless the quota was raised", n, attachedQuota), Remedy: "put them together, or have the quota raised"})
	}
	return found
}

// arnRules are about ARNs that are of something else, or of another partition.
// What is no ARN at all is told by store.Role.Warnings.
func arnRules(v View) (found []Finding) {
	for _, field := range []struct {
		name, kind string
		arns       []string
	}{{"role_arns", "role/", v.RoleARNs}, {"policy_arns", "policy/", v.PolicyARNs}, {"permissions_boundary_arn", "policy/", []string{v.PermissionsBoundaryARN}}} {
		for _, text := range field.arns {
			arn, err := policy.ParseARN(text)
			switch {
			case err != nil:
			case arn.Service != "iam" || !strings.HasPrefix(arn.Resource, field.kind):
				found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s holds %q, which is not the ARN of an IAM %s", field.name, text, strings.TrimSuffix(field.kind, "/")), Remedy: "write arn:aws:iam::<account>:" + field.kind + "<name>"})
			case v.Partition != "" && arn.Partition != v.Partition:
				found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s holds %q, and config/root reaches the partition %s", field.name, text, v.Partition), Remedy: "write an ARN of that partition, or another region to config/root"})
			case strings.HasPrefix(arn.Resource, "policy/aws-service-role/"):
				found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s holds %q, which AWS attaches to service-linked roles only", field.name, text), Remedy: "take it out"})
			}
		}
	}
	return found
}

// iamName is IAM's pattern of the names of groups.
var iamName = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)

func groupRules(v View) (found []Finding) {
	if !v.IssuesAny([]store.CredentialType{store.IAMUser, store.AssumedRole, store.FederationToken}) {
		return nil
	}
	for _, group := range v.IAMGroups {
		if !iamName.MatchString(group) {
			found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("iam_groups holds %q, which is no name of a group", group), Remedy: "write names, without path and ARN"})
		}
	}
	return found
}

// tagRules are about what IAM and STS take as tags.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html (checked 2026-11)
func tagRules(v View) (found []Finding) {
	if n := len(v.IAMTags) + v.OwnerTags; v.OwnerTags > 0 && v.Issues(store.IAMUser) && n > tagQuota {
		found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("iam_tags and the tags of iam_owner_tags are %d together, and AWS takes %d", n, tagQuota), Remedy: "write fewer iam_tags, or iam_owner_tags=false to config/root"})
	}
	if v.Issues(store.IAMUser) {
		found = append(found, badTags("iam_tags", v.IAMTags)...)
	}
	found = append(found, badTags("session_tags", v.SessionTags)...)
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Problem, b.Problem) })
	return found
}

// tagText is what tags are made of (botocore iam/2010-05-08, tagKeyType).
var tagText = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

func badTags(field string, tags map[string]string) (found []Finding) {
	for key, value := range tags {
		lower := strings.ToLower(key)
		switch {
		case strings.HasPrefix(lower, "aws:"):
			found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s has the key %q, and AWS keeps those beginning with aws: to itself", field, key), Remedy: "write another key"})
		case key == "" || len([]rune(key)) > 128 || len([]rune(value)) > 256 || !tagText.MatchString(key+value):
			found = append(found, Finding{Severity: Error, Problem: fmt.Sprintf("%s has the key %.140q, which AWS will refuse with its value", field, key), Remedy: "keys have 1 to 128 letters, digits, spaces and _.:/=+-@, values up to 256"})
		}
	}
	return found
}

// maxExternalID is in characters.
const maxExternalID = 1224

// externalID is STS's externalIdType, but for its length.
var externalID = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)

func externalIDRules(v View) []Finding {
	if v.ExternalID == "" || len(v.ExternalID) <= maxExternalID && externalID.MatchString(v.ExternalID) {
		return nil
	}
	return []Finding{{Severity: Error, Problem: "external_id is not what AWS takes for one", Remedy: "2 to 1224 letters, digits and +=,.@:/-"}}
}
