package awssim

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// partition is one of AWS's separate worlds. IAM has one Region in each, its
// home, and is signed for it. Computed from botocore 1.43's endpoint rules.
type partition struct {
	name   string
	home   string // IAM's signing Region
	suffix string // of host names
	region *regexp.Regexp
	sample []string // what DescribeRegions lists
}

var partitions = []*partition{
	{"aws-cn", "cn-north-1", "amazonaws.com.cn", regexp.MustCompile(`^cn-[a-z]+-\d+$`), []string{"cn-north-1", "cn-northwest-1"}},
	{"aws-us-gov", "us-gov-west-1", "amazonaws.com", regexp.MustCompile(`^us-gov-[a-z]+-\d+$`), []string{"us-gov-east-1", "us-gov-west-1"}},
	{"aws-iso", "us-iso-east-1", "c2s.ic.gov", regexp.MustCompile(`^us-iso-[a-z]+-\d+$`), []string{"us-iso-east-1"}},
	{"aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov", regexp.MustCompile(`^us-isob-[a-z]+-\d+$`), []string{"us-isob-east-1"}},
	{"aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk", regexp.MustCompile(`^eu-isoe-[a-z]+-\d+$`), []string{"eu-isoe-west-1"}},
	{"aws-iso-f", "us-isof-south-1", "csp.hci.ic.gov", regexp.MustCompile(`^us-isof-[a-z]+-\d+$`), []string{"us-isof-south-1"}},
	{"aws-eusc", "eusc-de-east-1", "amazonaws.eu", regexp.MustCompile(`^eusc-de-[a-z]+-\d+$`), []string{"eusc-de-east-1"}},
	{"aws", "us-east-1", "amazonaws.com", regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+$`), []string{"us-east-1", "us-east-2", "us-west-2", "eu-central-1", "eu-west-1", "ap-southeast-1"}},
}

// partitionOf finds the partition that a Region lies in.
func partitionOf(region string) (*partition, error) {
	for _, p := range partitions {
		if p.region.MatchString(region) {
			return p, nil
		}
	}
	return nil, fmt.Errorf("region %q lies in no partition", region)
}

// isPartition reports whether the name in an ARN may stand for a partition.
func isPartition(name string) bool {
	return slices.ContainsFunc(partitions, func(p *partition) bool { return p.name == name }) || strings.ContainsAny(name, "*?$")
}

// scopes reports whether a signature for region is meant for service here.
func (p *partition) scopes(service, region string) bool {
	if service == serviceIAM {
		return region == p.home
	}
	return p.region.MatchString(region)
}
