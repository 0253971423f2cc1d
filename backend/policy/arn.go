package policy

import (
	"fmt"
	"strings"
	"unicode"
)

// ARN is the parts of an Amazon Resource Name,
// arn:partition:service:region:account:resource.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition string // "aws", "aws-cn", ...
	Service   string
	Region    string // "" in IAM and STS
	Account   string // 12 digits, "aws" for policies of AWS's own, or ""
	Resource  string // all the rest: "role/path/name"
}

// String is the ARN as AWS writes it.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// maxARN is the longest ARN that IAM takes, in characters.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachUserPolicy.html
const maxARN = 2048

// ParseARN divides an ARN. It checks the form only: other servers have
// partitions and accounts of their own making.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	switch {
	case len(s) > maxARN:
		return ARN{}, fmt.Errorf("ARN has %d characters, AWS takes %d", len(s), maxARN)
	case strings.ContainsFunc(s, unprintable):
		return ARN{}, fmt.Errorf("ARN %q has white space or unprintable characters", s)
	case parts[0] != "arn":
		return ARN{}, fmt.Errorf(`ARN %q does not begin with "arn:"`, s)
	case len(parts) != 6:
		return ARN{}, fmt.Errorf("ARN %q has %d parts, not the 6 of arn:partition:service:region:account:resource", s, len(parts))
	}
	a := ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}
	if part := a.missing(); part != "" {
		return ARN{}, fmt.Errorf("ARN %q has no %s", s, part)
	}
	return a, nil
}

// AccountOf is the account in an ARN; "" if s is no ARN or has none, as those of
// other servers.
func AccountOf(s string) string {
	a, err := ParseARN(s)
	if err != nil {
		return ""
	}
	return a.Account
}

// missing names the first part that every ARN needs and this one has not.
func (a ARN) missing() string {
	switch "" {
	case a.Partition:
		return "partition"
	case a.Service:
		return "service"
	case a.Resource:
		return "resource"
	default:
		return ""
	}
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
