package awsclient

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
)

// Endpoint is a URL and the region its requests are signed for.
type Endpoint struct {
	URL    string // "" : the SDK's resolver for the region
	Region string // "" : the region of the root config
}

// stsEndpoints are the endpoints to try, in order, with their regions filled in.
func (s Settings) stsEndpoints(region string) []Endpoint {
	endpoints := s.STS
	if len(endpoints) == 0 {
		endpoints = []Endpoint{{}}
	}
	out := make([]Endpoint, len(endpoints))
	for i, e := range endpoints {
		out[i] = Endpoint{URL: e.URL, Region: orDefault(e.Region, region)}
	}
	return out
}

// partitions says for which region IAM requests of a partition are signed. The
// region shapes are those of the SDK's endpoint rules (botocore's partitions,
// checked 2026-11).
var partitions = []struct {
	regions *regexp.Regexp
	home    string
}{
	{regexp.MustCompile(`^(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d+$`), "us-east-1"},
	{regexp.MustCompile(`^cn-[a-z]+-\d+$`), "cn-north-1"},
	{regexp.MustCompile(`^us-gov-[a-z]+-\d+$`), "us-gov-west-1"},
	{regexp.MustCompile(`^eusc-[a-z]+-[a-z]+-\d+$`), "eusc-de-east-1"},
	{regexp.MustCompile(`^us-iso-[a-z]+-\d+$`), "us-iso-east-1"},
	{regexp.MustCompile(`^us-isob-[a-z]+-\d+$`), "us-isob-east-1"},
	{regexp.MustCompile(`^eu-isoe-[a-z]+-\d+$`), "eu-isoe-west-1"},
	{regexp.MustCompile(`^us-isof-[a-z]+-\d+$`), "us-isof-south-1"},
}

// homeRegion is the region that IAM requests are signed for. Servers that are
// not AWS have regions of their own, which are taken as configured.
func homeRegion(region string) string {
	for _, p := range partitions {
		if p.regions.MatchString(region) {
			return p.home
		}
	}
	return region
}

// KnownRegion reports whether the region has the shape of one of AWS's.
func KnownRegion(region string) bool {
	for _, p := range partitions {
		if p.regions.MatchString(region) {
			return true
		}
	}
	return false
}

// CheckEndpoint reports what is wrong with an endpoint URL. Link-local hosts are
// refused: the instance metadata service lives there and answers with the
// server's own credentials.
func CheckEndpoint(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("must begin with https:// (or http:// for a server on a trusted network)")
	case u.Hostname() == "":
		return fmt.Errorf("names no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("must not hold a user, a query or a fragment")
	}
	return checkHost(u.Hostname())
}

// numeric are hosts that some resolvers read as an IPv4 address in another
// spelling: 2852039166, 0xa9fea9fe, 169.254.43518. No name ends in a number.
var numeric = regexp.MustCompile(`(?i)(^|\.)(\d+|0x[0-9a-f]*)\.?$`)

// metadata is where AWS's metadata services live in IPv6.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html (checked 2026-11)
var metadata = netip.MustParsePrefix("fd00:ec2::/32")

func checkHost(host string) error {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil && numeric.MatchString(host):
		return fmt.Errorf("must not be an address in an unusual spelling")
	case err == nil && (ip.Unmap().IsLinkLocalUnicast() || metadata.Contains(ip.WithZone(""))):
		return fmt.Errorf("must not be a link-local address")
	}
	return nil
}

// Insecure reports whether requests to the endpoint cross a network without TLS.
func Insecure(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "http" && !loopback(u.Hostname())
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
