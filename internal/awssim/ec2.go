package awssim

// ec2Operations are the one operation outside IAM and STS, so that a test can
// see what a credential is worth elsewhere.
func ec2Operations() []operation {
	return []operation{{name: "DescribeRegions", asks: onAccount, run: describeRegions}}
}

func describeRegions(c *call) ([]node, error) {
	p := c.account.partition
	regions := node{name: "regionInfo"}
	for _, name := range p.sample {
		regions.kids = append(regions.kids, branch("item",
			leaf("regionName", name),
			leaf("regionEndpoint", "ec2."+name+"."+p.suffix),
			leaf("optInStatus", "opt-in-not-required")))
	}
	return []node{regions}, nil
}
